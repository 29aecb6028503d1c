"""What happens to a delivery: back to its place, waiting for a time, held, or final with what follows from it.

Law: state, next try, bounce and event are written in one transaction; the table of core/lifecycle says what may happen.
"""

from relay.core.envelope import Kind
from relay.core.lifecycle import FINAL, Event, State, after
from relay.store.ports.events import EventKind, StoreEvent
from relay.store.ports.outbox import OutboxKind
from relay.store.sqlite.context import Context
from relay.store.sqlite.entry import Entry
from relay.store.sqlite.statements import load_statements
from relay.store.sqlite.values import STORED

_SQL = load_statements("queue")
_OUTBOX = load_statements("outbox")

_TOLD = {
    Event.DELIVER: EventKind.DELIVERED,
    Event.DEFER: EventKind.DEFERRED,
    Event.DOUBT: EventKind.DEFERRED,
    Event.BOUNCE: EventKind.BOUNCED,
    Event.HOLD: EventKind.HELD,
    Event.RETURN: EventKind.RETURNED,
}

EXPIRED = "expired"

CORRUPT = "corrupt"
"""What the store cannot read any more: held until an admin looks at the disk."""


class Moves:
    """Moves deliveries from state to state; `entry.tries` and `entry.doubts` are those after the move."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def finish(
        self, entry: Entry, state: State, event: Event, *, reason: str, reply: str | None, has_body: bool = True
    ) -> None:
        """Delivered or bounced: the envelope goes, and the body, if it is still there, when nothing needs it."""
        context, target, wall = self._context, after(state, event), self._context.clock.wall()
        values = (STORED[target], entry.tries, entry.doubts, reason, reply, wall, entry.delivery)
        context.database.write(_SQL["finish_delivery"], values)
        if state not in FINAL:
            context.pending.went(entry.account, was_held=state is State.HELD)
        if target is State.BOUNCED and entry.kind is not Kind.REPORT:
            self._owe_bounce(entry, reason, reply, wall)
        elif has_body and not self._is_needed_by_others(entry):
            context.bodies.let_go(entry.seq, entry.place)
        self._tell(event, entry, reason)

    def wait(self, entry: Entry, state: State, event: Event, *, due: int, reason: str, reply: str | None) -> None:
        """Waits until `due` (wall time), or bounces when its lifetime ends before."""
        values = (STORED[after(state, event)], due, entry.expires_at, reason, reply)
        self._put_back(entry, values)
        self._tell(event, entry, reason)

    def hold(self, entry: Entry, state: State, *, reason: str, reply: str | None) -> None:
        """Stays until a person acts, or its time for being held ends."""
        ends = entry.accepted_at + self._context.settings.hold_lifetime
        values = (STORED[after(state, Event.HOLD)], 0, max(ends, entry.expires_at), reason, reply)
        self._put_back(entry, values)
        self._context.pending.held(entry.account)
        self._tell(Event.HOLD, entry, reason)

    def give_back(self, entry: Entry, state: State, *, reason: str) -> None:
        """Nothing happened to it: ready, at its old place. Its row never said otherwise, so none is written."""
        after(state, Event.RETURN)
        self._context.add_ready(entry.account, entry.sender, entry.lane)
        self._context.heads.forget(entry.account, entry.lane)
        self._tell(Event.RETURN, entry, reason)

    def make_ready(self, entry: Entry, *, reason: str | None, reply: str | None) -> None:
        """Its time has come, or what held it is gone: ready, at its old place."""
        self._put_back(entry, (STORED[State.WAITING], 0, entry.expires_at, reason, reply))
        self._context.add_ready(entry.account, entry.sender, entry.lane)
        self._context.heads.forget(entry.account, entry.lane)

    def is_body_needed(self, entry: Entry) -> bool:
        """Whether a pending delivery or an outbox entry still needs the message's body."""
        database, seq = self._context.database, entry.seq
        if database.read_one(_SQL["has_pending"], (seq, seq + entry.recipients)) is not None:
            return True
        return database.read_one(_OUTBOX["has_outbox"], (seq,)) is not None

    def _is_needed_by_others(self, entry: Entry) -> bool:
        """As `is_body_needed`, for a delivery that is final: what has one recipient need not be looked for."""
        if entry.recipients == 1 and not self._context.owed:
            return False
        return self.is_body_needed(entry)

    def _owe_bounce(self, entry: Entry, reason: str, reply: str | None, wall: int) -> None:
        values = (OutboxKind.BOUNCE.value, entry.seq, entry.delivery, reason, reply, wall, entry.sealed)
        self._context.database.write(_OUTBOX["add_outbox"], values)
        self._context.owed += 1

    def _put_back(self, entry: Entry, values: tuple[object, ...]) -> None:
        state, due, expires, reason, reply = values
        row = (
            state,
            due,
            expires,
            entry.tries,
            entry.doubts,
            reason,
            reply,
            self._context.clock.wall(),
            entry.delivery,
        )
        self._context.database.write(_SQL["put_back"], row)

    def _tell(self, event: Event, entry: Entry, reason: str | None) -> None:
        context = self._context
        mailbox = context.routes.mailbox_of(entry.sender)
        context.journal.record(
            StoreEvent(
                _TOLD[event], context.clock.wall(), entry.message, entry.delivery, entry.sender, mailbox, entry.lane,
                reason, entry.accepted_at,
            ),
            entry.seq,
        )  # fmt: skip
