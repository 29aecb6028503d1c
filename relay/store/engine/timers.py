"""Timers of deliveries: the next try of what waits, and the end of what has waited too long.

Law: what expires is bounced with the reason that held it up; what a stopped mailbox holds has the longer lifetime of
what is held. Both count in queue time, which no step of the wall clock moves.
"""

from dataclasses import replace

from relay.core.lifecycle import Event, State
from relay.core.limits import Instant
from relay.core.standstill import EXPIRED, Barrier, Situation, Standstill, barrier_of, standstill
from relay.store.engine.context import Context
from relay.store.engine.delays import Delays
from relay.store.engine.entry import Overdue
from relay.store.engine.moves import Moves
from relay.store.engine.statements import load_statements
from relay.store.ports.outbox import OutboxKind

_SQL = load_statements("queue")

AT_ONCE: int = 500
"""Timers handled in one go, so that 100,000 retries that are due together do not hold up the loop."""


class Timers:
    """Rings the timers of deliveries."""

    def __init__(self, context: Context, moves: Moves) -> None:
        self._context = context
        self._moves = moves
        self._delays = Delays(context)

    def ring(self) -> None:
        """Makes ready what is due and bounces what has expired, the earliest first, a bounded number."""
        context = self._context
        moment = context.clock.moment()
        for expired in context.entries.expired(moment.wall, AT_ONCE):
            self._expire(expired)
        for entry, _, due, reason, reply, _ in context.entries.due(moment.wall, AT_ONCE):
            self._moves.make_ready(entry, since=due, reason=reason, reply=reply)
        self._delays.ring(moment.wall)

    def hear(self) -> None:
        """Another node may have rung some meanwhile."""
        self._delays.hear()

    def write(self) -> None:
        """Now and then writes how far it looked for what is late."""
        self._delays.write()

    def wakes_at(self, now: Instant) -> Instant | None:
        """When the next try is due, or the next notice of delay, in relay time."""
        row = self._context.database.read_one(_SQL["next_due"])
        wall = self._context.clock.wall()
        known = [None if row is None else row[0], self._delays.wakes_at(wall)]
        first = min((at for at in known if at is not None), default=None)
        return None if first is None else now + max(0, first - wall)

    def late_at(self) -> Instant | None:
        """When something is to be looked at for a notice of delay, relay time; None: nothing is."""
        wall = self._context.clock.wall()
        at = self._delays.wakes_at(wall)
        return None if at is None else self._context.clock.now() + at - wall

    def _expire(self, expired: Overdue) -> None:
        entry, state, due, _, reply, _ = expired
        context = self._context
        ends = context.ends_of(entry.accepted_at, entry.expires_at, is_kept_back=True, is_dated=entry.is_dated)
        if state is State.WAITING and context.is_kept_back(entry.sender) and context.clock.wall() < ends:
            context.database.write(_SQL["set_expiry"], (ends, entry.delivery))
            return
        why = self._why(expired)
        if state is State.WAITING and not due:
            context.ready.remove(entry)
        self._moves.finish(
            entry, state, Event.BOUNCE,
            reason=why.reason or EXPIRED, reply=reply, owes=OutboxKind.BOUNCE, held_since=why.since,
        )  # fmt: skip

    def _why(self, expired: Overdue) -> Standstill:
        """What held it to the end."""
        entry, state, due, reason, _, since = expired
        context = self._context
        situation = Situation(state, entry.accepted_at, since, reason, due)
        mailbox = context.routes.mailbox_of(entry.sender)
        if state is not State.WAITING:
            return standstill(situation)
        if mailbox is None:
            return standstill(replace(situation, stranded=context.routes.trouble_of(entry.sender)))
        barrier = barrier_of(context.schedule.look(mailbox), entry.lane, 1, context.clock.now())
        own, host = context.remembrance.health(mailbox), context.remembrance.provider_health(mailbox.provider)
        found = standstill(replace(situation, mailbox=own, provider=host, barrier=barrier))
        if found.reason == Barrier.QUEUE:
            first = None if reason is None else self._moves.refused_since(entry, reason)
            return replace(found, reason=reason or EXPIRED, since=found.since if first is None else first)
        return found
