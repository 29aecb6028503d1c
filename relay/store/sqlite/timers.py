"""Timers of deliveries: the next try of what waits, and the end of what has waited too long.

Law: what expires is bounced with the reason that held it up; what a stopped mailbox holds has the longer lifetime of
what is held. Both count in queue time, which no step of the wall clock moves.
"""

from relay.core.lifecycle import Event, State
from relay.core.limits import Instant
from relay.store.sqlite.context import Context
from relay.store.sqlite.entry import Entry, Overdue
from relay.store.sqlite.moves import EXPIRED, Moves
from relay.store.sqlite.statements import load_statements

_SQL = load_statements("queue")

AT_ONCE: int = 500
"""Timers handled in one go, so that 100,000 retries that are due together do not hold up the loop."""


class Timers:
    """Rings the timers of deliveries."""

    def __init__(self, context: Context, moves: Moves) -> None:
        self._context = context
        self._moves = moves

    def ring(self) -> None:
        """Makes ready what is due and bounces what has expired, the earliest first, a bounded number."""
        context = self._context
        moment = context.clock.moment()
        for expired in context.entries.expired(moment.wall, AT_ONCE):
            self._expire(expired)
        for entry, _, _, reason, reply in context.entries.due(moment.wall, AT_ONCE):
            self._moves.make_ready(entry, reason=reason, reply=reply)

    def wakes_at(self, now: Instant) -> Instant | None:
        """When the next try is due, in relay time."""
        row = self._context.database.read_one(_SQL["next_due"])
        return None if row is None or row[0] is None else now + max(0, row[0] - self._context.clock.wall())

    def _expire(self, expired: Overdue) -> None:
        entry, state, due, reason, reply = expired
        context = self._context
        trouble = self._trouble_of(entry)
        ends = entry.accepted_at + context.settings.hold_lifetime
        if state is State.WAITING and trouble is not None and context.clock.wall() < ends:
            context.database.write(_SQL["set_expiry"], (ends, entry.delivery))
            return
        if state is State.WAITING and not due:
            context.remove_ready(entry.account, entry.sender, entry.lane)
        self._moves.finish(entry, state, Event.BOUNCE, reason=reason or trouble or EXPIRED, reply=reply)

    def _trouble_of(self, entry: Entry) -> str | None:
        """What holds up all mail of this account."""
        context = self._context
        mailbox = context.routes.mailbox_of(entry.sender)
        if mailbox is None:
            return context.routes.trouble_of(entry.sender)
        health = context.remembrance.health(mailbox)
        return health.reason if health.is_stopped else None
