"""Message bodies: sealed into segments, kept at hand while they are new, let go when nothing needs them.

Law: a body is readable until the commit after which no pending delivery and no outbox entry needs it; only then its
space is given back.
"""

from collections import OrderedDict
from collections.abc import Iterable

from relay.errors import CorruptValue
from relay.store.engine.statements import load_statements
from relay.store.engine.values import Seals
from relay.store.segments import Place, Segments
from relay.store.sqlite.blocks import Blocks, Span
from relay.store.sqlite.database import Database

_SQL = load_statements("store")

AT_HAND_BYTES: int = 32_000_000
"""Bodies kept in memory: a mail that leaves at once is never read back."""

OBJECT_BYTES: int = 200
"""What keeping a body costs beside the body."""

PUNCH_BYTES: int = 1024 * 1024
"""Blocks are punched when this much of a segment is done with: few system calls for many mails."""


class Bodies:
    """The bodies of one store."""

    def __init__(self, database: Database, segments: Segments, seals: Seals) -> None:
        self._database = database
        self._segments = segments
        self._seals = seals
        self._at_hand: OrderedDict[int, bytes] = OrderedDict()
        """The oldest first: a plain dict would look through all that it once held to find the first."""
        self._at_hand_bytes = 0
        self._live: dict[int, int] = dict(database.read(_SQL["get_segments"]))
        self._changed: dict[int, int] = {}
        self._first: dict[int, int] = {}
        self._spent: dict[int, None] = dict.fromkeys(number for number, live in self._live.items() if not live)
        self._current: int | None = None
        """The segment that is being appended to."""
        self._blocks: dict[int, Blocks] = {}
        self._gives_all = False
        self._left_to_sweep = range(0)
        self._empty: list[int] = []

    def append(self, record: bytes) -> Place:
        """Puts a record behind the others; it is durable with this transaction."""
        return self._segments.append(record)

    def keep(self, seq: int, content: bytes, place: Place) -> None:
        """A body came in, and its record was appended at `place`."""
        if place.segment not in self._live:
            self._first[place.segment] = seq
        self._count(place.segment, 1)
        self._current = place.segment
        self._at_hand[seq] = content
        self._at_hand_bytes += len(content) + OBJECT_BYTES
        while self._at_hand_bytes > AT_HAND_BYTES:
            self._drop(next(iter(self._at_hand)))

    def at_hand(self, seq: int) -> bytes | None:
        """A body that is still in memory."""
        return self._at_hand.get(seq)

    def read(self, message: str, place: Place) -> bytes:
        """A body from its segment; blocks. CorruptValue: it does not open."""
        return self._seals.open_content(self._segments.read(place), message)

    def read_or_nothing(self, message: str, place: Place) -> bytes:
        """As `read`, for those who can do without."""
        try:
            return self.read(message, place)
        except CorruptValue:
            return b""

    def let_go(self, seq: int, place: Place) -> None:
        """Nothing needs this body any more, once this transaction is durable."""
        self._drop(seq)
        self._count(place.segment, -1)
        if seq not in self._left_to_sweep:
            self.give_back(place)

    def leave_to_sweep(self, seqs: range) -> None:
        """Bodies of these messages are given back by who looks for what was done with before this life."""
        self._left_to_sweep = seqs

    def give_back(self, place: Place) -> None:
        """The space of a body may be given back, if its segment is still there; told once of each."""
        if place.segment in self._live:
            blocks = self._blocks.get(place.segment)
            if blocks is None:
                blocks = self._blocks[place.segment] = Blocks()
            blocks.add(place.offset, place.length)

    def write(self) -> None:
        """Writes what changed of the segments, as part of the transaction."""
        changed, self._changed = self._changed, {}
        if changed:
            rows = [(number, many, self._first.pop(number, 0)) for number, many in changed.items()]
            self._database.write_many(_SQL["add_live"], rows)
            self._spent.update(dict.fromkeys(number for number in changed if not self._live[number]))
        if self._spent:
            self._drop_spent()

    def _drop_spent(self) -> None:
        """A segment in which nothing is needed goes, once nothing is appended to it any more."""
        for number in [number for number in self._spent if number != self._current]:
            del self._spent[number]
            if not self._live[number]:
                del self._live[number]
                self._database.write(_SQL["drop_segment"], (number,))
                self._empty.append(number)

    def give_back_all(self) -> None:
        """Single blocks too are given back with the next transaction."""
        self._gives_all = True

    def reclaimable(self) -> "Reclaim | None":
        """What the durable transactions left to be given back."""
        empty, self._empty = self._empty, []
        for number in empty:
            self._blocks.pop(number, None)
        least = 1 if self._gives_all else PUNCH_BYTES
        self._gives_all = False
        spans = {number: blocks.take() for number, blocks in self._blocks.items() if blocks.waiting >= least}
        return Reclaim(self._segments, empty, spans) if empty or spans else None

    def newest(self) -> int:
        """The greatest number of a segment that was ever written to and is still needed."""
        return max(self._live, default=0)

    def orphans(self) -> list[int]:
        """Segments that no message needs: what a crash left between a commit and its unlink, or before a commit."""
        return [number for number in self._segments.numbers() if number not in self._live]

    def _count(self, segment: int, many: int) -> None:
        self._live[segment] = self._live.get(segment, 0) + many
        self._changed[segment] = self._changed.get(segment, 0) + many

    def _drop(self, seq: int) -> None:
        content = self._at_hand.pop(seq, None)
        if content is not None:
            self._at_hand_bytes -= len(content) + OBJECT_BYTES


class Reclaim:
    """Space to be given back; blocks when it is run."""

    def __init__(self, segments: Segments, empty: Iterable[int], spans: dict[int, list[Span]]) -> None:
        self._segments = segments
        self._empty = tuple(empty)
        self._spans = spans

    def __call__(self) -> None:
        for number in self._empty:
            self._segments.remove(number)
        for number, spans in self._spans.items():
            self._segments.punch(number, spans)
