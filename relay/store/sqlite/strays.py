"""Bodies in the segments that the database does not know of: never answered, or the database lost what it knew.

Law: more of them than a crash leaves is a sign of damage, and then nothing of them is let go without a copy aside.
"""

from dataclasses import dataclass

from relay.store.engine.statements import load_statements
from relay.store.segments import Segments
from relay.store.sqlite.database import Database

_SQL = load_statements("store")


@dataclass(frozen=True, slots=True)
class Strays:
    """What lies behind the last body that the database knows."""

    segment: int
    """The last segment that it knows; 0: none."""
    tail_bytes: int
    """Behind the last body in it."""
    newer: dict[int, int]
    """Segments begun after it, and how much is in each."""

    @property
    def many_bytes(self) -> int:
        """All of it."""
        return self.tail_bytes + sum(self.newer.values())


def find_strays(database: Database, segments: Segments) -> Strays:
    """Looks for them; blocks for a query of one row, and a look at the last files."""
    known: dict[int, int] = dict(database.read(_SQL["get_segments"]))
    last, end = database.read_one(_SQL["last_body"]) or (0, 0)
    newest = max(last, *known, 0)
    tail = segments.data_behind(last, end) if last and newest == last else 0
    newer = {number: segments.data_behind(number, 0) for number in segments.numbers() if number > newest}
    return Strays(newest, tail, newer)


def set_aside(strays: Strays, segments: Segments) -> None:
    """Keeps a copy of all of it; a segment that the database knows stays where it is, too."""
    if strays.tail_bytes:
        segments.set_aside(strays.segment, is_needed=True)
    for number in strays.newer:
        segments.set_aside(number, is_needed=False)
