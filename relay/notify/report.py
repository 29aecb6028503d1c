"""From an entry of the outbox to the report that goes into the queue.

Law: a report leaves through the account of the mail that failed; while that mailbox is stopped it leaves through the
notices' account, and is then discreet. The same entry always gives the same message id, so that twice is harmless.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, tzinfo

from relay.core.dsn import Failure, Letterhead, compose
from relay.core.envelope import Envelope, Kind, NewMessage, Recipient
from relay.core.failuretext import Language
from relay.core.routing import Account, Routing
from relay.core.words import MessageId
from relay.store.ports import OutboxEntry

REPORTER = "relay"
"""The client of a report, where others have the name of their login."""

_MARK = "-report-"


@dataclass(frozen=True, slots=True)
class ReportSettings:
    """What all reports have in common."""

    hostname: str
    language: Language
    zone: tzinfo
    """Times are written in it."""
    notices_from: str | None = None
    """The account that reports take while the own mailbox is stopped."""


def report_id(entry: OutboxEntry) -> MessageId:
    """Of the message and the delivery, because an outbox may use the number of an entry again."""
    return f"{entry.message}{_MARK}{entry.delivery}"


def is_report(message: MessageId) -> bool:
    """Whether this message is one of ours, which is never reported on."""
    return _MARK in message


def reporter(entry: OutboxEntry, routing: Routing, settings: ReportSettings) -> Account | None:
    """The account that a report takes; None: there is none any more."""
    own = routing.accounts.get(entry.account)
    if own is not None and not entry.is_mailbox_stopped:
        return own
    other = routing.account_of(settings.notices_from) if settings.notices_from else None
    return other or own


def write_report(
    entry: OutboxEntry, through: Account, settings: ReportSettings, *, randomness: Callable[[int], bytes]
) -> NewMessage:
    """The message to put."""
    ident = report_id(entry)
    failure = Failure(
        message=entry.message,
        envelope=entry.envelope,
        reason=entry.reason,
        reply=entry.reply,
        accepted_at=_moment(entry.accepted_at, settings.zone),
        failed_at=_moment(entry.at, settings.zone),
        headers=entry.headers,
    )
    head = Letterhead(
        sender=through.sender,
        hostname=settings.hostname,
        language=settings.language,
        id=ident,
        boundary=randomness(16).hex(),
        date=_moment(entry.at, settings.zone),
        is_discreet=through.sender != entry.account,
    )
    content = compose(failure, head)
    return NewMessage(
        id=ident,
        client=REPORTER,
        account=through.sender,
        envelope=_envelope(through.sender, entry.envelope.sender, content),
        content=content,
        header_message_id=f"<{ident}@{settings.hostname}>",
        submitted_hash=hashlib.sha256(content).digest(),
        wants_express=True,
        kind=Kind.REPORT,
    )


def _envelope(sender: str, to: str, content: bytes) -> Envelope:
    """NOTIFY=NEVER, because nobody may answer a report with a report (RFC 3461, 5.1)."""
    is_wide = not (sender + to).isascii()
    recipient = Recipient(to, notify=("NEVER",))
    return Envelope(sender, (recipient,), needs_smtputf8=is_wide, is_8bit=not content.isascii())


def _moment(wall: int, zone: tzinfo) -> datetime:
    return datetime.fromtimestamp(wall / 1_000_000, zone).replace(microsecond=0)
