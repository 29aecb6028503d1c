"""What was carried, counted: row by row on both sides, and at the source once more by what its rows were not found by.

Law: what nobody read is missed all the same: a move ends well only if the source has nothing that did not come along.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from relay.store.moving.carried import (
    BODIES,
    CARRIED,
    DELIVERIES,
    EVENTS,
    MESSAGES,
    NUMBERED,
    OUTBOX,
    Cells,
    Page,
    Tally,
    compared,
)
from relay.store.moving.sides import OPEN, Readable, Source, Target
from relay.store.redis.answers.store import pack_event
from relay.store.redis.tables import TABLES

READY = "ready"
"""What may be sent at once, as the schedule of the target has it."""


@dataclass(frozen=True, slots=True)
class Counted:
    """One thing that was carried, on both sides."""

    name: str
    origin: Tally
    target: Tally
    lack: str = ""
    """What of it the source should have and does not give, in words; empty: nothing."""

    @property
    def is_same(self) -> bool:
        """Whether all of it was there, and arrived as it was."""
        return self.origin == self.target and not self.lack


@dataclass(slots=True)
class _Seen:
    """What the rows of the source say of each other."""

    whole: set[int] = field(default_factory=set)
    """Messages whose bodies are there, as long as they were."""
    bare: set[int] = field(default_factory=set)
    """Messages that are not finished and have none."""
    recipients: int = 0
    deliveries: int = 0
    open: int = 0
    ready: int = 0
    greatest: int = 0
    """Number of the table gone through last."""

    def note(self, table: str, page: Page) -> None:
        """Takes in rows, those of messages first."""
        if table in NUMBERED:
            self.greatest = max([self.greatest, *(cells[0] for cells in page.rows)])
        for cells in page.rows if table in (MESSAGES, DELIVERIES, OUTBOX) else ():
            self._note_one(table, cells, page)

    def _note_one(self, table: str, cells: Cells, page: Page) -> None:
        row = TABLES[table].named(cells)
        if table == MESSAGES:
            self.recipients += row["recipients"]
            if len(page.bodies.get(row["seq"], b"")) == row["length"]:
                self.whole.add(row["seq"])
            return
        is_open = table == OUTBOX or row["state"] <= 1
        if is_open and row["message"] not in self.whole:
            self.bare.add(row["message"])
        if table == DELIVERIES:
            self.deliveries += 1
            self.open += is_open
            self.ready += row["state"] == 0 and row["due"] == 0


class Counting:
    """One count of both sides."""

    def __init__(self, source: Source, target: Target, shifted: Callable[[str], Iterator[Page]]) -> None:
        """`shifted`: pages of a table of the source, as they have to be at the target."""
        self._source, self._target, self._shifted = source, target, shifted
        self._seen = _Seen()
        self._least = source.least()
        self._numbers = source.numbers()

    def counted(self) -> Iterator[Counted]:
        """Each thing that was carried."""
        seen, bodies, arrived = self._seen, Tally(), Tally()
        for table in CARRIED:
            seen.greatest = 0
            origin = self._tally(table, self._shifted(table), bodies, seen)
            target = self._tally(table, self._target.pages(table, ""), arrived)
            yield Counted(table, origin, target, self._lack(table, origin.many))
        yield Counted(BODIES, bodies, arrived, self._lack_of_bodies(bodies.many))
        origin = _events(self._source)
        yield Counted(EVENTS, origin, _events(self._target), self._lack(EVENTS, origin.many))
        found = self._target.ready()
        if found is not None:
            yield Counted(READY, Tally(seen.ready), Tally(found))

    @staticmethod
    def _tally(table: str, pages: Iterator[Page], bodies: Tally, seen: _Seen | None = None) -> Tally:
        rows = Tally()
        for page in pages:
            for cells in page.rows:
                rows.add(compared(table, cells))
            for seq, record in page.bodies.items():
                bodies.add(str(seq).encode(), record)
            if seen is not None:
                seen.note(table, page)
        return rows

    def _lack(self, name: str, read: int) -> str:
        seen, kept, least = self._seen, self._source.kept(name), self._least.get(name, 0)
        if kept != read:
            return f"{kept} are there, and {read} of them were found"
        if least > read:
            return f"{read} are there, and what lies beside them speaks of {least}"
        if name in NUMBERED and self._numbers[name] < seen.greatest:
            return f"the number {seen.greatest} was given, and the last one is said to be {self._numbers[name]}"
        if name == DELIVERIES and seen.deliveries != seen.recipients:
            return f"{seen.deliveries} are there, and the messages have {seen.recipients} recipients"
        if name == DELIVERIES and self._least.get(OPEN, 0) > seen.open:
            return f"{seen.open} are not finished, and what lies beside them speaks of {self._least[OPEN]}"
        return ""

    def _lack_of_bodies(self, read: int) -> str:
        if self._seen.bare:
            return f"{len(self._seen.bare)} messages that are not finished have none, or one that was cut"
        if self._least.get(BODIES, 0) > read:
            return f"{self._least[BODIES]} are there, and only {read} of them belong to a message"
        return ""


def _events(side: Readable) -> Tally:
    found = Tally()
    for number, cells in enumerate(cells for page in side.events("") for cells in page.rows):
        found.add(str(number).encode(), pack_event(tuple(cells)))
    return found
