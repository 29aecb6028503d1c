"""A delivery as the store handles it: what a claim, an ending or a bounce needs of its rows.

Law: it is read once and carried along; what it says of a place or an envelope never changes while the delivery lives.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from relay.core.envelope import Envelope, Kind
from relay.core.lifecycle import State
from relay.core.words import AccountId, Lane
from relay.store.engine.ledger import Ledger
from relay.store.engine.numbers import Numbers
from relay.store.engine.statements import load_statements
from relay.store.engine.values import KINDS, LANES, STATES
from relay.store.segments import Place

_SQL = load_statements("entries")


@dataclass(slots=True)
class Entry:
    """One delivery of the queue; `envelope` None: not opened yet, `sealed` None: it is final and its envelope gone."""

    delivery: int
    seq: int
    message: str
    kind: Kind
    recipients: int
    accepted_at: int
    size: int
    place: Place
    is_dated: bool
    """It is worth nothing after its lifetime, held or not."""
    account: int
    sender: AccountId
    lane: Lane
    expires_at: int
    tries: int
    doubts: int
    sealed: bytes | None = field(repr=False)
    envelope: Envelope | None = field(repr=False)

    @property
    def ordinal(self) -> int:
        """Which of its message's recipients it is."""
        return self.delivery - self.seq


class Overdue(NamedTuple):
    """A delivery whose time has come, for its next try or for good."""

    entry: Entry
    state: State
    due: int
    reason: str | None
    reply: str | None
    since: int


def entry_from(row: tuple[Any, ...], names: Numbers) -> Entry:
    """The entry of a row of one of the statements in entries.sql."""
    delivery, seq, message, kind, recipients, accepted, size, segment, offset, length, is_dated, *rest = row
    account, lane, expires, tries, doubts, sealed = rest
    place, sender = Place(segment, offset, length), names.sender(account)
    return Entry(
        delivery, seq, message, KINDS[kind], recipients, accepted, size, place, bool(is_dated), account, sender,
        LANES[lane], expires, tries, doubts, sealed, None,
    )  # fmt: skip


class Entries:
    """Reads entries."""

    def __init__(self, database: Ledger, names: Numbers) -> None:
        self._database = database
        self._names = names

    def ready(self, account: int, lane: Lane, most: int) -> list[Entry]:
        """The oldest of a lane of an account that may be sent and are not being sent."""
        return self._all(self._database.read(_SQL["ready_entries"], (account, LANES.index(lane), most)))

    def one(self, delivery: int) -> tuple[Entry, int, int] | None:
        """A delivery, its stored state and when it is due."""
        row = self._database.read_one(_SQL["one_entry"], (delivery,))
        return None if row is None else (entry_from(row[:-2], self._names), row[-2], row[-1])

    def due(self, wall: int, most: int) -> list[Overdue]:
        """Deliveries whose next try is due, the earliest first."""
        return self._overdue(self._database.read(_SQL["due_entries"], (wall, most)))

    def expired(self, wall: int, most: int) -> list[Overdue]:
        """Deliveries whose lifetime is over and that are not being sent, the earliest first."""
        return self._overdue(self._database.read(_SQL["expired_entries"], (wall, most)))

    def _overdue(self, rows: Iterable[tuple[Any, ...]]) -> list[Overdue]:
        return [Overdue(entry_from(row[:-5], self._names), STATES[row[-5]], *row[-4:]) for row in rows]

    def _all(self, rows: Iterable[tuple[Any, ...]]) -> list[Entry]:
        return [entry_from(row, self._names) for row in rows]
