"""The dispatcher: asks the store for work whenever a session is idle, and starts what is granted.

Law: log in first, then take; every claim is settled exactly once; nothing that one mailbox does is waited for by
another.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace

from relay.core.envelope import Claim, Result, Taken
from relay.core.limits import SECOND
from relay.core.words import MailboxId
from relay.delivery.attempt import Attempt, without_session
from relay.delivery.crew import Crew
from relay.delivery.keeper import Keeper, SessionTerms
from relay.delivery.observer import Observer
from relay.delivery.pool import Lease
from relay.delivery.steady import DeliveryStore, SteadyStore
from relay.delivery.upstream import Upstream
from relay.errors import RelayError, StoreBroken


@dataclass(frozen=True, slots=True)
class DispatcherSettings:
    """The bounds of one node; durations in microseconds."""

    most: int = 100
    """Claims of one take: what one commit can carry while the next arrives."""
    node_sessions: int = 1000
    """Sessions of this node: far below its file descriptors."""
    heartbeat: int = 20 * SECOND
    """A third of the lease, so that two may be missed."""
    drain: int = 30 * SECOND
    """After `stop`, until attempts under way are cut short."""
    store_pause: int = SECOND
    """Between two tries of what the store could not do."""
    settle_grace: int = 5 * SECOND
    """For the store to take the results of what was cut short."""


class Dispatcher:
    """Runs until it is stopped; `terms_of` gives the session terms of a provider as the routing in force has them."""

    def __init__(
        self,
        store: DeliveryStore,
        upstream: Upstream,
        *,
        node: str,
        observe: Observer,
        terms_of: Callable[[str], SessionTerms],
        settings: DispatcherSettings | None = None,
    ) -> None:
        self._settings = settings or DispatcherSettings()
        self._store = store
        self._steady = SteadyStore(store, observe, pause=self._settings.store_pause)
        self._node = node
        self._observe = observe
        self._crew = Crew(observe, self._give_up)
        self._news = asyncio.Event()
        self._keeper = Keeper(
            upstream,
            self._steady,
            self._crew,
            observe=observe,
            terms_of=terms_of,
            most=self._settings.node_sessions,
            on_idle=self._news.set,
        )
        self._attempts: dict[int, Attempt] = {}
        self._finished = asyncio.Event()
        self._is_running = False
        self._is_stopping = False
        self._is_store_unwell = False
        self._cut_short = 0
        self._fatal: BaseException | None = None

    @property
    def under_way(self) -> int:
        """Attempts that are not settled yet."""
        return len(self._attempts)

    @property
    def cut_short(self) -> int:
        """Attempts that did not end in the time to drain."""
        return self._cut_short

    # ------------------------------------------------------------------------------------------------------ its life
    async def run(self) -> None:
        """Delivers until `stop`; raises what makes going on impossible (StoreBroken)."""
        self._is_running = True
        heart = asyncio.create_task(self._beat())
        try:
            await self._deliver()
            if self._fatal is None:
                await self._drain()
        finally:
            heart.cancel()
            self._keeper.stop()
            await self._crew.until_done(0 if self._fatal is not None else self._settings.settle_grace)
            await self._crew.dismiss()
            self._finished.set()
        if self._fatal is not None:
            raise self._fatal

    async def stop(self) -> None:
        """Takes nothing new, lets attempts finish until the drain's end, closes the sessions; may be called twice."""
        self._is_stopping = True
        self._keeper.stop()
        self._news.set()
        if self._is_running:
            await self._finished.wait()

    async def let_go(self, mailbox: MailboxId) -> None:
        """Closes the sessions of one mailbox that are idle: somebody tries it by hand, and needs their place."""
        await self._keeper.let_go(mailbox)

    def hurry(self) -> None:
        """Cuts short what is under way: a drain that somebody waits for ends soon after."""
        for attempt in self._attempts.values():
            self._cut_short += attempt.abort()
        self._keeper.break_off_openings()

    async def _drain(self) -> None:
        await self._crew.until_done(self._settings.drain)
        self.hurry()

    def _give_up(self, error: BaseException) -> None:
        self._fatal = self._fatal or error
        self._is_stopping = True
        self._news.set()

    # -------------------------------------------------------------------------------------------------- the one loop
    async def _deliver(self) -> None:
        while not self._is_stopping:
            self._news.clear()
            try:
                await self._spare()
                taken = await self._store.take(self._node, self._keeper.hand_over(), self._settings.most)
                self._start(taken)
                if not self._news.is_set():
                    await self._rest(taken)
            except RelayError as error:
                self._keeper.take_back({}, {})
                await self._steady.rest_after("take", error)

    async def _spare(self) -> None:
        """A store that failed an attempt is given a moment: taking on would spend logins and slots for nothing."""
        if self._is_store_unwell:
            self._is_store_unwell = False
            await asyncio.sleep(self._settings.store_pause / SECOND)

    def _start(self, taken: Taken) -> None:
        for claim in taken.claims:
            lease = self._keeper.pick(claim.mailbox)
            if lease is None:
                self._crew.spawn(self._settle(claim, without_session(), seconds=0.0))
            else:
                self._begin(claim, lease)
        self._keeper.take_back(taken.open, taken.close, taken.knock)

    async def _rest(self, taken: Taken) -> None:
        """Until a session becomes idle, or the store has news; raises what the store raises."""
        waiting = asyncio.create_task(self._store.wait(taken.mark, taken.wake_at))
        waiting.add_done_callback(self._hear)
        try:
            await self._news.wait()
        finally:
            waiting.cancel()
        if waiting.done():
            waiting.result()

    def _hear(self, waiting: "asyncio.Task[None]") -> None:
        """News of the store; a wait that was given up has none."""
        if not waiting.cancelled():
            self._news.set()

    # ------------------------------------------------------------------------------------------------------ attempts
    def _begin(self, claim: Claim, lease: Lease) -> None:
        attempt = Attempt(claim, lease, self._store, self._observe)
        self._attempts[claim.attempt] = attempt
        self._crew.spawn(self._attempt(attempt))

    async def _attempt(self, attempt: Attempt) -> None:
        """The session is offered to the next take at once: the store does what it is told in the order of the calls."""
        loop = asyncio.get_running_loop()
        start = loop.time()
        lease, is_kept = attempt.lease, False
        try:
            result = await attempt.run()
            self._is_store_unwell |= attempt.has_missed_store
            lease.messages += 1
            is_kept = self._keep(lease)
            await self._settle(attempt.claim, result, seconds=loop.time() - start)
        finally:
            del self._attempts[attempt.claim.attempt]
            if not is_kept:
                await self._keeper.close(lease)

    def _keep(self, lease: Lease) -> bool:
        """Whatever this comes to, the attempt before it gets settled."""
        try:
            return self._keeper.keep(lease)
        except Exception as error:  # noqa: BLE001 - a session is worth less than an outcome
            self._observe.broken("keep", error)
            return False

    async def _settle(self, claim: Claim, result: Result, *, seconds: float) -> None:
        verdict = await self._steady.settle(claim, result)
        if result.is_attempt:
            became = result if verdict is None else replace(result, verdict=verdict)
            self._observe.attempted(claim, became, seconds=seconds, is_recorded=verdict is not None)

    async def _beat(self) -> None:
        """Renews the lease; a store that is away is asked again at the next beat."""
        while True:
            await asyncio.sleep(self._settings.heartbeat / SECOND)
            try:
                lost = await self._store.heartbeat(self._node)
            except StoreBroken as error:
                return self._give_up(error)
            except RelayError as error:
                self._observe.store_failed("heartbeat", error)
                continue
            for claim in lost:
                self._lose(claim)

    def _lose(self, claim: Claim) -> None:
        """No longer ours: broken off before the gate; after it the reply is worth hearing, for delivered is a fact."""
        self._observe.claim_lost(claim)
        attempt = self._attempts.get(claim.attempt)
        if attempt is not None and not attempt.is_gated:
            attempt.abort()
