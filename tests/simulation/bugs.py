"""Planted bugs: ways in which the relay could be wrong, each of which the simulated world has to find.

Law: a bug changes one decision of the shipped code and nothing of the world.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from relay.core.envelope import Claim, Result, Verdict
from relay.core.ledger import TotalLedger
from relay.core.limits import Instant, RollingWindow
from relay.core.relaytime import resumed
from relay.core.reply import Reply
from relay.core.rotation import Line
from relay.core.words import Stage
from relay.delivery.keeper import Keeper
from relay.delivery.pool import OpenSession, Pool
from relay.notify.pump import OutboxPump
from relay.store.engine.batches import Batches, Step
from relay.store.engine.context import Context
from relay.store.engine.moves import Moves
from relay.store.engine.routes import Routes
from relay.store.engine.settling import Settling
from relay.store.engine.waiting import Bell
from relay.store.sqlite import time
from relay.store.sqlite.bodies import Bodies
from relay.store.sqlite.leases import Leases
from relay.store.sqlite.store import SqliteStore
from relay.store.sqlite.time import StoreClock

Patch = pytest.MonkeyPatch


def law_off_by_one(patch: Patch) -> None:
    """One more than the limit may hold a slot."""
    patch.setattr(RollingWindow, "has_room", lambda self, now, share=0: self.used(now) <= self.ceiling(share))


def window_half_open(patch: Patch) -> None:
    """`>` instead of `>=`: an end exactly one window ago does not count."""
    honest = RollingWindow.used
    patch.setattr(RollingWindow, "used", lambda self, now: honest(self, now + 1))
    opens = RollingWindow.opens_at

    def opens_at(self: RollingWindow, now: Instant, share: Any = 0) -> Instant | None:
        at = opens(self, now, share)
        return at if at is None or at <= now else at - 1

    patch.setattr(RollingWindow, "opens_at", opens_at)


def no_linger(patch: Patch) -> None:
    """What hung up counts as ended at once."""
    patch.setattr(Routes, "linger_of", lambda *_: 0)


def ends_at_start(patch: Patch) -> None:
    """A slot counts from the start of the attempt, as in a limiter that looks at submissions."""
    honest = RollingWindow.end
    patch.setattr(RollingWindow, "end", lambda self, started, at: honest(self, started, started))


def no_gate(patch: Patch) -> None:
    """The gate says yes and writes nothing."""

    async def gate(self: SqliteStore, claim: Claim) -> bool:
        return True

    patch.setattr(SqliteStore, "gate", gate)


def settled_before_the_reply(patch: Patch) -> None:
    """Delivered is written down when the dot is about to be sent."""
    honest = SqliteStore.gate

    async def gate(self: SqliteStore, claim: Claim) -> bool:
        is_ours = await honest(self, claim)
        reply = Reply(250, None, "surely")
        await self.settle(
            claim, Result(Verdict.DELIVERED, "delivered", Stage.EOD, reply, is_mail_written=True, is_end_known=True)
        )
        return is_ours

    patch.setattr(SqliteStore, "gate", gate)


def wall_clock(patch: Patch) -> None:
    """The limiter trusts the wall clock."""
    patch.setattr(StoreClock, "now", lambda self: self.civil())


def answered_before_the_commit(patch: Patch) -> None:
    """250 is said, and work handed out, before it is durable."""
    honest = Batches.submit

    def submit(self: Batches, step: Step, operation: Callable[[], Any], undo: Any = None) -> "asyncio.Future[Any]":
        early: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

        def eager() -> Any:
            outcome = operation()
            if not early.done():
                early.set_result(outcome)
            return outcome

        honest(self, step, eager, undo)
        return early

    patch.setattr(Batches, "submit", submit)


def lost_wake_up(patch: Patch) -> None:
    """Every second change wakes nobody."""
    honest = Bell.ring

    def ring(self: Bell, count: int) -> None:
        if count % 2:
            honest(self, count)

    patch.setattr(Bell, "ring", ring)


def no_wake_time(patch: Patch) -> None:
    """The time at which a retry is due is forgotten."""
    honest = SqliteStore.wait

    async def wait(self: SqliteStore, mark: int, until: Instant | None) -> None:
        await honest(self, mark, None)

    patch.setattr(SqliteStore, "wait", wait)


def body_deleted_early(patch: Patch) -> None:
    """The body goes with the first attempt, whatever comes of it."""
    honest = Moves.wait

    def wait(self: Moves, entry: Any, *rest: Any, **more: Any) -> None:
        honest(self, entry, *rest, **more)
        bodies: Any = self._context.bodies
        bodies._drop(entry.seq)
        bodies._segments.punch(entry.place.segment, [(entry.place.offset, entry.place.length)])

    patch.setattr(Moves, "wait", wait)


def body_outlives_nothing(patch: Patch) -> None:
    """The first final delivery of a message takes the body from the others."""
    honest = Bodies.let_go

    def let_go(self: Bodies, seq: int, place: Any) -> None:
        honest(self, seq, place)
        self._segments.punch(place.segment, [(place.offset, place.length)])

    patch.setattr(Bodies, "let_go", let_go)
    patch.setattr(Moves, "is_body_needed", lambda *_: False)


def doubted_for_ever(patch: Patch) -> None:
    """A second doubt is sent again like the first."""
    honest = Settling._doubt

    def doubt(self: Settling, running: Any, *rest: Any) -> None:
        honest_doubts, running.entry.doubts = running.entry.doubts, 0
        honest(self, running, *rest)
        running.entry.doubts = honest_doubts + 1

    patch.setattr(Settling, "_doubt", doubt)


def gated_is_sent_again_unreported(patch: Patch) -> None:
    """After a crash what passed the gate is queued again as if nothing had happened."""

    def abandon(self: Settling, running: Any, **more: Any) -> None:
        running.gated_at = None
        honest(self, running, **more)

    honest = Settling.abandon
    patch.setattr(Settling, "abandon", abandon)


def crash_forgets_attempts(patch: Patch) -> None:
    """Attempts that a crash cut short give their slots back."""
    honest = Leases.recover

    def recover(self: Leases, node: str) -> int:
        doubts = honest(self, node)
        database = self._context.database
        database.write("DELETE FROM attempts WHERE class IN ('lost', 'in-doubt')")
        for line in self._parts.schedule._lines.values():
            for window in line.ledger.windows:
                window.__init__(line.terms.limits[line.ledger.windows.index(window)])  # type: ignore[misc]
        return doubts

    patch.setattr(Leases, "recover", recover)


def session_of_another(patch: Patch) -> None:
    """Any idle session will do."""
    honest = Pool.pick

    def pick(self: Pool, mailbox: Any) -> OpenSession | None:
        for opened in self.idle():
            return honest(self, opened.mailbox)
        return None

    patch.setattr(Pool, "pick", pick)


def session_leak(patch: Patch) -> None:
    """A session that is closed goes on being counted."""

    async def close(self: Keeper, opened: OpenSession) -> None:
        self._pool.remove(opened) if hasattr(self._pool, "remove") else None
        await opened.session.close()

    patch.setattr(Keeper, "close", close)


def no_ceiling(patch: Patch) -> None:
    """A mailbox opens as many sessions as it has mail."""
    patch.setattr(Line, "wants_session", lambda self, now: self.sessions < self.express + self.bulk)


def totals_ignored(patch: Patch) -> None:
    """Only a mailbox's own limits bind it."""
    patch.setattr(TotalLedger, "has_room", lambda *_: True)


def bounce_done_before_it_is_made(patch: Patch) -> None:
    """The outbox is emptied first, and the report written afterwards."""

    async def empty(self: OutboxPump) -> None:
        while entries := await self._outbox.outbox(50):
            for entry in entries:
                await self._outbox.done(entry.id)
            for entry in entries:
                await self._do(entry)

    patch.setattr(OutboxPump, "_empty", empty)


def ready_not_counted(patch: Patch) -> None:
    """A delivery whose time has come is marked ready, and nobody is told."""
    patch.setattr(Context, "changed", lambda self: None)


def any_clock_is_right(patch: Patch) -> None:
    """After a reboot the wall clock is believed, whatever it was when it was last written down."""
    patch.setattr(time, "resumed", lambda anchor, reading: resumed(replace(anchor, is_synchronised=True), reading))


BUGS: Mapping[str, Callable[[Patch], None]] = {
    bug.__name__: bug
    for bug in (
        law_off_by_one,
        window_half_open,
        no_linger,
        ends_at_start,
        no_gate,
        settled_before_the_reply,
        wall_clock,
        answered_before_the_commit,
        lost_wake_up,
        no_wake_time,
        body_deleted_early,
        body_outlives_nothing,
        doubted_for_ever,
        gated_is_sent_again_unreported,
        crash_forgets_attempts,
        session_of_another,
        session_leak,
        no_ceiling,
        totals_ignored,
        bounce_done_before_it_is_made,
        ready_not_counted,
        any_clock_is_right,
    )
}
