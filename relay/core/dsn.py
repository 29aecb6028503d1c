"""Reports on deliveries (RFC 3464): failed, late or relayed; with the headers of the mail, never with its body.

Law: whatever a client or a peer wrote, each value stays inside its own field and each part inside its own boundary;
a discreet report, which goes through somebody else's mailbox, names neither the patient nor anything that he was sent.
The result is in wire form (CRLF), 7 bit unless an address of the letterhead is not ASCII.
"""

import re
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime

from relay.core.cause import EXPIRED
from relay.core.causes import cause_of
from relay.core.encoding import as_ascii, cleaned, free_boundary, header_field, phrase, quoted, unxtext
from relay.core.envelope import Envelope, Recipient
from relay.core.failuretext import WORDINGS, Action, Language
from relay.core.instants import spoken
from relay.core.remedy import Needs, needs_of
from relay.core.reply import Reply
from relay.core.words import MessageId

HEADERS: int = 65_536
"""Of the returned headers at most this much, in octets; a reader needs the first screen."""

RELAYED_STATUS = "2.1.9"
"""The message was relayed to a system that confirms nothing (RFC 3463, 3.2)."""

UNNAMED = "expired"
"""The reason of what waited for nothing that has a name: it says all by itself."""

MAY_HAVE_ARRIVED = frozenset({"in-doubt"})
"""Reasons of which nobody can say that the mail was not sent."""

WITHHELD = "rfc822; withheld@recipient.invalid"

_MESSAGE_ID = re.compile(rb"^message-id:\s*(<[!-;=?-~]{3,250}>)\s*$", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Tale:
    """What a report tells of one delivery; instants are aware."""

    action: Action
    message: MessageId
    envelope: Envelope
    """With the one recipient concerned."""
    reason: str
    """The reply class, or what else holds it up."""
    reply: Reply | None
    accepted_at: datetime
    at: datetime
    """When it became so."""
    since: datetime | None = None
    """Its lifetime ended, and since then `reason` had held it; None: it was refused."""
    deadline: datetime | None = None
    """Its lifetime ended at the day that its sender had named."""
    delay: "Delay | None" = None
    headers: bytes = field(repr=False, default=b"")


@dataclass(frozen=True, slots=True)
class Delay:
    """What the sender of a late mail wants to know."""

    until: datetime
    """It is tried until then."""
    eta: datetime | None
    others: int
    """How many other mails of his wait."""
    needs: Needs | None
    """Who has to act before it moves; None: nobody."""


@dataclass(frozen=True, slots=True)
class Letterhead:
    """Who reports, how and when; `id` is the report's own, `boundary` is chance."""

    sender: str
    hostname: str
    language: Language
    id: MessageId
    boundary: str
    date: datetime
    is_discreet: bool = False
    """It goes through a mailbox that is not the sender's own."""
    contact: str = ""
    """How support is reached; empty: nobody said."""


_WANTED = {Action.FAILED: "FAILURE", Action.DELAYED: "DELAY", Action.RELAYED: "SUCCESS"}


def is_wanted(envelope: Envelope, action: Action) -> bool:
    """Whether its sender is to be told (RFC 3461, 4.1): of success only if he asks, of nothing if he says NEVER.

    Nobody stands behind an empty sender.
    """
    notify = [word.upper() for word in envelope.recipients[0].notify]
    if not envelope.sender:
        return False
    return _WANTED[action] in notify if notify else action is not Action.RELAYED


def compose(tale: Tale, head: Letterhead) -> bytes:
    """The report to the sender of the message, ready to send."""
    parts = [_human_part(tale, head), _status_part(tale, head)]
    if tale.headers and not head.is_discreet:
        parts.append(_headers_part(tale.headers))
    boundary = free_boundary(head.boundary, parts)
    lines = [_top(tale, head, boundary)]
    lines += [b"--%s\r\n%s\r\n" % (boundary, part) for part in parts]
    return b"".join(lines) + b"--%s--\r\n" % boundary


def _top(tale: Tale, head: Letterhead, boundary: bytes) -> bytes:
    wording = WORDINGS[head.language]
    fields = [
        header_field("From", f"{phrase(wording.sender_name)} <{cleaned(head.sender)}>"),
        header_field("To", f"<{cleaned(tale.envelope.sender)}>"),
        header_field("Subject", phrase(wording.openings[tale.action].subject)),
        header_field("Date", format_datetime(head.date)),
        header_field("Message-ID", f"<{as_ascii(head.id)}@{as_ascii(head.hostname)}>"),
        header_field("Auto-Submitted", "auto-replied"),
    ]
    original = None if head.is_discreet else _MESSAGE_ID.search(_top_header(tale.headers))
    if original is not None:
        fields += [header_field("In-Reply-To", original[1].decode()), header_field("References", original[1].decode())]
    fields += [
        header_field("MIME-Version", "1.0"),
        b'Content-Type: multipart/report; report-type=delivery-status;\r\n boundary="%s"\r\n' % boundary,
    ]
    return b"".join(fields) + b"\r\n"


def _human_part(tale: Tale, head: Letterhead) -> bytes:
    wording, opening = WORDINGS[head.language], WORDINGS[head.language].openings[tale.action]
    paragraphs = [
        opening.discreet if head.is_discreet else opening.named.format(recipient=_recipient(tale).address),
        *([wording.discretion] if head.is_discreet else []),
        *([] if tale.action is Action.RELAYED else _reasons(tale, head)),
        wording.number.format(message=tale.message, accepted=spoken(tale.accepted_at, head.language)),
    ]
    text = "".join("\r\n".join(map(cleaned, each.split("\n"))) + "\r\n\r\n" for each in paragraphs)
    return _part(b"text/plain; charset=utf-8", quoted(text.encode()), encoding=b"quoted-printable")


def _reasons(tale: Tale, head: Letterhead) -> list[str]:
    """Why, since when, until when, and what to do."""
    wording, cause = WORDINGS[head.language], cause_of(tale.reason)
    said = _code(tale.reply) if head.is_discreet else tale.reply
    lines = [wording.why.format(text=cause.why[head.language])]
    if tale.deadline is not None:
        lines.append(wording.deadline.format(deadline=spoken(tale.deadline, head.language)))
    if tale.since is not None and tale.reason != UNNAMED:
        lines.append(wording.expired.format(since=spoken(tale.since, head.language)))
    if tale.delay is None or said is not None:
        lines.append(wording.answer.format(text=said or wording.unanswered))
    if tale.delay is not None:
        return [*lines, *_prospects(tale, tale.delay, head)]
    if tale.since is not None and needs_of(tale.reason) is not None and tale.reason not in MAY_HAVE_ARRIVED:
        lines.append(wording.again)
    return [*lines, _advice(cause.advice[head.language], head)]


def _prospects(tale: Tale, delay: Delay, head: Letterhead) -> list[str]:
    """What is held moves when somebody has acted, and no sooner; anything else at its time."""
    wording = WORDINGS[head.language]
    next_try, ends = (wording.eta, wording.until) if delay.needs is None else (wording.next_try, wording.kept)
    lines = [] if delay.eta is None else [next_try.format(eta=spoken(delay.eta, head.language))]
    hears = [wording.hears] if is_wanted(tale.envelope, Action.FAILED) else []
    lines.append(" ".join([ends.format(until=spoken(delay.until, head.language)), *hears]))
    lines += [wording.others.format(others=delay.others)] if delay.others else []
    if delay.needs is Needs.OWNER:
        return [*lines, _advice(cause_of(tale.reason).advice[head.language], head)]
    return [*lines, _advice(wording.patience if delay.needs is None else wording.helper, head)]


def _advice(text: str, head: Letterhead) -> str:
    wording = WORDINGS[head.language]
    contact = wording.contact.format(contact=head.contact) if head.contact else ""
    return wording.advice.format(text=text.format(contact=contact))


def _status_part(tale: Tale, head: Letterhead) -> bytes:
    """RFC 3464, 2.2 and 2.3: fields of the message, then fields of its one recipient."""
    about_message = [header_field("Reporting-MTA", f"dns; {as_ascii(head.hostname)}")]
    if tale.envelope.envid and not head.is_discreet:
        about_message.append(header_field("Original-Envelope-Id", as_ascii(unxtext(tale.envelope.envid))))
    about_message.append(header_field("Arrival-Date", format_datetime(tale.accepted_at)))
    about_recipient = [
        *_recipient_fields(_recipient(tale), is_discreet=head.is_discreet),
        header_field("Action", tale.action),
        header_field("Status", _status(tale)),
    ]
    said = _code(tale.reply) if head.is_discreet else tale.reply
    if said is not None:
        about_recipient.append(header_field("Diagnostic-Code", f"smtp; {as_ascii(str(said))}"))
    if tale.delay is not None:
        about_recipient.append(header_field("Will-Retry-Until", format_datetime(tale.delay.until)))
    elif tale.since is None:
        about_recipient.append(header_field("Last-Attempt-Date", format_datetime(tale.at)))
    return _part(b"message/delivery-status", b"".join(about_message) + b"\r\n" + b"".join(about_recipient))


def _headers_part(headers: bytes) -> bytes:
    header = _top_header(headers)
    if header.isascii() and b"\0" not in header and max(map(len, header.split(b"\r\n"))) <= 998:
        return _part(b"text/rfc822-headers", header)
    return _part(b"text/rfc822-headers; charset=utf-8", quoted(header), encoding=b"quoted-printable")


def _part(kind: bytes, body: bytes, *, encoding: bytes = b"7bit") -> bytes:
    return b"Content-Type: %s\r\nContent-Transfer-Encoding: %s\r\n\r\n%s" % (kind, encoding, body)


def _recipient(tale: Tale) -> Recipient:
    return tale.envelope.recipients[0]


def _recipient_fields(recipient: Recipient, *, is_discreet: bool) -> list[bytes]:
    if is_discreet:
        return [header_field("Final-Recipient", WITHHELD)]
    final = header_field("Final-Recipient", _typed_address(recipient.address))
    if not recipient.orcpt:
        return [final]
    kind, _, address = recipient.orcpt.partition(";")
    return [header_field("Original-Recipient", f"{as_ascii(kind)}; {as_ascii(unxtext(address))}"), final]


def _typed_address(address: str) -> str:
    """RFC 3464, 2.3.2; an address that is not ASCII as RFC 6533, 3 writes it in 7 bit."""
    if address.isascii():
        return f"rfc822; {cleaned(address)}"
    return "utf-8; " + "".join(c if c.isascii() else f"\\x{{{ord(c):X}}}" for c in cleaned(address))


def _status(tale: Tale) -> str:
    """RFC 3463: what the provider said, unless it contradicts what became of it; else what the reason means."""
    if tale.action is Action.RELAYED:
        return RELAYED_STATUS
    if tale.since is not None:
        return EXPIRED
    first = "5" if tale.action is Action.FAILED else "4"
    if tale.reply is not None and tale.reply.enhanced and tale.reply.enhanced[0] == first:
        return tale.reply.enhanced
    status = cause_of(tale.reason).status
    return status if tale.action is Action.FAILED else f"4{status[1:]}"


def _code(reply: Reply | None) -> Reply | None:
    """A reply without its text, which may name somebody."""
    return None if reply is None else Reply(reply.code, reply.enhanced, "")


def _top_header(headers: bytes) -> bytes:
    """The top header alone, each line ended by CRLF, cut at a line's end."""
    lines = headers[:HEADERS].replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    if len(headers) > HEADERS:
        lines.pop()
    kept = lines[: lines.index(b"")] if b"" in lines else lines
    return b"".join(line + b"\r\n" for line in kept)
