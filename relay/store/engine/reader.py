"""The reading port: pages put together in small steps between which everybody else has his turn.

Law: one step takes a few milliseconds at most; what changes between two steps may show in the second and not in the
first, and nothing is shown twice.
"""

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Protocol, TypeVar

from relay.core.words import AccountId, MessageId, Plan
from relay.store.engine.accounts import AccountViews, Roll, health_of, provider_views
from relay.store.engine.context import Context
from relay.store.engine.counts import Tally
from relay.store.engine.gauges import Roster, Waits, gauge_of
from relay.store.engine.outlooks import DETAIL_STEPS, GAUGE_STEPS, LIST_STEPS
from relay.store.engine.particulars import with_last_reply, with_particulars
from relay.store.engine.search import NEWEST, SPAN, Search
from relay.store.engine.sent import Sent
from relay.store.engine.statements import load_statements
from relay.store.engine.views import Views
from relay.store.ports.history import AccountGauge, AccountGauges, HealthCount, LimitWait, QueueCount
from relay.store.ports.reading import (
    PAGE_MOST,
    AccountQuery,
    AccountView,
    MessageQuery,
    MessageView,
    Page,
    ProviderView,
    WrongCursor,
)

_SQL = load_statements("reading")

T = TypeVar("T")

VIEWS: int = 16
"""Views made in one step: two milliseconds."""

STEPS: int = 48
"""Steps that forecasts run ahead in one step of ours: two milliseconds more."""

GAUGES: int = 32
"""Accounts whose figures are made in one step."""

SENDERS: int = 1_000
"""Accounts looked at in one step."""

_MESSAGE_CURSOR = re.compile(r"m([0-9a-f]{1,15})", re.ASCII)
_ACCOUNT_CURSOR = re.compile(r"a((?:[0-9a-f]{2}){1,512})", re.ASCII)


class Ask(Protocol):
    """Runs a piece of work on the core of the moment, between two transactions."""

    async def __call__(self, work: Callable[[Context], T], /) -> T: ...


class Reader:
    """Answers what admins ask."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._roll = Roll()

    async def messages(self, query: MessageQuery) -> Page[MessageView]:
        """A page of messages, the newest first."""
        before, most = _message_before(query.cursor), min(max(1, query.limit), PAGE_MOST)
        walk = await self._ask(
            lambda context: _Walk(Search(context, query, before), Views(context, is_list=True), query)
        )
        while len(walk.found) <= most and not await self._ask(walk.go_on):
            pass
        found = walk.found
        cursor = f"m{found[most - 1][0]:x}" if len(found) > most else None
        return Page(tuple(view for _, view in found[:most]), cursor)

    async def message(self, message: MessageId) -> MessageView | None:
        """One message with all attempts."""
        return await self._ask(lambda context: _message(context, message))

    async def accounts(self, query: AccountQuery) -> Page[AccountView]:
        """A page of accounts, by sender."""
        after, most = _account_after(query.cursor), min(max(1, query.limit), PAGE_MOST)
        senders = await self._senders(query)
        found: list[AccountView] = []
        start = bisect_right(senders, after)
        views = await self._ask(partial(AccountViews, steps=LIST_STEPS))
        while start < len(senders) and len(found) <= most:
            look = partial(_look_at, views=views, senders=senders, start=start, query=query, found=found)
            start = await self._ask(look)
        cursor = f"a{found[most - 1].sender.encode().hex()}" if len(found) > most else None
        some = found[:most]
        return Page(tuple(await self._with_sent(some) if query.with_sent else some), cursor)

    async def account(self, sender: AccountId) -> AccountView | None:
        """One account with all particulars."""
        found = await self._ask(lambda context: _account(context, sender))
        return None if found is None else (await self._with_sent([found]))[0]

    async def _with_sent(self, views: Sequence[AccountView]) -> list[AccountView]:
        """These accounts with how much each hands in."""
        sent = Sent(views)
        while not await self._ask(sent.go_on):
            pass
        return sent.found

    async def providers(self) -> Sequence[ProviderView]:
        """Every provider of the routing in force."""
        senders = await self._senders(AccountQuery())
        found: Counter[str] = Counter()
        for start in range(0, len(senders), SENDERS):
            found.update(await self._ask(partial(_providers_of, senders=senders[start : start + SENDERS])))
        return [replace(each, accounts=found[each.provider]) for each in await self._ask(provider_views)]

    async def queue_counts(self) -> Sequence[QueueCount]:
        """How much waits where."""
        numbers = await self._ask(lambda context: [number for number, _ in context.pending])
        tally = Tally()
        for start in range(0, len(numbers), SENDERS):
            some = numbers[start : start + SENDERS]
            await self._ask(partial(tally.look, accounts=some))
        return await self._ask(tally.finish)

    async def health_counts(self) -> Sequence[HealthCount]:
        """How healthy the accounts are; one that comes or goes meanwhile is counted once or not at all."""
        senders = await self._senders(AccountQuery())
        found: Counter[tuple[Plan, str]] = Counter()
        for start in range(0, len(senders), SENDERS):
            some = senders[start : start + SENDERS]
            found.update(await self._ask(partial(_healths, senders=some)))
        return [HealthCount(plan, health, many) for (plan, health), many in sorted(found.items())]

    async def limit_waits(self) -> Sequence[LimitWait]:
        """How long the limits alone keep back what waits."""
        waits, lines = Waits(), await self._ask(lambda context: context.schedule.lines())
        for start in range(0, len(lines), SENDERS):
            await self._ask(partial(waits.look, lines=lines[start : start + SENDERS]))
        return await self._ask(waits.finish)

    async def account_gauges(self, most: int) -> AccountGauges:
        """The accounts that somebody may want to look at by name."""
        roster, senders = Roster(), await self._senders(AccountQuery())
        for start in range(0, len(senders), SENDERS):
            some = senders[start : start + SENDERS]
            await self._ask(partial(roster.look, senders=some))
        first, dropped = roster.first(most)
        found: list[AccountGauge] = []
        for start in range(0, len(first), GAUGES):
            some = first[start : start + GAUGES]
            found += await self._ask(partial(_gauges, senders=some))
        return AccountGauges(tuple(found), dropped)

    async def _senders(self, query: AccountQuery) -> list[AccountId]:
        """Those that may answer, in order: of the routing, and those that only have mail left."""
        queued: list[AccountId] = []
        numbers = await self._ask(lambda context: [number for number, _ in context.pending])
        for start in range(0, len(numbers), SENDERS):
            some = numbers[start : start + SENDERS]
            queued += await self._ask(partial(_names, numbers=some, is_all=query.has_queued))
        if query.has_queued:
            return sorted(queued)
        return await self._ask(lambda context: self._roll.of(context.routes.routing, queued))


def _healths(context: Context, *, senders: list[AccountId]) -> Counter[tuple[Plan, str]]:
    accounts = context.routes.routing.accounts
    known = (accounts[sender] for sender in senders if sender in accounts)
    return Counter((account.plan, health_of(context, account)) for account in known)


def _providers_of(context: Context, *, senders: list[AccountId]) -> Counter[str]:
    accounts = context.routes.routing.accounts
    return Counter(accounts[sender].mailbox.provider for sender in senders if sender in accounts)


def _gauges(context: Context, *, senders: list[AccountId]) -> list[AccountGauge]:
    views = AccountViews(context, steps=GAUGE_STEPS)
    return [gauge_of(context, views, sender) for sender in senders]


def _names(context: Context, *, numbers: list[int], is_all: bool) -> list[AccountId]:
    """All of them, or those that are not in the routing."""
    known = context.routes.routing.accounts
    names = map(context.names.sender, numbers)
    return list(names) if is_all else [sender for sender in names if sender not in known]


class _Walk:
    """A page of messages in the making."""

    def __init__(self, search: Search, views: Views, query: MessageQuery) -> None:
        self._search = search
        self._views = views
        self._query = query
        self.found: list[tuple[int, MessageView]] = []

    def go_on(self, _: Context) -> bool:
        """One step; whether it is over."""
        search, made, spent, looked = self._search, 0, self._views.outlooks.spent, self._search.looked
        while search.looked - looked < SPAN:
            seq = search.step()
            if seq is not None:
                made += 1
                view = self._views.message(seq)
                if view is not None and _answers(view, self._query):
                    self.found.append((seq, view))
            if search.is_over or made == VIEWS or self._views.outlooks.spent - spent >= STEPS:
                break
        return search.is_over


def _answers(view: MessageView, query: MessageQuery) -> bool:
    if query.account is not None and view.account != query.account:
        return False
    return not query.states or any(each.state in query.states for each in view.deliveries)


def _message(context: Context, message: MessageId) -> MessageView | None:
    row = context.database.read_one(_SQL["seq_of"], (message,))
    return None if row is None else Views(context, is_list=False).message(row[0])


def _account(context: Context, address: str) -> AccountView | None:
    """By any address that it sends as; one that the routing does not know may have mail left."""
    account = context.routes.routing.account_of(address)
    sender = address.lower() if account is None else account.sender
    if account is None and sender in context.routes.routing.accounts:
        return None  # a letter outside ASCII is somebody else's
    view = AccountViews(context, steps=DETAIL_STEPS).one(sender)
    return None if view is None else with_last_reply(context, with_particulars(context, view))


def _look_at(
    context: Context,
    *,
    views: AccountViews,
    senders: list[AccountId],
    start: int,
    query: AccountQuery,
    found: list[AccountView],
) -> int:
    """One step through the accounts; where to go on."""
    made, spent = 0, views.outlooks.spent
    for index in range(start, min(start + SENDERS, len(senders))):
        if views.answers(senders[index], query):
            view = views.one(senders[index])
            made += 1
            found += [] if view is None else [with_particulars(context, view)]
            if made == VIEWS or views.outlooks.spent - spent >= STEPS:
                return index + 1
    return min(start + SENDERS, len(senders))


def _message_before(cursor: str | None) -> int:
    if cursor is None:
        return NEWEST
    match = _MESSAGE_CURSOR.fullmatch(cursor)
    if match is None:
        raise WrongCursor
    return int(match[1], 16)


def _account_after(cursor: str | None) -> AccountId:
    if cursor is None:
        return ""
    match = _ACCOUNT_CURSOR.fullmatch(cursor)
    if match is None:
        raise WrongCursor
    try:
        return bytes.fromhex(match[1]).decode()
    except UnicodeDecodeError:
        raise WrongCursor from None
