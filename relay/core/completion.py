"""What the relay puts into a message and takes out of it before it is stored.

Law: the list is closed: Received on top, a missing Date, Message-ID or From, an unparseable Date of an unsigned
message, an old address of the account, and out with Bcc, Resent-Bcc, Return-Path and X-Relay-*; and with the signatures
over an address that is another one now: a broken one is worse than none. Nothing else.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from relay.core.headers import Change, TopHeader, date_text, is_date, is_removed, is_seal, rewritten
from relay.core.words import MessageId


@dataclass(frozen=True, slots=True)
class Stamp:
    """What the relay writes of itself: never the client's address or name."""

    hostname: str
    protocol: str
    """The transmission type of RFC 3848: ESMTP, ESMTPA (after a login), ESMTPS and ESMTPSA (under TLS)."""
    id: MessageId
    wall: float
    """Seconds since 1970 UTC."""


@dataclass(frozen=True, slots=True)
class Completed:
    """A message ready to send, and the Message-ID by which its sender knows it."""

    content: bytes = field(repr=False)
    message_id: str = field(repr=False)


def completed(header: TopHeader, stamp: Stamp, *, sender: str, changes: Sequence[Change] = ()) -> Completed:
    """The message with all that is missing, and without what must not leave; `sender` fills a missing From, `changes`
    put an account's address in place of an old one.
    """
    now = date_text(stamp.wall)
    lines = [f"Received: by {stamp.hostname} with {stamp.protocol} id {stamp.id};\r\n\t{now}\r\n"]
    message_id = header.first(b"message-id")
    if message_id is None:
        message_id = f"<{stamp.id}@{stamp.hostname}>"
        lines.append(f"Message-ID: {message_id}\r\n")
    if not header.named(b"from"):
        lines.append(f"From: {sender}\r\n")
    dates = header.named(b"date")
    if not dates:
        lines.append(f"Date: {now}\r\n")
    gone = [each for each in header.fields if is_removed(each.name) or (changes and is_seal(each.name))]
    changes = [*changes, *(Change(each.start, each.end, b"") for each in gone)]
    if dates and not header.is_signed and not is_date(header.value(dates[0])):
        changes.append(Change(dates[0].value, dates[0].end, f" {now}\r\n".encode()))
    return Completed(rewritten(header, "".join(lines).encode(), changes), message_id)
