"""Lines come out whole, giant ones are thrown away and said, and a message ends where it ends."""

import pytest

from relay.core.refusal import Reason
from relay.submission.incoming import BLOCK, Incoming


def fed(*chunks: bytes) -> Incoming:
    incoming = Incoming()
    for chunk in chunks:
        incoming.feed(chunk)
    return incoming


class TestLines:
    def test_wait_for_their_end(self) -> None:
        incoming = fed(b"NO", b"OP\r")
        assert incoming.line(100) is None
        incoming.feed(b"\nQU")
        assert incoming.line(100) == b"NOOP"
        assert incoming.line(100) is None
        assert incoming.size == 2

    @pytest.mark.parametrize(
        ("said", "line"),
        [(b"a\r\n", b"a"), (b"a\n", b"a"), (b"\n", b""), (b"\r\n", b""), (b"a\r\r\n", b"a\r"), (b"a\rb\n", b"a\rb")],
    )
    def test_end_with_crlf_or_lf(self, said: bytes, line: bytes) -> None:
        assert fed(said).line(100) == line

    def test_come_one_by_one(self) -> None:
        incoming = fed(b"a\r\nb\r\n")
        assert [incoming.line(9), incoming.line(9), incoming.line(9)] == [b"a", b"b", None]

    def test_that_are_too_long_are_said_once_and_the_next_is_heard(self) -> None:
        incoming = fed(b"12345\r\n123456\r\nok\r\n")
        assert incoming.line(5) == b"12345"
        assert incoming.line(5) is Reason.COMMAND_TOO_LONG
        assert incoming.line(5) == b"ok"

    def test_without_an_end_fill_no_memory(self) -> None:
        incoming = Incoming()
        for _ in range(50):
            incoming.feed(b"x" * BLOCK)
            assert incoming.line(5) is None
            assert incoming.size <= BLOCK
        incoming.feed(b"\r\nok\r\n")
        assert incoming.line(5) is Reason.COMMAND_TOO_LONG
        assert incoming.line(5) == b"ok"

    def test_said_before_a_change_to_tls_are_forgotten(self) -> None:
        incoming = fed(b"x" * BLOCK * 2)
        incoming.line(5)
        incoming.feed(b"injected\r\n")
        incoming.clear()
        incoming.feed(b"ok\r\n")
        assert incoming.line(5) == b"ok"


class TestMessages:
    def test_are_handed_out_in_blocks_while_they_come(self) -> None:
        incoming, blocks = Incoming(), list[bytes]()
        incoming.begin_data()
        for _ in range(10):
            incoming.feed(b"x" * (BLOCK // 2))
            assert not incoming.data(blocks)
            assert incoming.size <= BLOCK
        incoming.feed(b"\r\n.\r\nNOOP\r\n")
        assert incoming.data(blocks)
        assert b"".join(blocks) == b"x" * 5 * BLOCK + b"\r\n"
        assert incoming.line(9) == b"NOOP"

    def test_may_follow_each_other(self) -> None:
        incoming, blocks = fed(b".\r\nDATA\r\n.\r\nDATA\r\na\r\n.\r\n"), list[bytes]()
        incoming.begin_data()
        assert incoming.data(blocks)
        assert incoming.line(9) == b"DATA"
        incoming.begin_data()
        assert incoming.data(blocks)
        assert blocks == []
        assert incoming.line(9) == b"DATA"
        incoming.begin_data()
        assert incoming.data(blocks)
        assert blocks == [b"a\r\n"]
