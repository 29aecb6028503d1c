"""The dispatcher: asks the store for work whenever a session is idle, and starts what is granted.

Law: log in first, then take; every claim is settled exactly once; nothing that one mailbox does is waited for by
another.
"""

import asyncio
from collections.abc import Callable

from relay.core.envelope import Claim, Result, Taken
from relay.core.limits import SECOND
from relay.core.words import MailboxId
from relay.delivery.attempt import Attempt, without_session
from relay.delivery.crew import Crew
from relay.delivery.fence import Fence
from relay.delivery.keeper import Keeper, SessionTerms
from relay.delivery.nodelease import NodeLease
from relay.delivery.observer import Observer
from relay.delivery.pool import OpenSession
from relay.delivery.recording import Recorder
from relay.delivery.settings import DispatcherSettings
from relay.delivery.steady import DeliveryStore, Pauses, SteadyStore
from relay.delivery.underway import UnderWay
from relay.delivery.upstream import Upstream
from relay.errors import RelayError, StoreBroken
from relay.store.ports.outcomes import Outcome, Outcomes


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
        self._under_way = UnderWay(observe)
        self._lease = NodeLease(
            store,
            fence,
            self._under_way,
            node=node,
            observe=observe,
            every=self._settings.heartbeat,
            pauses=Pauses(self._settings.store_pause),
            on_lapse=self._keeper.let_all_go,
        )
        self._finished = asyncio.Event()
        self._quiet = asyncio.Event()
        """Set when nothing goes on with any provider; what the store has to hear of it may still wait."""
        self._is_running = False
        self._is_stopping = False
        self._is_store_unwell = False
        self._fatal: BaseException | None = None

    @property
    def under_way(self) -> int:
        """Attempts that are not settled yet."""
        return len(self._under_way)

    @property
    def cut_short(self) -> int:
        """Attempts that did not end in the time to drain."""
        return self._under_way.cut_short

    @property
    def sessions(self) -> int:
        """Sessions that are open or being opened."""
        return self._keeper.sessions

    # ------------------------------------------------------------------------------------------------------ its life
    async def run(self) -> None:
        """Delivers until `stop`; raises what makes going on impossible (StoreBroken)."""
        self._is_running = True
        watches = [asyncio.create_task(self._beat()), asyncio.create_task(self._lease.watch())]
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
        self._under_way.cut()
        self._keeper.break_off_openings()

    async def _drain(self) -> None:
        """Who has not come to the gate in time does not pass it any more; who has gets the rest of the time.

        For a store that is away it waits no longer than for any other: `settle_grace`, in the end.
        """
        before_gate = self._settings.before_gate
        await self._until_quiet(before_gate)
        self._under_way.cut_before_gate()
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
        if not self._under_way and not self._keeper.is_calling:
            self._quiet.set()

    async def _replay_last(self) -> None:
        """What the store cannot take now waits on disk for the next start."""
        try:
            await self._recorder.replay()
        except RelayError as error:
            self._steady.failed("settle", error)

    async def _beat(self) -> None:
        try:
            await self._lease.beat()
        except StoreBroken as error:
            self._give_up(error)

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
        self._lease.heard(asked_at)
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
            opened = self._keeper.pick(claim.mailbox)
            if opened is None:
                self._crew.spawn(self._settle(claim, without_session(), seconds=0.0))
            else:
                self._begin(claim, opened, asked_at)
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
    def _begin(self, claim: Claim, opened: OpenSession, asked_at: int) -> None:
        attempt = Attempt(claim, opened, self._store, self._observe, holds=self._fence.hold(asked_at))
        self._under_way.begin(attempt)
        self._crew.spawn(self._attempt(attempt))

    async def _attempt(self, attempt: Attempt) -> None:
        """The session is offered to the next take at once: the store does what it is told in the order of the calls."""
        loop = asyncio.get_running_loop()
        start = loop.time()
        opened, is_kept = attempt.opened, False
        try:
            result = await attempt.run()
            self._is_store_unwell |= attempt.has_missed_store
            opened.messages += 1
            is_kept = self._keep(opened)
            await self._settle(attempt.claim, result, seconds=loop.time() - start)
        finally:
            self._under_way.end(attempt)
            self._look_round()
            if not is_kept:
                await self._keeper.close(opened)

    def _keep(self, opened: OpenSession) -> bool:
        """Whatever this comes to, the attempt before it gets settled."""
        try:
            return self._keeper.keep(opened)
        except Exception as error:  # noqa: BLE001 - a session is worth less than an outcome
            self._observe.broken("keep", error)
            return False

    async def _settle(self, claim: Claim, result: Result, *, seconds: float) -> None:
        await self._recorder.settle(Outcome(claim, result, seconds))
