"""Who has to be told by mail and was not: of which concern, why not, and since when.

Law: whatever is noted is shown at once; who was told, and what is over, is not shown any more.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from relay.core.telling import NoRoad

ShowsUntold = Callable[[Mapping[NoRoad, int]], None]
"""Hears what is in the way, each with since when somebody waits because of it (wall time, microseconds); empty: nobody
does."""


@dataclass(frozen=True, slots=True)
class _Hindrance:
    why: NoRoad
    since: int


class Untold:
    """The open concerns whose people were not told."""

    def __init__(self, show: ShowsUntold) -> None:
        self._show = show
        self._known: dict[int, _Hindrance] = {}

    def __contains__(self, concern: int) -> bool:
        return concern in self._known

    def note(self, concern: int, why: NoRoad | None, since: int) -> None:
        """Its people are not told because of `why`; None: they are, or nobody has to be."""
        self.remember(concern, why, since)
        self.show()

    def remember(self, concern: int, why: NoRoad | None, since: int) -> None:
        """The same, to be shown later; who waits already has waited since then."""
        if why is None:
            self._known.pop(concern, None)
        else:
            known = self._known.get(concern)
            self._known[concern] = _Hindrance(why, since if known is None else known.since)

    def show(self) -> None:
        """Says what is in the way, and since when."""
        oldest: dict[NoRoad, int] = {}
        for each in self._known.values():
            oldest[each.why] = min(each.since, oldest.get(each.why, each.since))
        self._show(oldest)

    def waiting(self, most: int) -> Sequence[int]:
        """The concerns, at most so many."""
        return list(self._known)[:most]
