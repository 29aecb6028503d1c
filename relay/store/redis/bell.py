"""Waiting for a change, whichever node made it.

Law: `wait` returns at once if the count has moved past the mark, else when it moves, or at its time.
"""

from collections.abc import Callable
from typing import Protocol

from relay.core.limits import Instant
from relay.store.engine.waiting import Bell


class Rope(Protocol):
    """What rings at this node when anything changed."""

    def pull(self, count: int) -> None:
        """This node has heard that so many changes were made."""

    async def wait(self, mark: int, until: Instant | None, now: Callable[[], Instant], /) -> None:
        """Returns when the count is not `mark`, or at `until`."""

    def close(self) -> None:
        """Lets go of what it listens to."""


class OwnBell:
    """Of one process: rung by what this node hears; a world on one loop rings several of them."""

    def __init__(self) -> None:
        self._bell = Bell()
        self._count = 0

    def pull(self, count: int) -> None:
        """Changes are counted upwards; who heard of more is right."""
        if count > self._count:
            self._count = count
            self._bell.ring(count)

    def set(self, count: int) -> None:
        """So many changes were made, as the store says: fewer than were heard of, where a failover took some back."""
        self._count = count
        self._bell.ring(count)

    async def wait(self, mark: int, until: Instant | None, now: Callable[[], Instant], /) -> None:
        """As the bell of one store."""
        await self._bell.wait(mark, until, now)

    def close(self) -> None:
        """Nothing."""
