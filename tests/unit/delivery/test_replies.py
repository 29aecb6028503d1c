"""Replies out of bytes: whole ones only, bounded, and nothing else is ever taken for one."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.delivery.replies import LINE_BYTES, REPLY_BYTES, ReplyReader

STREAM = b"220 mail.test ready\r\n250-mail.test\r\n250-PIPELINING\r\n250 SIZE 100\r\n354\r\n550 5.1.1 no such user\n"
REPLIES = [
    (220, "mail.test ready"),
    (250, "mail.test\nPIPELINING\nSIZE 100"),
    (354, ""),
    (550, "5.1.1 no such user"),
]


def taken(data: bytes) -> tuple[list[tuple[int, str]], bool]:
    """The replies in it, and whether there was anything else."""
    reader = ReplyReader()
    return [(reply.code, reply.message) for reply in reader.feed(data)], reader.is_nonsense


@given(st.lists(st.integers(min_value=0, max_value=len(STREAM)), max_size=12))
def test_replies_are_the_same_however_the_network_cuts_them(cuts: list[int]) -> None:
    reader = ReplyReader()
    edges = [0, *sorted(cuts), len(STREAM)]
    found = [reply for start, end in pairwise(edges) for reply in reader.feed(STREAM[start:end])]
    assert [tuple(reply) for reply in found] == REPLIES
    assert not reader.is_inside_reply


def test_a_reply_that_has_begun_is_known_to_be_unfinished() -> None:
    reader = ReplyReader()
    assert reader.feed(b"25") == []
    assert reader.is_inside_reply
    assert reader.feed(b"0-a\r\n") == []
    assert reader.is_inside_reply
    assert [tuple(reply) for reply in reader.feed(b"250 b\r\n")] == [(250, "a\nb")]
    assert not reader.is_inside_reply


@pytest.mark.parametrize(
    "lines", [b"450-first\r\n550 last\r\n", b"550-5.1.1 a\r\n250 ok\r\n", b"250-a\r\n250-b\r\n550 c\r\n"]
)
def test_lines_with_different_codes_are_no_reply(lines: bytes) -> None:
    reader = ReplyReader()
    assert reader.feed(lines) == []
    assert reader.is_nonsense


@pytest.mark.parametrize(
    "line",
    [
        b"hello\r\n",
        b"\r\n",
        b"25\r\n",
        b"2500 ok\r\n",
        b"150 odd\r\n",
        b"650 odd\r\n",
        b"25x ok\r\n",
        b"250\xffok\r\n",
        b"250-ok\r\nok\r\n",
        "２５０ ok\r\n".encode(),
    ],
)
def test_what_is_no_reply_is_never_taken_for_one(line: bytes) -> None:
    assert taken(line) == ([], True)


@pytest.mark.parametrize("ending", [b"", b"\r\n"])
def test_a_line_without_end_is_not_kept(ending: bytes) -> None:
    assert taken(b"250 " + b"x" * LINE_BYTES + ending) == ([], True)


def test_an_endless_line_is_given_up_however_slowly_it_comes() -> None:
    reader = ReplyReader()
    for _ in range(LINE_BYTES):
        assert reader.feed(b"2") == []
    assert not reader.is_nonsense
    assert reader.feed(b"2") == []
    assert reader.is_nonsense


def test_a_reply_of_endless_lines_is_given_up() -> None:
    reader = ReplyReader()
    line = b"220-" + b"x" * 1000 + b"\r\n"
    for _ in range(REPLY_BYTES // len(line)):
        assert reader.feed(line) == []
    assert not reader.is_nonsense
    assert reader.feed(line) == []
    assert reader.is_nonsense


def test_the_bound_is_for_one_reply_not_for_all_of_them() -> None:
    reader = ReplyReader()
    line = b"250 " + b"x" * 1000 + b"\r\n"
    for _ in range(2 * REPLY_BYTES // len(line)):
        assert len(reader.feed(line)) == 1


@given(st.binary(max_size=200))
def test_any_bytes_give_replies_or_nonsense_and_nothing_worse(data: bytes) -> None:
    assert all(200 <= code < 600 for code, _ in taken(data)[0])


def test_a_reply_before_the_nonsense_still_counts() -> None:
    assert taken(b"250 taken\r\nrubbish\r\n250 never read\r\n") == ([(250, "taken")], True)


def test_after_nonsense_nothing_is_read() -> None:
    reader = ReplyReader()
    reader.feed(b"rubbish\r\n")
    assert reader.feed(b"250 ok\r\n") == []
    assert not reader.is_inside_reply
