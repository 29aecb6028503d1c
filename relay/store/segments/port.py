"""The port of the segments: records are appended, read back by their place, and let go.

Law: after `sync` returns, every record appended before it survives a crash; a segment from before a start is never
appended to again.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol

SEGMENT_BYTES: int = 64 * 1024 * 1024
"""A new segment begins here: few files at a million messages, and soon one that is wholly done with."""


class Place(NamedTuple):
    """Where a record lies."""

    segment: int
    offset: int
    length: int


class Segments(Protocol):
    """Where records are kept. OSError stays inside: StoreFull, StoreBroken, CorruptValue come out."""

    def begin(self, first: int) -> None:
        """Says the lowest number that a segment begun from now on may have."""

    def append(self, record: bytes) -> Place:
        """Takes a record; it is only in memory until `sync`."""

    @property
    def is_dirty(self) -> bool:
        """Whether anything was appended since the last `sync` or `discard`."""

    def sync(self) -> None:
        """Makes durable what was appended; blocks. StoreFull: nothing of it is. StoreBroken: who knows."""

    def discard(self) -> None:
        """Forgets what was appended since the last `sync`."""

    def read(self, place: Place) -> bytes:
        """A record; blocks. CorruptValue: it is not there."""

    def punch(self, segment: int, spans: Sequence[tuple[int, int]]) -> None:
        """Gives back the space of spans (offset, length) of a segment; blocks."""

    def remove(self, segment: int) -> None:
        """Lets go of a whole segment; blocks; harmless when it is gone."""

    def numbers(self) -> Iterable[int]:
        """The segments that there are."""

    def close(self) -> None:
        """Lets go of the files."""
