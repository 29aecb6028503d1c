"""The port of the segments: records are appended, read back by their place, and let go.

Law: after `sync` returns, every record appended before it survives a crash; a segment from before a start is never
appended to again.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol

SEGMENT_BYTES: int = 64 * 1024 * 1024
"""A new segment begins here: few files at a million messages, and soon one that is wholly done with."""

BATCH_BYTES: int = 256 * 1024
"""What a crash between the bodies' sync and the commit leaves, of mail that was never answered: seldom more. To take
more for a sign of damage costs a name in a folder, to take less for one costs mail."""


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

    def cut(self, segment: int, end: int) -> None:
        """Lets go of what lies behind `end` in a segment that is not being written; blocks."""

    def data_behind(self, segment: int, offset: int) -> int:
        """How many bytes lie in a segment from `offset` on, without what was given back."""

    def set_aside(self, segment: int, *, is_needed: bool) -> None:
        """Keeps a copy of a segment where nothing lets go of it; one that is not needed is moved there."""

    @property
    def unanswered_bytes(self) -> int:
        """Behind what the database knows of, so much may lie that nobody was ever told of; more is kept aside."""

    def numbers(self) -> Iterable[int]:
        """The segments that there are."""

    def close(self) -> None:
        """Lets go of the files."""
