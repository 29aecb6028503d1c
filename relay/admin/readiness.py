"""Whether this node can do its work: what is wrong, since when, and whether it stops the work.

Law: only a trouble of this node itself (store, disk, listener, no routing) makes it unready; everything else is listed
and leaves it ready, so that one doctor's wrong password takes no node out of service.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

PROBLEMS: int = 100
"""At most so many are listed: a page of a hundred says as much as one of a thousand."""


class Part(StrEnum):
    """What a node cannot work without."""

    STORE = "store"
    DISK = "disk"
    LISTENER = "listener"
    ROUTING = "routing"
    SERVICE = "service"
    """It is starting or stopping."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, in words, since when (wall time in seconds since 1970)."""

    what: str
    text: str
    since: float


class Readiness:
    """Takes note of troubles as they come and go; `clock` gives wall time in seconds since 1970."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._troubles: dict[str, Problem] = {}

    def set(self, what: str, text: str) -> bool:
        """Something is wrong; True: that is new. The same trouble in other words keeps its beginning."""
        known = self._troubles.get(what)
        self._troubles[what] = Problem(what, text, known.since if known is not None else self._clock())
        return known is None

    def clear(self, what: str) -> bool:
        """It is not wrong any more; True: it was."""
        return self._troubles.pop(what, None) is not None

    def has(self, what: str) -> bool:
        """Whether this is wrong now."""
        return what in self._troubles

    @property
    def is_ready(self) -> bool:
        """Whether this node can do its work."""
        return not any(what in self._troubles for what in Part)

    @property
    def problems(self) -> list[Problem]:
        """What is wrong, the node's own troubles first, then the oldest."""
        own = frozenset(Part)
        return sorted(self._troubles.values(), key=lambda each: (each.what not in own, each.since))[:PROBLEMS]
