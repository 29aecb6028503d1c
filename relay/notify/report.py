"""From an entry of the outbox to the report that goes into the queue.

Law: a report leaves through the account of the mail that failed; while that is stopped, or where it refused it, it
leaves through the notices' account, and is then discreet; while both are it waits. The same entry always gives the same
message id, so that twice is harmless.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, tzinfo
from types import MappingProxyType

from relay.core.dsn import Delay, Letterhead, Tale, compose
from relay.core.envelope import Envelope, Kind, NewMessage, Recipient
from relay.core.failuretext import Action, Language
from relay.core.limits import HOUR, MINUTE
from relay.core.routing import Account, Routing
from relay.core.standstill import Barrier
from relay.core.words import MessageId
from relay.store.ports import OutboxEntry, OutboxKind
from relay.store.ports.outbox import Delay as EntryDelay

REPORTER = "relay"
"""The client of a report, where others have the name of their login."""

ACTIONS = MappingProxyType(
    {
        OutboxKind.BOUNCE: Action.FAILED,
        OutboxKind.DELAYED: Action.DELAYED,
        OutboxKind.RELAYED: Action.RELAYED,
    }
)
"""What a report says, by what is owed."""

LEAST_LIFETIME: int = MINUTE
"""A notice of delay lives as long as what it is about, which may be almost over."""

SOON: int = 5 * MINUTE
"""What leaves within this time is not worth a notice that it is late."""

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
    contact: str = ""
    """Where support is to be had; empty: nobody said."""
    patience: int = 7 * 24 * HOUR
    """A report that no account can send is given up after this time, microseconds: as long as mail is held."""


def report_id(entry: OutboxEntry) -> MessageId:
    """Of the message, the delivery and what is told, because an outbox may use the number of an entry again; and of the
    entry, because a bounce that was taken back may come again.
    """
    if entry.kind is not OutboxKind.BOUNCE:
        return f"{entry.message}{_MARK}{entry.kind}-{entry.delivery}"
    again = "" if entry.refused_by is None else "-again"
    return f"{entry.message}{_MARK}{entry.delivery}-{entry.id}{again}"


def is_report(message: MessageId) -> bool:
    """Whether this message is one of ours, which is never reported on."""
    return _MARK in message


def ways(entry: OutboxEntry, routing: Routing, settings: ReportSettings) -> list[Account]:
    """The accounts that a report may take, the best first: its own, and that of the notices.

    Of what a limit keeps back a notice takes the notices' first: through its own it would take the slot of a mail. None
    goes again through the mailbox that refused the first.
    """
    own = routing.accounts.get(entry.account)
    other = routing.account_of(settings.notices_from) if settings.notices_from else None
    if other is own:
        other = None
    is_costly = entry.kind is OutboxKind.DELAYED and entry.reason == Barrier.LIMIT
    both = (other, own) if is_costly else (own, other)
    return [each for each in both if each is not None and each.mailbox != entry.refused_by]


def is_leaving(entry: OutboxEntry) -> bool:
    """Whether a late mail is being sent or leaves within minutes, so that a notice would arrive after it."""
    delay = entry.delay
    if delay is None or delay.needs is not None or entry.reason not in set(Barrier):
        return False
    return delay.eta is None or delay.eta <= entry.now + SOON


def write_report(
    entry: OutboxEntry, through: Account, settings: ReportSettings, *, randomness: Callable[[int], bytes]
) -> NewMessage:
    """The message to put."""
    ident = report_id(entry)
    tale = Tale(
        action=ACTIONS[entry.kind],
        message=entry.message,
        envelope=entry.envelope,
        reason=entry.reason,
        reply=entry.reply,
        accepted_at=_moment(entry.accepted_at, settings.zone),
        at=_moment(entry.at, settings.zone),
        since=None if entry.since is None else _moment(entry.since, settings.zone),
        deadline=None if entry.deadline is None else _moment(entry.deadline, settings.zone),
        delay=None if entry.delay is None else _delay(entry.delay, settings.zone),
        headers=entry.headers,
    )
    head = Letterhead(
        sender=through.sender,
        hostname=settings.hostname,
        language=settings.language,
        id=ident,
        boundary=randomness(16).hex(),
        date=_moment(entry.now, settings.zone),
        is_discreet=through.sender != entry.account,
        contact=settings.contact,
    )
    content = compose(tale, head)
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
        answers=entry.id,
        lifetime=None if entry.delay is None else max(LEAST_LIFETIME, entry.delay.until - entry.now),
    )


def _delay(delay: EntryDelay, zone: tzinfo) -> Delay:
    eta = None if delay.eta is None else _moment(delay.eta, zone)
    return Delay(_moment(delay.until, zone), eta, delay.others, needs=delay.needs)


def _envelope(sender: str, to: str, content: bytes) -> Envelope:
    """NOTIFY=NEVER, because nobody may answer a report with a report (RFC 3461, 5.1)."""
    is_wide = not (sender + to).isascii()
    recipient = Recipient(to, notify=("NEVER",))
    return Envelope(sender, (recipient,), needs_smtputf8=is_wide, is_8bit=not content.isascii())


def _moment(wall: int, zone: tzinfo) -> datetime:
    return datetime.fromtimestamp(wall / 1_000_000, zone).replace(microsecond=0)
