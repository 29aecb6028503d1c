"""The watch over paid terms: who pays for a mailbox hears in time that its term ends.

Law: each step before a date is told once ever, however often the relay starts; mail is never stopped by it. A hundred
thousand accounts are gone through a little at a time.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice
from typing import Protocol
from zoneinfo import ZoneInfo

from relay.app.settings import ZONE
from relay.core.concerns import ConcernKind, Subject
from relay.core.limits import SECOND
from relay.core.reminding import paid_step
from relay.core.routing import Account, Routing
from relay.errors import StoreUnavailable, TemporaryError
from relay.observe import Log

EVERY: float = 3600.0
"""Seconds between two looks: a day begins at another moment in each zone, and clocks are set."""

PAUSE: float = 30.0
"""Seconds before another look when the store took nothing."""

LOOKED_AT: int = 1000
"""Accounts looked at in one go: some milliseconds."""

AT_ONCE: int = 50
"""Concerns that are handed to the store together: they share its next transactions, and mail is not held up."""


class Raises(Protocol):
    """Is told what somebody has to know."""

    async def raise_concern(
        self,
        kind: ConcernKind,
        subject: Subject,
        *,
        reason: str | None = None,
        detail: Mapping[str, str] | None = None,
        again_after: int | None = None,
    ) -> bool: ...


@dataclass(frozen=True, slots=True)
class Step:
    """One step before the end of an account's paid term."""

    account: Account
    paid_until: date
    days: int
    """Of `PAID_STEPS`."""
    left: int

    @property
    def reason(self) -> str:
        """Tells it from all other steps and terms of this account."""
        return f"{self.days}d-{self.paid_until.isoformat()}"


class TermsWatch:
    """Looks at the start, after each edit of the routing, and when another day may have begun."""

    def __init__(
        self,
        notices: Raises,
        routing: Callable[[], Routing],
        *,
        wall: Callable[[], int],
        log: Log,
        every: float = EVERY,
    ) -> None:
        """`wall` gives wall time in microseconds."""
        self._notices = notices
        self._routing = routing
        self._wall = wall
        self._log = log
        self._every = every
        self._raised: set[tuple[str, str]] = set()
        """What the store knows of already: senders and reasons."""
        self._is_due = asyncio.Event()

    def wake(self) -> None:
        """The routing may be another one."""
        self._is_due.set()

    async def run(self) -> None:
        """Runs until it is cancelled."""
        while True:
            self._is_due.clear()
            try:
                await self.look()
                pause = self._every
            except StoreUnavailable:
                pause = PAUSE  # that it is away is said once for all
            except TemporaryError as error:
                self._log.trouble(what="paid terms", text=str(error))
                pause = PAUSE
            try:
                async with asyncio.timeout(pause):
                    await self._is_due.wait()
            except TimeoutError:
                continue

    async def look(self) -> None:
        """Raises each step that has come. StoreError: some are not raised; the next look does it."""
        found = await self._steps()
        self._raised &= {_key(step) for step in found}
        due = iter([step for step in found if _key(step) not in self._raised])
        while some := list(islice(due, AT_ONCE)):
            await asyncio.gather(*(self._raise(step) for step in some))

    async def _steps(self) -> list[Step]:
        """All that have come by now, of the routing in force."""
        routing, wall = self._routing(), self._wall()
        days = _Days(routing, wall)
        accounts, found = iter(routing.accounts.values()), []
        while some := list(islice(accounts, LOOKED_AT)):
            found += [step for account in some if (step := days.step_of(account)) is not None]
            await asyncio.sleep(0)
        return found

    async def _raise(self, step: Step) -> None:
        account = step.account
        await self._notices.raise_concern(
            ConcernKind.PAID_UNTIL,
            Subject(account.mailbox.provider, account.mailbox, account.sender),
            reason=step.reason,
            detail={"count": str(step.left), "paid_until": step.paid_until.isoformat()},
            again_after=None,
        )
        self._raised.add(_key(step))


class _Days:
    """Which day it is at each provider."""

    def __init__(self, routing: Routing, wall: int) -> None:
        self._today = {
            name: datetime.fromtimestamp(wall / SECOND, ZoneInfo(provider.timezone)).date()
            for name, provider in routing.providers.items()
        }
        self._elsewhere = datetime.fromtimestamp(wall / SECOND, ZONE).date()

    def step_of(self, account: Account) -> Step | None:
        """The step that this account's term has come to; those before it are not told any more."""
        if account.paid_until is None:
            return None
        today = self._today.get(account.mailbox.provider, self._elsewhere)
        days = paid_step(account.paid_until, today, ())
        return None if days is None else Step(account, account.paid_until, days, (account.paid_until - today).days)


def _key(step: Step) -> tuple[str, str]:
    return step.account.sender, step.reason
