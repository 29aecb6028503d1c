"""The dispatcher: asks the store for work whenever a session is idle, and starts what is granted.

Law: log in first, then take; every claim is settled exactly once; nothing that one mailbox does is waited for by
another; what was claimed under a lease that has run out goes no further.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from relay.core.envelope import Claim, Result, Taken
from relay.core.limits import MINUTE, SECOND
from relay.core.words import MailboxId
from relay.delivery.attempt import Attempt, without_session
from relay.delivery.crew import Crew
from relay.delivery.fence import Fence
from relay.delivery.keeper import Keeper, SessionTerms
from relay.delivery.observer import Observer
from relay.delivery.pool import Lease
from relay.delivery.recording import Recorder
from relay.delivery.steady import DeliveryStore, Pauses, SteadyStore
from relay.delivery.upstream import Upstream
from relay.errors import RelayError, StoreBroken
from relay.store.ports.outcomes import Outcome, Outcomes

LEASE_LOOK: int = SECOND
"""Between two looks at a lease that has run out."""


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
    """After `stop`, until attempts under way are cut short; see `before_gate`."""
    final: int = 10 * MINUTE
    """The longest that a provider is waited for after the final dot."""
    store_pause: int = SECOND
    """Between two tries of what the store could not do, at most."""
    settle_grace: int = 5 * SECOND
    """For the store to take the results of what was cut short."""

    @property
    def before_gate(self) -> int:
        """The part of the drain in which an attempt may still pass the gate: the rest is for the reply to its dot.

        With less than the longest wait for a reply there is no time in which none would be left in doubt: half.
        """
        return self.drain - self.final if self.drain > self.final else self.drain // 2


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
        fence: Fence,
        outcomes: Outcomes | None = None,
        settings: DispatcherSettings | None = None,
    ) -> None:
        """`outcomes`: where those wait that the store cannot take; None: in memory."""
        self._settings = settings or DispatcherSettings()
        self._store = store
        self._fence = fence
        self._steady = SteadyStore(store, observe, pause=self._settings.store_pause)
        self._node = node
        self._observe = observe
        self._crew = Crew(observe, self._give_up)
        self._news = asyncio.Event()
        self._pauses = Pauses(self._settings.store_pause)
        self._recorder = Recorder(store, self._steady, observe=observe, outcomes=outcomes, on_kept=self._news.set)
        self._keeper = Keeper(
            upstream,
            self._steady,
            self._crew,
            observe=observe,
            terms_of=terms_of,
            most=self._settings.node_sessions,
            on_idle=self._news.set,
            on_called=self._look_round,
        )
        self._attempts: dict[int, Attempt] = {}
        self._finished = asyncio.Event()
        self._quiet = asyncio.Event()
        """Set when nothing goes on with any provider; what the store has to hear of it may still wait."""
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

    @property
    def sessions(self) -> int:
        """Sessions that are open or being opened."""
        return self._keeper.sessions

    # ------------------------------------------------------------------------------------------------------ its life
    async def run(self) -> None:
        """Delivers until `stop`; raises what makes going on impossible (StoreBroken)."""
        self._is_running = True
        watches = [asyncio.create_task(self._beat()), asyncio.create_task(self._watch_lease())]
        try:
            await self._deliver()
            if self._fatal is None:
                await self._drain()
        finally:
            for watch in watches:
                watch.cancel()
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

    def look_again(self) -> None:
        """There may be work that there was not: asks for it at once."""
        self._news.set()

    def hurry(self) -> None:
        """Cuts short what is under way: a drain that somebody waits for ends soon after."""
        self._cut(lambda _: True)
        self._keeper.break_off_openings()

    def _cut(self, is_meant: Callable[[Attempt], bool]) -> None:
        for attempt in self._attempts.values():
            if is_meant(attempt):
                self._cut_short += attempt.abort()

    async def _drain(self) -> None:
        """Who has not come to the gate in time does not pass it any more; who has gets the rest of the time.

        For a store that is away it waits no longer than for any other: `settle_grace`, in the end.
        """
        before_gate = self._settings.before_gate
        await self._until_quiet(before_gate)
        self._cut(lambda attempt: not attempt.is_gated)
        self._keeper.break_off_openings()
        await self._until_quiet(self._settings.drain - before_gate)
        self.hurry()
        await self._replay_last()

    async def _until_quiet(self, within: int) -> None:
        self._quiet.clear()
        await asyncio.sleep(0)  # who was just started has his first turn
        self._look_round()
        waiting = asyncio.create_task(self._quiet.wait())
        await asyncio.wait({waiting}, timeout=within / SECOND)
        waiting.cancel()

    def _look_round(self) -> None:
        if not self._attempts and not self._keeper.is_calling:
            self._quiet.set()

    async def _replay_last(self) -> None:
        """What the store cannot take now waits on disk for the next start."""
        try:
            await self._recorder.replay()
        except RelayError as error:
            self._steady.failed("settle", error)

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
                await self._recorder.replay()
                await self._take()
            except RelayError as error:
                self._keeper.take_back({}, {})
                self._steady.failed("take", error)
                await self._pauses.rest()

    async def _take(self) -> None:
        """Asks for work once, starts it, and rests until there may be more."""
        asked_at = self._fence.now()
        taken = await self._store.take(self._node, self._keeper.hand_over(), self._settings.most)
        self._renew(asked_at)
        self._start(taken, asked_at)
        if not self._news.is_set():
            await self._rest(taken)
        self._pauses.worked()

    async def _spare(self) -> None:
        """A store that failed an attempt is given a moment: taking on would spend logins and slots for nothing."""
        if self._is_store_unwell:
            self._is_store_unwell = False
            await asyncio.sleep(self._settings.store_pause / SECOND)

    def _start(self, taken: Taken, asked_at: int) -> None:
        for claim in taken.claims:
            lease = self._keeper.pick(claim.mailbox)
            if lease is None:
                self._crew.spawn(self._settle(claim, without_session(), seconds=0.0))
            else:
                self._begin(claim, lease, asked_at)
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
    def _begin(self, claim: Claim, lease: Lease, asked_at: int) -> None:
        attempt = Attempt(claim, lease, self._store, self._observe, holds=self._fence.hold(asked_at))
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
            self._look_round()
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
        await self._recorder.settle(Outcome(claim, result, seconds))

    # ----------------------------------------------------------------------------------------------------- the lease
    async def _beat(self) -> None:
        """Renews the lease; a store that is away is asked again, as often as it is asked for work."""
        pauses = Pauses(self._settings.store_pause)
        await asyncio.sleep(self._settings.heartbeat / SECOND)
        while True:
            asked_at = self._fence.now()
            try:
                lost = await self._store.heartbeat(self._node)
            except StoreBroken as error:
                return self._give_up(error)
            except RelayError as error:
                self._observe.store_failed("heartbeat", error)
                await pauses.rest()
                continue
            pauses.worked()
            self._renew(asked_at)
            for claim in lost:
                self._lose(claim)
            await asyncio.sleep(self._settings.heartbeat / SECOND)

    def _renew(self, asked_at: int) -> None:
        """The store heard this node; if that was too late, what it held may be another's by now, sessions too."""
        if self._fence.renewed(asked_at):
            self._break_off_unheld()
            self._keeper.let_all_go()

    async def _watch_lease(self) -> None:
        """Breaks off what this node does not hold any more, at once: a provider that takes its time is not waited for.

        What passed the gate in time goes on: nobody else sends it before its reply is long overdue.
        """
        while True:
            left = self._fence.left
            if not left:
                self._break_off_unheld()
            await asyncio.sleep((left or LEASE_LOOK) / SECOND)

    def _break_off_unheld(self) -> None:
        for attempt in self._attempts.values():
            if not attempt.is_gated and not attempt.is_held:
                attempt.abort()

    def _lose(self, claim: Claim) -> None:
        """No longer ours: broken off before the gate; after it the reply is worth hearing, for delivered is a fact."""
        self._observe.claim_lost(claim)
        attempt = self._attempts.get(claim.attempt)
        if attempt is not None and not attempt.is_gated:
            attempt.abort()
