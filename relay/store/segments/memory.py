"""Segments in memory, for tests and the simulated world.

Law: `crash` loses what was appended and not synced, and nothing else.
"""

import sys
from collections.abc import Sequence

from relay.errors import CorruptValue
from relay.store.segments.port import SEGMENT_BYTES, Place


class MemorySegments:
    """The segments of a store that lives as long as this object."""

    def __init__(self, limit: int = SEGMENT_BYTES) -> None:
        self._limit = limit
        self._durable: dict[int, bytearray] = {}
        self._fresh: list[tuple[int, bytes]] = []
        self._number = 0
        self._end = 0

    def begin(self, first: int) -> None:
        """Says the lowest number that a segment begun from now on may have."""
        self._number, self._end = max(first, self._number), 0

    def append(self, record: bytes) -> Place:
        """Takes a record; a crash before `sync` loses it."""
        if self._end and self._end + len(record) > self._limit:
            self._number, self._end = self._number + 1, 0
        place = Place(self._number, self._end, len(record))
        self._end += len(record)
        self._fresh.append((place.segment, record))
        return place

    @property
    def is_dirty(self) -> bool:
        """Whether anything was appended since the last `sync` or `discard`."""
        return bool(self._fresh)

    def sync(self) -> None:
        """Makes durable what was appended."""
        for segment, record in self._fresh:
            self._durable.setdefault(segment, bytearray()).extend(record)
        self._fresh.clear()

    def discard(self) -> None:
        """Forgets what was appended since the last `sync`; the next record begins a new segment."""
        self._fresh.clear()
        self._number, self._end = self._number + 1, 0

    def crash(self) -> None:
        """The process dies: what was not synced is gone."""
        self._fresh.clear()

    def read(self, place: Place) -> bytes:
        """A record, or CorruptValue."""
        record = bytes(self._durable.get(place.segment, b"")[place.offset : place.offset + place.length])
        if len(record) != place.length:
            raise CorruptValue("a record is not where it was written")
        return record

    def punch(self, segment: int, spans: Sequence[tuple[int, int]]) -> None:
        """What was there reads as zeros."""
        kept = self._durable.get(segment, bytearray())
        for offset, length in spans:
            kept[offset : offset + length] = bytes(len(kept[offset : offset + length]))

    def remove(self, segment: int) -> None:
        """Lets go of a whole segment."""
        self._durable.pop(segment, None)

    def cut(self, segment: int, end: int) -> None:
        """Lets go of what lies behind `end`."""
        del self._durable.get(segment, bytearray())[end:]

    def data_behind(self, segment: int, offset: int) -> int:
        """What lies behind `offset`."""
        return len(self._durable.get(segment, b"")[offset:])

    def set_aside(self, segment: int, *, is_needed: bool) -> None:
        """There is nowhere else: what is not needed goes."""
        if not is_needed:
            self.remove(segment)

    @property
    def unanswered_bytes(self) -> int:
        """Memory is never damaged."""
        return sys.maxsize

    def numbers(self) -> tuple[int, ...]:
        """The segments that there are."""
        return tuple(sorted(self._durable))

    def close(self) -> None:
        """Nothing to let go of: what is durable outlives the store."""
