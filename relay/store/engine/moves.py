"""What happens to a delivery: back to its place, waiting for a time, held, or final with what follows from it.

Law: state, next try, bounce and event are written in one transaction; the table of core/lifecycle says what may happen.
"""

from relay.core.envelope import Kind
from relay.core.lifecycle import FINAL, Event, State, after
from relay.store.engine.context import Context
from relay.store.engine.entry import Entry
from relay.store.engine.statements import load_statements
from relay.store.engine.telling import is_body_needed, letter_ended, report_ended
from relay.store.engine.values import STORED
from relay.store.ports.events import EventKind, StoreEvent
from relay.store.ports.outbox import OutboxKind

_SQL = load_statements("queue")
_OUTBOX = load_statements("outbox")
_GUARD = load_statements("guard")

_TOLD = {
    Event.DELIVER: EventKind.DELIVERED,
    Event.DEFER: EventKind.DEFERRED,
    Event.DOUBT: EventKind.DEFERRED,
    Event.BOUNCE: EventKind.BOUNCED,
    Event.CANCEL: EventKind.CANCELLED,
    Event.HOLD: EventKind.HELD,
    Event.RECALL: EventKind.HELD,
    Event.RETURN: EventKind.RETURNED,
}

CORRUPT = "corrupt"
"""What the store cannot read any more: held until an admin looks at the disk."""


class Moves:
    """Moves deliveries from state to state; `entry.tries` and `entry.doubts` are those after the move."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def finish(
        self,
        entry: Entry,
        state: State,
        event: Event,
        *,
        reason: str,
        reply: str | None,
        has_body: bool = True,
        owes: OutboxKind | None = None,
        held_since: int | None = None,
    ) -> None:
        """Final: the envelope goes, and the body, if it is still there, when nothing needs it.

        `owes` is the report that follows; `held_since`: its lifetime ended, and since then `reason` had held it.
        """
        context, target, wall = self._context, after(state, event), self._context.clock.wall()
        values = (STORED[target], entry.tries, entry.doubts, reason, reply, wall, entry.delivery)
        context.database.write(_SQL["finish_delivery"], values)
        if state not in FINAL:
            context.pending.went(entry.account, was_held=state is State.HELD)
        if context.owed:
            context.owed -= context.database.write(_OUTBOX["drop_delay_of"], (entry.seq, entry.delivery))
        if owes is not None and entry.kind is not Kind.REPORT:
            self._owe(owes, entry, reason, reply, held_since)
        elif has_body and not self._is_needed_by_others(entry):
            context.bodies.let_go(entry.seq, entry.place)
        if entry.kind is Kind.REPORT:
            report_ended(context, entry, target)
            letter_ended(context, entry, target)
        self._tell(event, entry, reason)

    def wait(self, entry: Entry, state: State, event: Event, *, due: int, reason: str, reply: str | None) -> None:
        """Waits until `due` (wall time), or bounces when its lifetime ends before."""
        values = (STORED[after(state, event)], due, entry.expires_at, reason, reply)
        self._put_back(entry, values, self.refused_since(entry, reason) if event is Event.DEFER else None)
        self._tell(event, entry, reason)

    def refused_since(self, entry: Entry, reason: str) -> int | None:
        """Since when it is refused for this reason and no other, queue time; None: no attempt says so."""
        row, clock = (
            self._context.database.read_one(_SQL["first_refusal"], (entry.delivery, reason)),
            self._context.clock,
        )
        if row is None or row[0] is None:
            return None
        return min(clock.wall(), int(row[0]) + clock.wall() - clock.now())

    def hold(self, entry: Entry, state: State, *, reason: str, reply: str | None) -> None:
        """Stays until a person acts, or its time for being held ends."""
        ends = self._context.ends_of(entry.accepted_at, entry.expires_at, is_kept_back=True, is_dated=entry.is_dated)
        values = (STORED[after(state, Event.HOLD)], 0, ends, reason, reply)
        self._put_back(entry, values)
        self._context.pending.held(entry.account)
        self._tell(Event.HOLD, entry, reason)

    def keep_place(self, entry: Entry, state: State, *, reason: str, reply: str | None) -> None:
        """Refused for now in the name of its mailbox, which paces it: ready, at its place, and no try is spent."""
        values = (STORED[after(state, Event.DEFER)], 0, entry.expires_at, reason, reply)
        self._put_back(entry, values, self.refused_since(entry, reason))
        self._context.ready.add(entry)
        self._tell(Event.DEFER, entry, reason)

    def give_back(self, entry: Entry, state: State, *, reason: str) -> None:
        """Nothing happened to it: ready, at its old place. Its row never said otherwise, so none is written."""
        after(state, Event.RETURN)
        self._context.ready.add(entry)
        self._tell(Event.RETURN, entry, reason)

    def make_ready(self, entry: Entry, *, since: int, reason: str | None, reply: str | None) -> None:
        """Its time came at `since`, or what held it is gone: ready, at its old place."""
        self._put_back(entry, (STORED[State.WAITING], 0, entry.expires_at, reason, reply), since)
        self._context.ready.add(entry)

    def recall(self, entry: Entry, sealed: bytes, *, reason: str) -> None:
        """A bounce of which nobody was told yet is taken back, with its envelope: held as in `hold`."""
        context, wall = self._context, self._context.clock.wall()
        after(State.BOUNCED, Event.RECALL)
        ends = context.ends_of(entry.accepted_at, entry.expires_at, is_kept_back=True, is_dated=entry.is_dated)
        entry.sealed = sealed
        context.database.write(_GUARD["recall"], (ends, reason, wall, sealed, entry.delivery))
        context.pending.recalled(entry.account, entry.delivery)
        self._tell(Event.RECALL, entry, reason)

    def release(self, entry: Entry, *, reason: str, reply: str | None) -> None:
        """What held it is gone: ready, at its old place."""
        after(State.HELD, Event.RELEASE)
        self._context.pending.released(entry.account)
        self.make_ready(entry, since=self._context.clock.wall(), reason=reason, reply=reply)

    def is_body_needed(self, entry: Entry) -> bool:
        """Whether a pending delivery or an outbox entry still needs the message's body."""
        return is_body_needed(self._context, entry)

    def _is_needed_by_others(self, entry: Entry) -> bool:
        """As `is_body_needed`, for a delivery that is final: what has one recipient need not be looked for."""
        if entry.recipients == 1 and not self._context.owed:
            return False
        return self.is_body_needed(entry)

    def _owe(self, kind: OutboxKind, entry: Entry, reason: str, reply: str | None, since: int | None) -> None:
        """The report needs the body, for its headers, until it is done."""
        context, wall = self._context, self._context.clock.wall()
        values = (kind.value, entry.seq, entry.delivery, reason, reply, wall, entry.sealed, since)
        context.database.write(_OUTBOX["add_outbox"], values)
        context.owed += 1
        if kind is not OutboxKind.BOUNCE:
            event = StoreEvent(EventKind.OWED, wall, entry.message, entry.delivery, entry.sender, reason=kind.value)
            context.journal.record(event, entry.seq)

    def _put_back(self, entry: Entry, values: tuple[object, ...], since: int | None = None) -> None:
        state, due, expires, reason, reply = values
        at = self._context.clock.wall() if since is None else since
        row = (state, due, expires, entry.tries, entry.doubts, reason, reply, at, entry.delivery)
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
