"""Reading YAML: every value remembers its place, scalars stay what was written, and no text can do harm."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.config.document import MAX_BYTES, MAX_DEPTH, key_mark_of, mark_of, read_document
from relay.config.part import read_part
from relay.config.problems import Report

PIECES = st.lists(
    st.sampled_from([
        "a", "accounts", "clients", "providers", "plans", "password", "limits", "aliases", "replaces", "x@d.test",
        ":", ": ", " ", "\n", "\n  ", "- ", "[", "]", "{", "}", ",", "&a ", "*a", "!!str ", "!x ", "? ", "|", ">", "'",
        '"', "#", "%", "---", "...", "<<", "~", "@", "*", "1", "true", "0x1F", "\\", "\\u00",
        "\t", "\x00", "\ufeff", "\r", "\x85", "é", "😀",
    ]),
    max_size=40,
).map("".join)  # fmt: skip


def read(text: str | bytes) -> tuple[object, list[str]]:
    report = Report("f")
    root = read_document(text.encode() if isinstance(text, str) else text, report)
    return root, [str(problem) for problem in report.problems]


@given(PIECES)
def test_yaml_like_junk_is_values_or_problems(text: str) -> None:
    read(text)
    read_part("f", text.encode("utf-8", "surrogatepass"))


@given(st.binary(max_size=200))
def test_random_bytes_are_values_or_problems(content: bytes) -> None:
    read(content)
    read_part("f", content)


@given(st.recursive(
    st.none() | st.booleans() | st.integers(-(10**17), 10**17) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4),
    max_leaves=20,
))  # fmt: skip
def test_json_is_read_as_what_it_says(value: object) -> None:
    root, problems = read(json.dumps({"value": value}))
    assert (root, problems) == ({"value": value}, [])


def test_a_configuration_written_as_json_may_have_any_character() -> None:
    assert read(json.dumps({"contact": "😀 \\ud83d"})) == ({"contact": "😀 \\ud83d"}, [])


@pytest.mark.parametrize(
    "text", ["0123", "12:30", "on", "off", "yes", "NO", "1e3", "0x1F", "+5", "1_000", "2027-10-31", ".5", "1.0"]
)
def test_what_only_looks_like_a_number_stays_as_written(text: str) -> None:
    assert read(f"password: {text}")[0] == {"password": text}


@pytest.mark.parametrize(
    ("text", "value"), [("5", 5), ("-5", -5), ("0", 0), ("true", True), ("false", False), ("~", None), ("", None)]
)
def test_whole_numbers_switches_and_nothing_are_told_apart(text: str, value: object) -> None:
    root, _ = read(f"key: {text}")
    assert root == {"key": value}
    assert isinstance(root, dict)
    assert type(root["key"]) is type(value)


@pytest.mark.parametrize("text", ['"5"', "'true'", '""', "!!str 5", "! 5"])
def test_what_is_quoted_is_text(text: str) -> None:
    root, problems = read(f"key: {text}")
    assert isinstance(root, dict)
    assert isinstance(root["key"], str)
    assert problems == []


def test_places_count_from_one_and_in_characters() -> None:
    root, _ = read("è: {ü: 1, b: [x, {c: 2}]}\nd:\n  - 3\n")
    assert mark_of(root, ["è", "ü"]) == (1, 8)
    assert mark_of(root, ["è", "b", 0]) == (1, 15)
    assert mark_of(root, ["è", "b", 1, "c"]) == (1, 22)
    assert mark_of(root, ["d", 0]) == (3, 5)
    assert key_mark_of(root, ["è", "b"]) == (1, 11)


def test_what_is_missing_stands_where_it_should_be_held() -> None:
    root, _ = read("a:\n  b: {c: 1}\n")
    assert mark_of(root, ["a", "b", "x"]) == (2, 3)
    assert mark_of(root, ["x"]) is None
    assert key_mark_of(root, ["x"]) is None


def test_an_anchor_stands_for_its_value() -> None:
    assert read("a: &x [1, 2]\nb: *x\n") == ({"a": [1, 2], "b": [1, 2]}, [])


def test_aliases_of_aliases_cost_nothing() -> None:
    lines = ["a0: &a0 [x, x]"] + [f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}, *a{n - 1}]" for n in range(1, 60)]
    root, problems = read("\n".join(lines))
    assert isinstance(root, dict)
    assert len(root) == 60
    assert problems == []
    part = read_part("f", "\n".join([*lines, "accounts: *a59"]).encode())
    assert any("expected keys and values" in problem.text for problem in part.problems)


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? "])
def test_brackets_without_end_are_a_problem_and_not_a_crash(opening: str) -> None:
    _, problems = read(opening * 100_000)
    assert len(problems) == 1
    assert f"nested more than {MAX_DEPTH} deep" in problems[0] or "a key must be" in problems[0]


def test_a_file_that_is_no_configuration_by_its_size_is_not_read() -> None:
    assert read(b"#" * (MAX_BYTES + 1)) == (None, ["f:1:1: error: longer than 64 MB"])


def test_a_byte_order_mark_is_no_character_of_the_first_key() -> None:
    assert read(b"\xef\xbb\xbfa: 1\n") == ({"a": 1}, [])
