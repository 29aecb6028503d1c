"""Bytes become lines and messages whatever the packets, and only CR LF . CR LF ends a message."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.sandbox.inbound import MAX_LINE, Bad, Inbound

BODIES = st.lists(
    st.sampled_from([b"", b".", b"..", b".x", b"x.", b"hello", b"\r", b"\n.", b"\r\r", b"\n.\n"]), max_size=12
)


def stuff(lines: list[bytes]) -> bytes:
    """As a client sends it (RFC 5321 section 4.5.2)."""
    return b"".join((b"." if line.startswith(b".") else b"") + line + b"\r\n" for line in lines) + b".\r\n"


def lines_of(body: bytes) -> list[bytes]:
    return body.split(b"\r\n")


@given(lines=BODIES, cuts=st.lists(st.integers(1, 7), min_size=1, max_size=30))
def test_a_message_survives_stuffing_and_any_packets(lines: list[bytes], cuts: list[int]) -> None:
    body = b"".join(line + b"\r\n" for line in lines)
    wire = stuff(lines_of(body)[:-1]) + b"NOOP\r\n"
    inbound, message, at = Inbound(10_000), None, 0
    inbound.start_message()
    while at < len(wire):
        size = cuts[at % len(cuts)]
        inbound.feed(wire[at : at + size])
        at += size
        message = message if message is not None else inbound.take_message()
    assert message == body
    assert inbound.take_line() == b"NOOP"


@pytest.mark.parametrize("not_the_end", [b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r\n.\r", b"\r\n..\r\n"])
def test_nothing_else_ends_a_message(not_the_end: bytes) -> None:
    inbound = Inbound(10_000)
    inbound.start_message()
    inbound.feed(b"one" + not_the_end + b"two")
    assert inbound.take_message() is None


def test_an_empty_message_ends_at_once() -> None:
    inbound = Inbound(10)
    inbound.start_message()
    assert not inbound.has_message_bytes
    inbound.feed(b".\r\n")
    assert inbound.take_message() == b""


def test_a_message_may_be_as_long_as_allowed_and_no_longer() -> None:
    for size, expected in ((100, b"x" * 98 + b"\r\n"), (101, Bad.TOO_BIG)):
        inbound = Inbound(100)
        inbound.start_message()
        inbound.feed(b"x" * (size - 2) + b"\r\n.\r\n")
        assert inbound.take_message() == expected


def test_a_message_without_end_takes_no_memory_and_is_refused_at_its_end() -> None:
    inbound = Inbound(1_000)
    inbound.start_message()
    for _ in range(1_000):
        inbound.feed(b"x" * 1_000)
        assert inbound.take_message() is None
        assert len(inbound._buffer) <= 2_010
    inbound.feed(b"\r\n.\r\nNOOP\r\n")
    assert inbound.take_message() is Bad.TOO_BIG
    assert inbound.take_line() == b"NOOP"


def test_a_line_without_end_takes_no_memory() -> None:
    inbound = Inbound(1_000)
    for _ in range(100):
        inbound.feed(b"x" * 10_000)
        assert inbound.take_line() is None
        assert len(inbound._buffer) <= MAX_LINE
    inbound.feed(b"\r\nNOOP\r\n")
    assert inbound.take_line() is Bad.TOO_LONG
    assert inbound.take_line() == b"NOOP"


def test_a_line_that_ends_with_lf_alone_is_told_apart() -> None:
    inbound = Inbound(1_000)
    inbound.feed(b"one\r\ntwo\nthree\r\n")
    assert [inbound.take_line() for _ in range(4)] == [b"one", Bad.BARE_LF, b"three", None]
