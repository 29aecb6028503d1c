"""Exactly what the interface names is put into a message or taken out of it."""

from relay.core.completion import Completed, Stamp, completed
from relay.core.headers import Change, TopHeader, read_header

STAMP = Stamp("relay.example.it", "ESMTPA", "m-1", 1_793_613_600.0)
RECEIVED = b"Received: by relay.example.it with ESMTPA id m-1;\r\n\tMon, 02 Nov 2026 10:00:00 +0000\r\n"
WHOLE = b"From: a@d.test\r\nDate: Sun, 01 Nov 2026 10:00:00 +0100\r\nMessage-ID: <1@d.test>\r\n"
BODY = b"\r\nBcc: in the body\r\n\xff\xfe \t.\r\n"


def done(content: bytes, changes: tuple[Change, ...] = ()) -> Completed:
    header = read_header(content)
    assert isinstance(header, TopHeader)
    return completed(header, STAMP, sender="m.rossi@d.test", changes=changes)


def test_a_whole_message_gets_received_and_nothing_else() -> None:
    assert done(WHOLE + BODY) == Completed(RECEIVED + WHOLE + BODY, "<1@d.test>")


def test_received_stands_on_top_even_of_other_received() -> None:
    assert done(b"Received: from x\r\n" + WHOLE + BODY).content == RECEIVED + b"Received: from x\r\n" + WHOLE + BODY


def test_what_is_missing_is_added() -> None:
    found = done(b"Subject: x\r\n" + BODY)
    assert found.message_id == "<m-1@relay.example.it>"
    assert found.content == (
        RECEIVED + b"Message-ID: <m-1@relay.example.it>\r\nFrom: m.rossi@d.test\r\n"
        b"Date: Mon, 02 Nov 2026 10:00:00 +0000\r\nSubject: x\r\n" + BODY
    )


def test_an_empty_message_becomes_a_whole_one() -> None:
    header = read_header(done(b"").content)
    assert isinstance(header, TopHeader)
    assert {found.name for found in header.fields} == {b"received", b"message-id", b"from", b"date"}


def test_a_date_that_cannot_be_read_is_replaced_in_its_place() -> None:
    content = WHOLE.replace(b"Sun, 01 Nov 2026 10:00:00 +0100", b"01/11/2026\r\n 10:00") + BODY
    expected = WHOLE.replace(b"Sun, 01 Nov 2026 10:00:00 +0100", b"Mon, 02 Nov 2026 10:00:00 +0000") + BODY
    assert done(content).content == RECEIVED + expected


def test_a_signed_message_keeps_its_date() -> None:
    content = b"DKIM-Signature: v=1\r\n" + WHOLE.replace(b"Sun, 01 Nov 2026", b"01/11/2026") + BODY
    assert done(content).content == RECEIVED + content


def test_what_betrays_a_recipient_or_speaks_to_the_relay_is_removed() -> None:
    removed = (
        b"bcc: p@x.test,\r\n\tq@x.test\r\n", b"Resent-Bcc: p@x.test\r\n", b"Return-Path: <a@d.test>\r\n",
        b"X-Relay-Priority: high\r\n", b"X-RELAY-Anything : y\r\n",
    )  # fmt: skip
    assert done(removed[0] + removed[1] + WHOLE + b"".join(removed[2:]) + BODY).content == RECEIVED + WHOLE + BODY


def test_an_old_address_is_rewritten_with_the_rest() -> None:
    changes = (Change(5, 14, b" n@d.test"),)
    assert done(WHOLE + BODY, changes).content == RECEIVED + WHOLE.replace(b" a@d.test", b" n@d.test", 1) + BODY


SEALS = (
    b"DKIM-Signature: v=1; h=from:to;\r\n\tb=aa\r\n"
    b"ARC-Seal: i=1\r\nARC-Message-Signature: i=1\r\nARC-Authentication-Results: i=1\r\n"
)


def test_signatures_over_an_address_that_was_rewritten_are_taken_out() -> None:
    """A broken one is worse than none."""
    at = len(SEALS) + 5
    found = done(SEALS + WHOLE + BODY, (Change(at, at + 9, b" n@d.test"),))
    assert found.content == RECEIVED + WHOLE.replace(b" a@d.test", b" n@d.test", 1) + BODY


def test_signatures_over_what_stays_the_same_stay() -> None:
    assert done(SEALS + WHOLE + BODY).content == RECEIVED + SEALS + WHOLE + BODY


def test_nothing_of_the_message_shows_in_a_text() -> None:
    assert "d.test" not in repr(done(WHOLE + BODY))
