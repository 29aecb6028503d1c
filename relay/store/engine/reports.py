"""The outbox: what follows from an outcome, read for whoever does it, and forgotten when it is done.

Law: an entry and the body that it needs stay until it is done.
"""

from dataclasses import dataclass

from relay.core.envelope import Envelope, Recipient
from relay.core.standstill import Barrier
from relay.errors import CorruptValue
from relay.store.engine.context import Context
from relay.store.engine.entry import Entry
from relay.store.engine.ledger import Row
from relay.store.engine.moves import Moves
from relay.store.engine.statements import load_statements
from relay.store.engine.telling import drop, give_up, hand_over
from relay.store.engine.values import read_reply
from relay.store.engine.views import Views
from relay.store.ports.outbox import Delay, OutboxEntry, OutboxKind
from relay.store.segments import Place

_SQL = load_statements("outbox")


@dataclass(frozen=True, slots=True)
class Owed:
    """An outbox entry whose headers have to be read from the body at `place`, or `content`, if that is at hand."""

    entry: OutboxEntry
    place: Place
    content: bytes | None


class Reports:
    """The outbox of one store."""

    def __init__(self, context: Context, moves: Moves) -> None:
        self._context = context
        self._moves = moves

    def outbox(self, most: int, after: int) -> list[Owed]:
        """The oldest entries not done, of those after one."""
        return [self._owed(row) for row in self._context.database.read(_SQL["oldest_outbox"], (after, most))]

    def is_open(self, number: int) -> bool:
        """Whether nobody tells of this entry yet."""
        row = self._context.database.read_one(_SQL["get_outbox"], (number,))
        return row is not None and not row[2]

    def answered(self, number: int, report: int) -> None:
        """A report of the entry was put: of a bounce it has to arrive, what else is told is done with it."""
        row = self._context.database.read_one(_SQL["get_outbox"], (number,))
        assert row is not None
        if row[1] == OutboxKind.BOUNCE:
            hand_over(self._context, number, report)
        else:
            drop(self._context, number, row[0])

    def done(self, number: int) -> None:
        """Nothing has to be done any more; the body goes if nothing else needs it."""
        row = self._context.database.read_one(_SQL["get_outbox"], (number,))
        if row is not None:
            drop(self._context, number, row[0])

    def give_up(self, number: int) -> None:
        """Nobody can be told."""
        row = self._context.database.read_one(_SQL["get_outbox"], (number,))
        if row is not None and not row[2]:
            give_up(self._context, number, row[0])

    def lost(self) -> int:
        """Of how many deliveries nobody could be told."""
        return int((self._context.database.read_one(_SQL["count_lost"]) or (0,))[0])

    def _owed(self, row: Row) -> Owed:
        number, kind, delivery, reason, reply, at, sealed, since, refused_by, refused_at = row
        context = self._context
        found = context.entries.one(delivery)
        assert found is not None
        known = found[0]
        is_stopped = context.is_stopped(known.sender)
        envelope, delay = self._envelope(known, sealed), None
        if kind == OutboxKind.DELAYED:
            reason, reply, delay = self._delay(known)
        entry = OutboxEntry(
            number, OutboxKind(kind), known.message, known.delivery, known.sender, envelope, reason,
            read_reply(reply), context.clock.shown(known.accepted_at), context.clock.shown(at),
            context.clock.civil(), is_stopped, b"",
            None if since is None else context.clock.shown(since), delay,
            None if refused_by is None else context.names.mailbox_name(refused_by),
            None if refused_at is None else context.clock.shown(refused_at),
            deadline=context.clock.shown(known.expires_at) if since is not None and known.is_dated else None,
        )  # fmt: skip
        return Owed(entry, known.place, b"" if is_stopped else context.bodies.at_hand(known.seq))

    def _delay(self, entry: Entry) -> tuple[str, str | None, Delay]:
        """How it stands with what is late, at this moment: why, what was said last, and the rest."""
        context = self._context
        row = context.database.read_one(_SQL["late"], (entry.delivery,))
        line = context.pending.line(entry.account)
        assert row is not None
        _, why = Views(context, is_list=True).standstill(row, entry.sender, (entry.accepted_at, entry.is_dated))
        is_kept_back = context.is_kept_back(entry.sender)
        ends = context.ends_of(entry.accepted_at, row[6], is_kept_back=is_kept_back, is_dated=entry.is_dated)
        others = 0 if line is None else line.waiting + line.held - 1
        return (
            why.reason or Barrier.QUEUE.value,
            row[7],
            Delay(why.since, why.eta, why.needs, context.clock.shown(ends), others),
        )

    def _envelope(self, entry: Entry, sealed: bytes) -> Envelope:
        """The sender is owed a report all the same where the recipient cannot be read any more."""
        try:
            return self._context.seals.open_envelope(sealed, entry.message, entry.ordinal)
        except CorruptValue:
            row = self._context.database.read_one(_SQL["domain_of"], (entry.delivery,))
            assert row is not None
            return Envelope(entry.sender, (Recipient(f"unknown@{self._domain(row[0], entry)}"),))

    def _domain(self, sealed: bytes, entry: Entry) -> str:
        try:
            return self._context.seals.open_domain(sealed, entry.message, entry.ordinal)
        except CorruptValue:
            return "unknown.invalid"


def top_header(content: bytes) -> bytes:
    """The header of a message with its last line end, without the empty line and the body."""
    if content.startswith(b"\r\n"):
        return b""
    end = content.find(b"\r\n\r\n")
    if end < 0:
        return content
    return content[: end + 2]
