"""The limiter: how many recipients in how long, counted so that no rolling window is ever exceeded.

Law: an attempt holds its slot from its start until the window's width after its end; one more is taken only while
attempts without an end + attempts with `end >= now - width` + this one are at most the limit's count.
Instants and widths are integers in microseconds of relay time.
"""

import re
from bisect import bisect_left
from dataclasses import dataclass
from fractions import Fraction

Instant = int
"""A point of relay time, in microseconds."""

SECOND: int = 1_000_000
MINUTE: int = 60 * SECOND
HOUR: int = 60 * MINUTE
DAY: int = 25 * HOUR
"""A rolling day as providers mean it is taken as 25 h: nobody says at which moment theirs begins."""
WEEK: int = 7 * 24 * HOUR + HOUR

EXACT_COUNT: int = 256
"""Up to this count every end is kept; above it ends share at most this many buckets, to bound memory."""

SHORT_WINDOW: int = MINUTE
"""Of windows longer than this bulk leaves the express share free; shorter ones pace and refill soon."""

SLOWED_WINDOW: int = HOUR
"""`slow` divides windows up to this width; a day's limit is the quota's matter, not the pace's."""

MOST_SLOW: int = 32
"""A window remembers as far back as the width that this slow-down stretches it to, so that one starts with its past."""

NEWCOMER_SHARE: int = 32
"""A mailbox takes a slot of a total only while held + 1 <= this x free, so that a newcomer finds room at once."""

_UNITS = {
    "s": SECOND, "second": SECOND,
    "m": MINUTE, "minute": MINUTE,
    "h": HOUR, "hour": HOUR,
    "d": DAY, "day": DAY,
    "w": WEEK, "week": WEEK,
}  # fmt: skip
_LIMIT = re.compile(r"\s*(\d{1,9})\s*/\s*(\d{0,6})\s*(calendar-day|[a-z]+)\s*", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True, order=True)
class Limit:
    """`count` recipients in every closed window of `width` microseconds, or in every calendar day (`width` 0)."""

    count: int
    width: int

    @property
    def is_calendar_day(self) -> bool:
        """Whether this counts the days of the provider's calendar instead of a rolling window."""
        return self.width == 0

    def __str__(self) -> str:
        if self.is_calendar_day:
            return f"{self.count}/calendar-day"
        for unit in "wdhms":
            many = (self.width - _width(0, unit)) // (_UNITS[unit] - _width(0, unit))
            if many > 0 and _width(many, unit) == self.width:
                return f"{self.count}/{many if many > 1 else ''}{unit}"
        return f"{self.count}/{self.width}us"

    def reduced(self, reserve: Fraction) -> "Limit":
        """This limit without the part that is left to the owner's other devices; at least 1 stays."""
        return Limit(max(1, int(self.count * (1 - reserve))), self.width)


def parse_limit(text: str) -> Limit:
    """Reads `N/[k]unit` (`150/20m`, `8/m`, `1/2s`, `300/d`, `900/calendar-day`); ValueError says what is wrong."""
    match = _LIMIT.fullmatch(text)
    if match is None:
        raise ValueError(f"not a limit: {text!r}; write N/[k]unit, such as 150/20m, 8/m or 900/calendar-day")
    count, many, unit = int(match[1]), match[2], match[3].lower()
    if count == 0 or many == "0":
        raise ValueError(f"a limit of nothing: {text!r}; both numbers must be at least 1")
    if unit == "calendar-day":
        if many:
            raise ValueError(f"calendar-day takes no multiple: {text!r}")
        return Limit(count, 0)
    if unit not in _UNITS:
        raise ValueError(f"unknown unit {unit!r} in {text!r}; known are s, m, h, d, w and calendar-day")
    return Limit(count, _width(int(many or 1), unit))


def _width(many: int, unit: str) -> int:
    """Rolling days and weeks carry one hour more than the clock says, once, not once a day."""
    if unit[0] == "d":
        return many * 24 * HOUR + HOUR
    if unit[0] == "w":
        return many * 7 * 24 * HOUR + HOUR
    return many * _UNITS[unit]


class RollingWindow:
    """The memory of one limit: attempts in flight, and the ends of those that may still be counted."""

    __slots__ = ("_counts", "_ends", "_kept", "_live", "_step", "_width", "count", "in_flight", "slow", "width")

    def __init__(self, limit: Limit) -> None:
        self.count = limit.count
        self.width = limit.width
        self.slow = 1
        self.in_flight = 0
        self._width = limit.width
        stretch = MOST_SLOW if limit.width <= SLOWED_WINDOW else 1
        self._kept = max(limit.width, limit.width * stretch // limit.count)
        self._ends: list[Instant] = []
        self._counts: list[int] = []
        self._live = 0
        self._step = 0 if limit.count <= EXACT_COUNT else limit.width // (EXACT_COUNT - 1)

    def copy(self) -> "RollingWindow":
        """Another memory of the same, to look ahead with."""
        other = RollingWindow(Limit(self.count, self.width))
        other.set_slow(self.slow)
        other.in_flight, other._live = self.in_flight, self._live
        other._ends, other._counts = self._ends.copy(), self._counts.copy()
        return other

    def set_slow(self, slow: int) -> None:
        """Divides the pace by `slow`: first the count, and what that cannot express stretches the width."""
        self.slow = slow if self.width <= SLOWED_WINDOW else 1
        self._width = self.width if self.slow <= self.count else -(-self.width * self.slow // self.count)

    def ceiling(self, share: Fraction = Fraction(0)) -> int:
        """How many may hold a slot at once when `share` of the window is left free; at least 1."""
        count = max(1, self.count // self.slow)
        return count if not share or self.width <= SHORT_WINDOW else max(1, int(count * (1 - share)))

    def start(self, now: Instant) -> None:
        """An attempt takes its slot."""
        self.in_flight += 1
        gone = bisect_left(self._ends, now - max(self._kept, self._width))
        if gone:
            self._live -= sum(self._counts[:gone])
            del self._ends[:gone], self._counts[:gone]

    def give_back(self, started: Instant) -> None:
        """An attempt whose MAIL FROM was never written returns its slot."""
        self.in_flight -= 1

    def end(self, started: Instant, at: Instant) -> None:
        """An attempt ends at `at` (with linger where its last reply is missing, so perhaps later than now)."""
        self.in_flight -= 1
        self.remember(started, at)

    def remember(self, started: Instant, at: Instant, many: int = 1) -> None:
        """Counts attempts that ended at `at`; used alone when the memory is loaded from the store."""
        self._live += many
        if not self._step:
            if not self._ends or at >= self._ends[-1]:
                self._ends.append(at)
                self._counts.append(many)
            else:
                index = bisect_left(self._ends, at)
                self._ends.insert(index, at)
                self._counts.insert(index, many)
            return
        self._into_bucket(at, many)

    def _into_bucket(self, at: Instant, many: int) -> None:
        """A bucket counts as ended at the end of its step, which is never before an end inside it."""
        at = -(-at // self._step) * self._step
        index = bisect_left(self._ends, at)
        if index < len(self._ends) and self._ends[index] == at:
            self._counts[index] += many
        else:
            self._ends.insert(index, at)
            self._counts.insert(index, many)

    def used(self, now: Instant) -> int:
        """Slots taken at `now`: attempts without an end, and those with `end >= now - width`."""
        gone = self._gone(now)
        return self.in_flight + self._live - (sum(self._counts[:gone]) if gone else 0)

    def _gone(self, now: Instant) -> int:
        """How many of the ends are too old to count at `now`; they stay, because `now` may be a look ahead."""
        ends = self._ends
        return bisect_left(ends, now - self._width) if ends and ends[0] < now - self._width else 0

    def has_room(self, now: Instant, share: Fraction = Fraction(0)) -> bool:
        """The law: whether one more attempt may start at `now`."""
        return self.used(now) + 1 <= self.ceiling(share)

    def room(self, now: Instant) -> int:
        """How many attempts more could start at `now`."""
        return max(0, self.ceiling() - self.used(now))

    def opens_at(self, now: Instant, share: Fraction = Fraction(0)) -> Instant | None:
        """The earliest instant with room if nothing else happens; None: only the end of an attempt can make room."""
        surplus = self.used(now) + 1 - self.ceiling(share)
        if surplus <= 0:
            return now
        for opening, many in self.openings(now):
            surplus -= many
            if surplus <= 0:
                return opening
        return None

    def openings(self, now: Instant) -> list[tuple[Instant, int]]:
        """The instants at which slots come back if nothing else happens, in order, and how many each."""
        gone, width = self._gone(now), self._width
        return [(end + width + 1, many) for end, many in zip(self._ends[gone:], self._counts[gone:], strict=True)]

    def is_idle(self, now: Instant) -> bool:
        """Whether nothing is left to remember, so that the window need not be in memory."""
        return self.used(now) == 0
