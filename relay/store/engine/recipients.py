"""Recipients that get many mails a day, counted behind the mail, a little at each heartbeat.

Law: taking mail in costs nothing for it; a step is bounded; after a restart the two days are counted again.
"""

from collections.abc import Sequence
from datetime import date
from functools import partial

from relay.core.busiest import LISTED_FROM, Busy, Key
from relay.core.concerns import ConcernKind, Subject
from relay.core.envelope import Kind
from relay.core.limits import DAY
from relay.core.words import AccountId
from relay.errors import CorruptValue
from relay.store.engine.concerns import open_concern
from relay.store.engine.context import Context
from relay.store.engine.days import day_of, zone_of
from relay.store.engine.reader import Ask
from relay.store.engine.statements import load_statements
from relay.store.engine.values import KINDS
from relay.store.ports.recipients import BusyRecipient

_SQL = load_statements("recipients")

COUNTED_AT_ONCE: int = 2_000
"""Deliveries counted in one go: some milliseconds."""

LOOKED_BACK: int = 2 * DAY
"""After a restart: the beginning of yesterday, in every time zone, is not longer ago."""

START: int = 8
"""Octets of a hash that are kept: enough to tell everybody from everybody."""

_EPOCH = date(1970, 1, 1).toordinal()


def sweep(context: Context) -> None:
    """Counts a little, and tells."""
    count(context)
    reached, context.busiest.reached = context.busiest.reached, []
    for key in reached:
        _tell(context, key)


def count(context: Context) -> bool:
    """Counts a little of what came in; whether there may be more."""
    busiest, database = context.busiest, context.database
    if busiest.next is None:
        busiest.next = _first_since(context, context.clock.wall() - LOOKED_BACK)
    rows = database.read(_SQL["deliveries_from"], (busiest.next, COUNTED_AT_ONCE))
    for delivery, account, hashed, at, kind in rows:
        if kind == KINDS.index(Kind.MAIL):
            busiest.add(Key(_day(context, account, at), account, hashed[:START]), delivery)
    if rows:
        busiest.next = rows[-1][0] + 1
    return len(rows) == COUNTED_AT_ONCE


def _day(context: Context, account: int, at: int) -> int:
    mailbox = context.routes.mailbox_of(context.names.sender(account))
    return day_of(context.clock.shown(at), zone_of(context.routes.routing, mailbox))


def _tell(context: Context, key: Key) -> None:
    """Once for a recipient and a day, whatever was restarted meanwhile."""
    sender = context.names.sender(key.account)
    mailbox = context.routes.mailbox_of(sender)
    subject = Subject(None if mailbox is None else mailbox.provider, mailbox, sender)
    detail = {"count": str(context.busiest.told(key.day, key.account)), "recipient": key.recipient.hex()}
    reason = f"{key.recipient.hex()}/{_date(key.day)}"
    open_concern(context, ConcernKind.MANY_TO_ONE, subject, reason=reason, detail=detail, again_after=None)


class LedgerRecipientReport:
    """The port `RecipientReport`."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    async def busiest(self, *, account: AccountId | None, least: int, most: int) -> Sequence[BusyRecipient]:
        """Who gets many mails, with what has just come in."""
        while await self._ask(count):
            pass
        return await self._ask(partial(_report, account=account, least=max(least, LISTED_FROM), most=most))


def _report(context: Context, *, account: AccountId | None, least: int, most: int) -> list[BusyRecipient]:
    number = None
    if account is not None:
        known = context.routes.routing.account_of(account)
        number = context.names.known_account(account.lower() if known is None else known.sender)
        if number is None:
            return []
    found = (_shown(context, key, busy) for key, busy in context.busiest.of(number, least))
    return [each for _, each in zip(range(most), found, strict=False)]


def _shown(context: Context, key: Key, busy: Busy) -> BusyRecipient:
    row = context.database.read_one(_SQL["domain_of"], (busy.delivery,))
    domain = ""
    if row is not None:
        try:
            domain = context.seals.open_domain(row[0], row[1], row[2])
        except CorruptValue:
            domain = "?"
    return BusyRecipient(context.names.sender(key.account), key.recipient.hex(), domain, _date(key.day), busy.many)


def _date(day: int) -> date:
    return date.fromordinal(day + _EPOCH)


def _first_since(context: Context, wall: int) -> int:
    """The number of the first message accepted since then, found by halving."""
    low, high = 0, (context.database.read_one(_SQL["last_message"]) or (0,))[0] or 0
    while low < high:
        middle = (low + high) // 2
        row = context.database.read_one(_SQL["message_from"], (middle,))
        if row is None or row[1] >= wall:
            high = middle
        else:
            low = row[0] + 1
    return low
