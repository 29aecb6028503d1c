"""A reading port that remembers what it was asked, over messages, accounts and providers that a test puts there.

Its cursors are the places at which a page ended; one that it never gave out is wrong.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from relay.core.words import AccountId, Lane, MailboxId, MessageId, Plan
from relay.store.ports.history import HealthCount, QueueCount
from relay.store.ports.reading import (
    AccountQuery,
    AccountView,
    AttemptView,
    DeliveryView,
    LimitView,
    MessageQuery,
    MessageView,
    Page,
    ProviderView,
    WrongCursor,
)

T = TypeVar("T")

NOON = 1_795_348_800_000_000
"""2026-11-22T12:00:00Z."""

MINUTE = 60_000_000

LIMIT = LimitView("20/10m", 20, 20)


def delivery(**changes: object) -> DeliveryView:
    """A delivery that waits for room in a limit."""
    view = DeliveryView("00ff" * 8, "example.org", "waiting", Lane.BULK, "limit", NOON, None, NOON + 12 * MINUTE)
    return replace(view, **changes)  # type: ignore[arg-type]


def message(ident: str = "aa11", **changes: object) -> MessageView:
    """A message with one delivery that waits."""
    view = MessageView(ident, "anna@d.test", "studio", "waiting", NOON, 4321, (delivery(),))
    return replace(view, **changes)  # type: ignore[arg-type]


def attempt(**changes: object) -> AttemptView:
    """A try that was put off."""
    view = AttemptView(NOON, NOON + 500_000, "rcpt", "greylisted", "450 4.2.0 <…@example.org> greylisted")
    return replace(view, **changes)  # type: ignore[arg-type]


def account(sender: str = "anna@d.test", **changes: object) -> AccountView:
    """An account that is well, with mail queued behind its limit."""
    view = AccountView(
        sender, Plan.PERSONAL, MailboxId("lab", sender), "ok", None, None, NOON + 12 * MINUTE, None, 3, (LIMIT,)
    )
    return replace(view, **changes)  # type: ignore[arg-type]


def provider(name: str = "lab", **changes: object) -> ProviderView:
    """A provider that is well."""
    view = ProviderView(name, "ok", None, None, None, None, 2, (LimitView("100/1s", 7, 100),))
    return replace(view, **changes)  # type: ignore[arg-type]


class FakeReading:
    """Reading and history in memory; `trouble` is raised by whatever is asked, `hang` makes it never answer."""

    def __init__(self) -> None:
        self.of_messages: list[MessageView] = []
        self.of_accounts: list[AccountView] = []
        self.of_providers: list[ProviderView] = []
        self.counts: list[QueueCount] = []
        self.healths: list[HealthCount] = []
        self.asked: list[MessageQuery | AccountQuery | str] = []
        self.trouble: Exception | None = None
        self.hangs = False

    async def _note(self, asked: MessageQuery | AccountQuery | str) -> None:
        self.asked.append(asked)
        if self.trouble is not None:
            raise self.trouble
        if self.hangs:
            await asyncio.Event().wait()

    async def messages(self, query: MessageQuery) -> Page[MessageView]:
        await self._note(query)
        found = [
            each
            for each in self.of_messages
            if (not query.states or query.states & {one.state for one in each.deliveries})
            and query.account in (None, each.account)
        ]
        return self._page(
            [replace(each, deliveries=tuple(replace(one, attempts=()) for one in each.deliveries)) for each in found],
            query.limit,
            query.cursor,
        )

    async def message(self, message: MessageId) -> MessageView | None:
        await self._note(message)
        return next((each for each in self.of_messages if each.id == message), None)

    async def accounts(self, query: AccountQuery) -> Page[AccountView]:
        await self._note(query)

        def fits(each: AccountView) -> bool:
            is_of = query.health in (None, each.health) and query.plan in (None, each.plan)
            return is_of and (each.queued > 0 or not query.has_queued)

        return self._page([each for each in self.of_accounts if fits(each)], query.limit, query.cursor)

    async def account(self, sender: AccountId) -> AccountView | None:
        await self._note(sender)
        return next((each for each in self.of_accounts if each.sender == sender.lower()), None)

    async def providers(self) -> Sequence[ProviderView]:
        await self._note("providers")
        return self.of_providers

    async def queue_counts(self) -> Sequence[QueueCount]:
        await self._note("queue_counts")
        return self.counts

    async def health_counts(self) -> Sequence[HealthCount]:
        await self._note("health_counts")
        return self.healths

    @staticmethod
    def _page(found: Sequence[T], limit: int, cursor: str | None) -> Page[T]:
        place = "0" if cursor is None else cursor.removeprefix("at-")
        if not (place.isascii() and place.isdecimal()):
            raise WrongCursor
        begin = int(place)
        end = begin + limit
        return Page(tuple(found[begin:end]), f"at-{end}" if end < len(found) else None)
