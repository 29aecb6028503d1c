"""A line ends with CRLF alone; what peers could read differently never passes."""

import pytest

from relay.core.content import LINE_MOST, Lines, read_lines, unstuffed
from relay.core.refusal import Reason
from relay.core.routing import BareNewline


class TestUnstuffing:
    @pytest.mark.parametrize(
        ("raw", "expected"),
        [
            (b"", b""),
            (b"a\r\n", b"a\r\n"),
            (b"..\r\n", b".\r\n"),
            (b".a\r\n", b"a\r\n"),
            (b"a\r\n..\r\nb\r\n", b"a\r\n.\r\nb\r\n"),
            (b"a\r\n..b\r\n", b"a\r\n.b\r\n"),
            (b"a\r\n...b\r\n", b"a\r\n..b\r\n"),
            (b"a.\r\n.b.c\r\n", b"a.\r\nb.c\r\n"),
            (b"a\n..b\r\n", b"a\n..b\r\n"),
        ],
    )
    def test_takes_one_dot_from_each_line_that_begins_with_one(self, raw: bytes, expected: bytes) -> None:
        assert unstuffed(raw) == expected


class TestLines:
    def test_that_are_right_stay_the_very_same_bytes(self) -> None:
        content = b"Subject: x\r\n\r\n\xe9\t.\r\n"
        lines = read_lines(content, BareNewline.REJECT)
        assert isinstance(lines, Lines)
        assert lines.content is content
        assert not lines.is_mended

    @pytest.mark.parametrize(
        ("content", "expected"),
        [
            (b"a\nb\r\n", b"a\r\nb\r\n"),
            (b"\n\n\r\n", b"\r\n\r\n\r\n"),
            (b"a\n..b\r\n", b"a\r\n.b\r\n"),
            (b"a\n.\nb\r\n", b"a\r\n.\r\nb\r\n"),
            (b"a\n.b\r\n", b"a\r\n.b\r\n"),
            (b"a\r\n..b\n\r\n", b"a\r\n..b\r\n\r\n"),
        ],
    )
    def test_that_end_with_lf_alone_are_mended(self, content: bytes, expected: bytes) -> None:
        assert read_lines(content, BareNewline.NORMALIZE) == Lines(expected, is_mended=True)

    def test_that_end_with_lf_alone_are_refused_where_the_client_wants_it(self) -> None:
        assert read_lines(b"a\nb\r\n", BareNewline.REJECT) is Reason.BARE_LF

    @pytest.mark.parametrize("content", [b"a\rb\r\n", b"a\r\r\n", b"\r", b"a\n\rb\r\n", b"\r\n.\r"])
    @pytest.mark.parametrize("rule", BareNewline)
    def test_with_a_cr_alone_are_refused(self, content: bytes, rule: BareNewline) -> None:
        assert read_lines(content, rule) is Reason.BARE_CR

    def test_with_a_nul_are_refused(self) -> None:
        assert read_lines(b"a\0b\r\n", BareNewline.NORMALIZE) is Reason.NUL

    @pytest.mark.parametrize("before", [b"", b"a\r\n", b"x" * LINE_MOST + b"\r\n", b"ab\r\n" * 40_000])
    @pytest.mark.parametrize("after", [b"", b"b\r\n" * 3, b"b\r\n" * 50_000])
    def test_may_be_long_but_not_longer(self, before: bytes, after: bytes) -> None:
        longest = b"x" * LINE_MOST + b"\r\n"
        assert isinstance(read_lines(before + longest + after, BareNewline.REJECT), Lines)
        assert read_lines(before + b"x" + longest + after, BareNewline.REJECT) is Reason.LINE_TOO_LONG

    def test_that_are_mended_are_measured_after_it(self) -> None:
        assert isinstance(read_lines((b"x" * LINE_MOST + b"\n") * 3 + b"\r\n", BareNewline.NORMALIZE), Lines)

    def test_their_content_shows_in_no_text(self) -> None:
        assert "paziente" not in repr(read_lines(b"paziente\r\n", BareNewline.REJECT))
