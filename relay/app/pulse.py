"""The pulse of the event loop: how late it is at worst, and what readiness looks at.

Law: looking costs next to nothing, and never holds up what moves mail.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Iterable
from typing import Protocol

from relay.admin import Part, Readiness
from relay.core.health import HealthState
from relay.errors import RelayError, StoreFull
from relay.observe import WARNINGS, Log
from relay.store.ports import Store

BEAT: float = 0.5
"""Seconds between two looks at the loop."""

REMEMBERED: int = 30
"""Looks: a scrape every 15 s misses no stall."""

PATIENCE: float = 2.0
"""Seconds after which a store that does not answer counts as away."""

COUNT_EVERY: float = 10.0
"""Seconds between two counts of the accounts: there may be a hundred thousand."""

ACCOUNTS = "accounts"
"""What readiness calls accounts whose mail does not move."""

PROVIDERS = "providers"
"""What readiness calls providers to which nothing goes but a probe."""

NAMED: int = 10
"""Providers that are named: a line stays readable."""

REPORTS = "reports"
"""What readiness calls an outbox that nobody empties."""

OVERDUE: float = 3600.0
"""Seconds after which a report that was not sent is talked of."""

STOPPED = (HealthState.PAUSED, HealthState.WAITING)
"""Healths in which nothing moves but a probe."""


class LoopLag:
    """Measures how late a timer comes."""

    def __init__(self, show: Callable[[float], None]) -> None:
        self._show = show
        self._seen: deque[float] = deque(maxlen=REMEMBERED)

    async def run(self) -> None:
        """Runs until it is cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + BEAT
            await asyncio.sleep(BEAT)
            self.saw(loop.time() - due)

    def saw(self, late: float) -> None:
        """A timer came so many seconds late."""
        self._seen.append(max(0.0, late))
        self._show(max(self._seen))


class Flawed(Protocol):
    """Something about the store that has to be mended though it works."""

    @property
    def what(self) -> str: ...
    @property
    def text(self) -> str: ...


class StoreWatch:
    """Says in readiness and log when the store cannot work, and in readiness whose mail does not move."""

    def __init__(
        self,
        store: Store,
        readiness: Readiness,
        log: Log,
        *,
        clock: Callable[[], float],
        wall: Callable[[], float],
        flaws: Callable[[], Iterable[Flawed]] = tuple,
    ) -> None:
        """`clock` counts seconds, never set back; `wall` those since 1970; `flaws` says what is to be mended."""
        self._store = store
        self._readiness = readiness
        self._log = log
        self._clock = clock
        self._wall = wall
        self._flaws = flaws
        self._counted_at: float | None = None

    async def look(self) -> None:
        """Asks the store for next to nothing, and looks at its disk and, now and then, at the accounts."""
        try:
            async with asyncio.timeout(PATIENCE):
                await self._store.outbox(0)
                await self._look_at_accounts()
        except TimeoutError:
            self._note(Part.STORE, f"the store did not answer within {PATIENCE:.0f} s")
        except StoreFull as error:
            self._note(Part.DISK, str(error))
        except RelayError as error:
            self._note(Part.STORE, str(error))
        else:
            self._over(Part.STORE)
            self._look_at_disk()
        self._look_at_flaws()

    def _look_at_flaws(self) -> None:
        """What of a shared store has to be mended: one line for each kind, however many servers it is about."""
        found = list(self._flaws())
        for what in WARNINGS:
            texts = [each.text for each in found if each.what == what]
            if texts:
                self._note(what, "; ".join(texts))
            else:
                self._over(what)

    async def _look_at_accounts(self) -> None:
        now = self._clock()
        if self._counted_at is not None and now < self._counted_at + COUNT_EVERY:
            return
        counts: Counter[str] = Counter()
        for each in await self._store.health_counts():
            counts[each.health] += each.accounts
        self._counted_at = now
        await self._look_at_providers()
        await self._look_at_reports()
        stopped = [f"{counts[health]} {health}" for health in STOPPED if counts[health]]
        if stopped:
            self._readiness.set(ACCOUNTS, f"mail is not moving: {', '.join(stopped)} of {counts.total()} accounts")
        else:
            self._readiness.clear(ACCOUNTS)

    async def _look_at_providers(self) -> None:
        stopped = [each for each in await self._store.providers() if each.health in STOPPED]
        if stopped:
            named = ", ".join(f"{each.provider} ({each.health}, {each.reason})" for each in stopped[:NAMED])
            more = f" and {len(stopped) - NAMED} more" if len(stopped) > NAMED else ""
            accounts = sum(each.accounts for each in stopped)
            self._readiness.set(PROVIDERS, f"stopped: {named}{more}; {accounts} accounts send through them")
        else:
            self._readiness.clear(PROVIDERS)

    async def _look_at_reports(self) -> None:
        """The oldest thing that follows from an outcome and was not done, and who could not be told at all."""
        oldest = [self._wall() - each.at / 1_000_000 for each in await self._store.outbox(1)]
        lost, said = await self._store.lost(), list[str]()
        if lost:
            said.append(f"nobody could be told that {lost} mails failed: relay queue list --state bounced")
        if oldest and oldest[0] > OVERDUE:
            said.append(f"a report to a sender has waited for {oldest[0] / 3600:.0f} h to be written")
        if said:
            self._readiness.set(REPORTS, "; ".join(said))
        else:
            self._readiness.clear(REPORTS)

    def _look_at_disk(self) -> None:
        if self._store.has_space():
            self._over(Part.DISK)
        else:
            self._note(Part.DISK, "the disk is nearly full: no mail is accepted, what is queued is delivered")

    def _note(self, part: str, text: str) -> None:
        if self._readiness.set(part, text):
            self._log.trouble(what=part, text=text)

    def _over(self, part: str) -> None:
        if self._readiness.clear(part):
            self._log.recovered_from(what=part)
