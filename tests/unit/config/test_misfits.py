"""Whatever value stands at whatever key, the relay says in its own words what belongs there, at that place."""

from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from relay.config.loading import load_service
from relay.config.part import read_part
from relay.config.schema import relay_schema, routing_schema

ODD: list[Any] = [
    None,
    True,
    5,
    -1,
    "x y",
    "",
    [],
    {},
    [[]],
    [None],
    [5],
    ["x"],
    {"a": 1},
    [{"a": 1}],
    "x" * 2000,
    "a\nb",
]


def places(schema: dict[str, Any], node: dict[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The path of every key of a schema; a list is entered by its first item, a name that is free is `a@b.it`."""
    if "anyOf" in node:
        node = node["anyOf"][0]
    if "$ref" in node:
        node = schema["$defs"][node["$ref"].rsplit("/", 1)[1]]
    if isinstance(node.get("items"), dict):
        yield from places(schema, node["items"], (*path, "[0]"))
    if isinstance(node.get("additionalProperties"), dict):
        name = "personal" if path == ("plans",) else "lab" if path == ("providers",) else "a@b.it"
        yield (*path, name)
        yield from places(schema, node["additionalProperties"], (*path, name))
    for key, inner in node.get("properties", {}).items():
        yield (*path, key)
        yield from places(schema, inner, (*path, key))


def document(path: tuple[str, ...], value: Any) -> bytes:
    for step in reversed(path):
        value = [value] if step == "[0]" else {step: value}
    return yaml.safe_dump(value).encode()


RELAY, ROUTING = relay_schema(), routing_schema()


@pytest.mark.parametrize("path", list(places(ROUTING, ROUTING)), ids="/".join)
def test_an_odd_value_in_the_routing_is_named_in_our_words(path: tuple[str, ...]) -> None:
    for value in ODD:
        part = read_part("f", document(path, value))
        assert [problem.text for problem in part.problems if "nput" in problem.text or "alid" in problem.text] == []


@pytest.mark.parametrize("path", list(places(RELAY, RELAY)), ids="/".join)
def test_an_odd_value_in_the_service_is_named_in_our_words(path: tuple[str, ...], tmp_path: Any) -> None:
    file = tmp_path / "relay.yaml"
    for value in ODD:
        file.write_bytes(document(path, value))
        problems = load_service(file, {}).problems
        assert problems
        texts = [problem.text.replace(str(tmp_path), "") for problem in problems]  # whoever calls his folder `valid`
        assert [text for text in texts if "nput" in text or "alid" in text] == []


def test_the_same_slip_in_every_account_is_named_in_each_without_delay() -> None:
    accounts = "".join(f"  a{number}@d.test: {{pasword: x, provider: aruba}}\n" for number in range(2000))
    part = read_part("f", b"accounts:\n" + accounts.encode())
    assert {problem.text for problem in part.problems} == {"unknown key 'pasword'; did you mean 'password'?"}
    assert len(part.problems) == 2000


def test_a_file_that_may_not_be_looked_at_is_a_problem_and_no_crash(tmp_path: Any) -> None:
    listener = 'submission: {listen: [{address: "127.0.0.1:1", tls: none}], tls: {certificate: %s, key: %s}}\n'
    file = tmp_path / "relay.yaml"
    for name in ("x" * 300, "relay.yaml/inside", '"a\\0b"', "."):
        file.write_text(listener % (name, name) + f"routing: {name}\ndata_dir: {name}\nkeys_dir: {name}\n")
        assert load_service(file, {}).problems
