"""Bodies on their way from the disk: those of one take are read together, before anybody asks.

Law: what is read ahead is bounded, is handed out once, and is forgotten with its claim.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from relay.errors import CorruptValue, StoreError
from relay.store.needs import Runner
from relay.store.segments import Place
from relay.store.sqlite.bodies import Bodies

AHEAD_BYTES: int = 256 * 1024
"""Larger bodies are read when they are asked for: a hundred claims must not fill the memory."""

Read = bytes | CorruptValue | StoreError


@dataclass(frozen=True, slots=True)
class Wanted:
    """A body to be read for an attempt."""

    attempt: int
    message: str
    place: Place


class Readings:
    """What is being read, by attempt."""

    def __init__(self, read: Runner) -> None:
        self._read = read
        self._under_way: dict[int, asyncio.Future[dict[int, Read]]] = {}

    def begin(self, bodies: Bodies, wanted: Sequence[Wanted]) -> None:
        """Reads bodies, all in one go."""
        small = [each for each in wanted if each.place.length <= AHEAD_BYTES]
        if len(small) < 2:
            return
        reading = asyncio.ensure_future(self._read(lambda: _read_each(bodies, small)))
        for each in small:
            self._under_way[each.attempt] = reading

    async def take(self, attempt: int) -> bytes | None:
        """A body that was read ahead; None: it was not. Raises what reading it raised."""
        reading = self._under_way.get(attempt)
        if reading is None:
            return None
        found = (await asyncio.shield(reading)).pop(attempt, None)
        self._under_way.pop(attempt, None)
        if isinstance(found, Exception):
            raise found
        return found

    def forget(self, attempt: int) -> None:
        """The claim is over."""
        self._under_way.pop(attempt, None)


def _read_each(bodies: Bodies, wanted: Sequence[Wanted]) -> dict[int, Read]:
    found: dict[int, Read] = {}
    for each in wanted:
        try:
            found[each.attempt] = bodies.read(each.message, each.place)
        except (CorruptValue, StoreError) as error:
            found[each.attempt] = error
    return found
