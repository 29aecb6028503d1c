"""The provider's side of a limit: it sees at which instants it counted, and nothing of how the relay decides.

Law: this file shares no code with `relay/`; it counts what was counted, in closed windows and in whole civil days.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta, tzinfo

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def worst_window(instants: Iterable[int], width: int) -> int:
    """The most instants in any closed window `[x, x + width]`, found by two pointers."""
    ordered = sorted(instants)
    worst = first = 0
    for last, instant in enumerate(ordered):
        while ordered[first] < instant - width:
            first += 1
        worst = max(worst, last - first + 1)
    return worst


def worst_day(instants: Iterable[int], zone: tzinfo, clock_off: int = 0) -> int:
    """The most instants (civil, microseconds since 1970 UTC) on one day of a provider whose clock is off by so much."""
    return max(Counter(day_of(instant + clock_off, zone) for instant in instants).values(), default=0)


def day_of(instant: int, zone: tzinfo) -> date:
    """The day of a civil instant in a zone."""
    return (_EPOCH + timedelta(microseconds=instant)).astimezone(zone).date()
