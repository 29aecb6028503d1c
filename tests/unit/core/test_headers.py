"""Only the top header is read, and what no change names keeps every byte."""

import pytest

from relay.core.headers import (
    HEADER_MOST,
    RECEIVED_MOST,
    Change,
    TopHeader,
    date_text,
    is_date,
    is_removed,
    read_header,
    rewritten,
)
from relay.core.refusal import Reason


def header_of(content: bytes) -> TopHeader:
    header = read_header(content)
    assert isinstance(header, TopHeader)
    return header


class TestReading:
    def test_finds_the_fields_that_concern_the_relay(self) -> None:
        header = header_of(b"From: a@b\r\nTo: p@x\r\nSUBJECT: x\r\ndate: d\r\n\r\nSender: not me\r\n")
        assert [found.name for found in header.fields] == [b"from", b"date"]
        assert header.first(b"from") == "a@b"
        assert header.content[header.end :] == b"\r\nSender: not me\r\n"
        assert header.has_separator

    def test_unfolds_a_value(self) -> None:
        header = header_of(b"Subject: x\r\nFrom: Dr.\r\n Mario\r\n\tRossi\r\n  <a@b>  \r\nDate: d\r\n\r\n")
        assert header.first(b"from") == "Dr. Mario\tRossi  <a@b>"
        assert header.first(b"date") == "d"
        assert header.first(b"sender") is None

    def test_reads_white_space_before_the_colon_as_old_mail_has_it(self) -> None:
        assert header_of(b"From \t: a@b\r\n\r\n").first(b"from") == "a@b"

    def test_counts_a_field_twice_if_it_is_there_twice(self) -> None:
        header = header_of(b"From: a@b\r\nfrom: c@d\r\n\r\n")
        assert [header.value(found) for found in header.named(b"from")] == ["a@b", "c@d"]

    def test_shows_octets_that_are_not_utf8_as_unreadable(self) -> None:
        assert header_of(b"From: Andr\xe9 <a@b>\r\n\r\n").first(b"from") == "Andr\ufffd <a@b>"
        assert header_of("From: André <a@b>\r\n\r\n".encode()).first(b"from") == "André <a@b>"

    @pytest.mark.parametrize("body", [b"hello\r\n", b"no colon: but a space\r\n", b" folded\r\n", b"From me 10:00\r\n"])
    def test_ends_at_what_is_no_field(self, body: bytes) -> None:
        header = header_of(b"Subject: x\r\n" + body if not body.startswith(b" ") else body)
        assert header.first(b"from") is None
        assert not header.has_separator
        assert header.content[header.end :] == body

    @pytest.mark.parametrize("content", [b"", b"From: a@b\r\n", b"\r\n", b"\r\nFrom: a@b\r\n"])
    def test_needs_no_body_and_no_field(self, content: bytes) -> None:
        assert header_of(content).has_separator

    def test_looks_at_no_field_of_the_body(self) -> None:
        assert header_of(b"\r\nFrom: a@b\r\n").first(b"from") is None

    def test_refuses_a_header_that_is_too_long(self) -> None:
        line = b"X-Filler: " + b"x" * 988 + b"\r\n"
        fits = line * (HEADER_MOST // len(line))
        rest = HEADER_MOST - len(fits)
        assert isinstance(read_header(fits + b"Y: " + b"y" * (rest - 5) + b"\r\n\r\nbody\r\n"), TopHeader)
        assert read_header(fits + b"Y: " + b"y" * (rest - 4) + b"\r\n\r\nbody\r\n") is Reason.HEADER_TOO_LONG

    def test_refuses_a_mail_that_runs_in_a_circle(self) -> None:
        assert isinstance(read_header(b"Received: x\r\n" * RECEIVED_MOST + b"\r\n"), TopHeader)
        assert read_header(b"received : x\r\n" * (RECEIVED_MOST + 1) + b"\r\n") is Reason.LOOP

    def test_knows_a_signed_message(self) -> None:
        assert header_of(b"DKIM-Signature: v=1\r\n\r\n").is_signed
        assert header_of(b"ARC-Message-Signature: i=1\r\n\r\n").is_signed
        assert not header_of(b"Subject: DKIM-Signature: v=1\r\n\r\n").is_signed

    @pytest.mark.parametrize(("value", "wanted"), [("high", True), (" HIGH ", True), ("normal", False), ("", False)])
    def test_hears_the_wish_for_the_express_lane(self, value: str, wanted: bool) -> None:
        assert header_of(f"X-Relay-Priority:{value}\r\n\r\n".encode()).wants_express is wanted

    def test_shows_nothing_of_the_message(self) -> None:
        assert "rossi" not in repr(header_of(b"From: rossi@x\r\n\r\n"))


@pytest.mark.parametrize("name", [b"bcc", b"resent-bcc", b"return-path", b"x-relay-priority", b"x-relay-"])
def test_what_betrays_or_speaks_to_the_relay_stays_behind(name: bytes) -> None:
    assert is_removed(name)


@pytest.mark.parametrize("name", [b"to", b"cc", b"x-relayed", b"x-bcc", b"subject", b"resent-to"])
def test_everything_else_travels_on(name: bytes) -> None:
    assert not is_removed(name)


class TestRewriting:
    def test_without_changes_only_puts_lines_on_top(self) -> None:
        content = b"From: a@b\r\n\r\nbody \xe9\r\n"
        assert rewritten(header_of(content), b"Received: x\r\n", []) == b"Received: x\r\n" + content

    def test_makes_changes_in_any_order(self) -> None:
        header = header_of(b"From: a@b\r\nDate: bad\r\nBcc: p@x,\r\n q@x\r\nTo: c\r\n\r\nBcc: stays\r\n")
        bcc, date, sender = header.named(b"bcc")[0], header.named(b"date")[0], header.named(b"from")[0]
        changes = [
            Change(bcc.start, bcc.end, b""),
            Change(sender.value, sender.end, b" n@b\r\n"),
            Change(date.value, date.end, b" good\r\n"),
        ]
        assert rewritten(header, b"", changes) == b"From: n@b\r\nDate: good\r\nTo: c\r\n\r\nBcc: stays\r\n"

    def test_tells_a_body_without_separator_from_the_header(self) -> None:
        assert rewritten(header_of(b"hello\r\n"), b"Date: d\r\n", []) == b"Date: d\r\n\r\nhello\r\n"
        header = header_of(b"Bcc: p@x\r\nhello\r\n")
        assert rewritten(header, b"Date: d\r\n", [Change(0, 10, b"")]) == b"Date: d\r\n\r\nhello\r\n"


class TestDates:
    @pytest.mark.parametrize(
        "text",
        [
            "Mon, 02 Nov 2026 10:00:00 +0100",
            "2 Nov 2026 10:00 +0100",
            "Mon, 30 Nov 2026 10:00:00 GMT",
            "Mon, 2 Nov 2026 10:00:00 -0000",
            "Mon, 2 Nov 2026 10:00:00 +0100 (CET)",
        ],
    )
    def test_that_can_be_read(self, text: str) -> None:
        assert is_date(text)

    @pytest.mark.parametrize(
        "text",
        ["", "yesterday", "02/11/2026 10:00:00", "2026-11-02T10:00:00Z", "Mon, 31 Feb 2026 10:00:00 +0100",
         "Mon, 02 Nov 2026 25:00:00 +0100", "Mon, 02 Nov 2026 10:00:00 +9900", "1 Jan 99999 00:00:00 +0000",
         "lunedì 2 novembre", "9" * 500, "Mon, 02 Nov 2026 99999999999999999999:00:00 +0100"],
    )  # fmt: skip
    def test_that_cannot(self, text: str) -> None:
        assert not is_date(text)

    def test_are_written_as_mail_wants_them(self) -> None:
        assert date_text(1_793_613_600.9) == "Mon, 02 Nov 2026 10:00:00 +0000"
        assert is_date(date_text(0.0))
