"""A limit that counts the days of the provider's calendar instead of a rolling window.

Law: an attempt counts in every day that its time from start to end touches, five minutes more on each side, and a day
opens five minutes after its midnight; so a provider whose clock is off by less than that never counts more.
"""

from datetime import date, datetime, time, timedelta, tzinfo
from fractions import Fraction

from relay.core.limits import MINUTE, Instant, Limit

DOUBT: int = 5 * MINUTE
"""How far the provider's midnight may be from ours."""


def day_ends(now: Instant, zone: tzinfo, offset: int) -> Instant:
    """When the provider's day is over for certain, and the next one open; `offset` is civil minus relay time."""
    return CalendarWindow(Limit(1, 0), zone, offset).next_day(now)


class CalendarWindow:
    """The memory of one `N/calendar-day`: attempts in flight, and how many were counted on each day."""

    __slots__ = ("_days", "_offset", "_zone", "count", "in_flight")

    def __init__(self, limit: Limit, zone: tzinfo, offset: int) -> None:
        """`offset` is civil time minus relay time, in microseconds since 1970 UTC."""
        self.count = limit.count
        self.in_flight = 0
        self._zone = zone
        self._offset = offset
        self._days: dict[date, int] = {}

    def copy(self) -> "CalendarWindow":
        """Another memory of the same, to look ahead with."""
        other = CalendarWindow(Limit(self.count, 0), self._zone, self._offset)
        other.in_flight, other._days = self.in_flight, self._days.copy()
        return other

    def set_offset(self, offset: int) -> None:
        """Takes over a corrected civil clock; days already counted stay."""
        self._offset = offset

    def set_slow(self, slow: int) -> None:
        """A day's limit is never slowed: the quota's own reply handles it."""

    def ceiling(self, share: Fraction = Fraction(0)) -> int:
        """How many may be counted in a day when `share` of it is left free; at least 1."""
        return max(1, int(self.count * (1 - share)))

    def start(self, now: Instant) -> None:
        """An attempt takes its slot."""
        self.in_flight += 1
        first = self._day(now - DOUBT)
        for day in [day for day in self._days if day < first]:
            del self._days[day]

    def give_back(self, started: Instant) -> None:
        """An attempt whose MAIL FROM was never written returns its slot."""
        self.in_flight -= 1

    def end(self, started: Instant, at: Instant) -> None:
        """An attempt ends at `at`."""
        self.in_flight -= 1
        self.remember(started, at)

    def remember(self, started: Instant, at: Instant, many: int = 1) -> None:
        """Counts attempts that ran from `started` to `at` in every day they may have been counted in."""
        day, last = self._day(started - DOUBT), self._day(at + DOUBT)
        while day <= last:
            self._days[day] = self._days.get(day, 0) + many
            day += timedelta(days=1)

    def used(self, now: Instant) -> int:
        """Slots taken at `now`: attempts in flight, and those counted today or, around midnight, in the fuller day."""
        today, tomorrow = self._day(now - DOUBT), self._day(now + DOUBT)
        return self.in_flight + max(self._days.get(today, 0), self._days.get(tomorrow, 0))

    def has_room(self, now: Instant, share: Fraction = Fraction(0)) -> bool:
        """Whether one more attempt may start at `now`."""
        return self._is_open(now) and self.used(now) + 1 <= self.ceiling(share)

    def room(self, now: Instant) -> int:
        """How many attempts more could start at `now`."""
        return max(0, self.ceiling() - self.used(now)) if self._is_open(now) else 0

    def _is_open(self, now: Instant) -> bool:
        """Whether midnight is past for certain."""
        return self._day(now - DOUBT) == self._day(now)

    def opens_at(self, now: Instant, share: Fraction = Fraction(0)) -> Instant | None:
        """The earliest instant with room if nothing else happens; None: only the end of an attempt can make room."""
        if self.has_room(now, share):
            return now
        day, ceiling = self._day(now - DOUBT), self.ceiling(share)
        while True:
            day += timedelta(days=1)
            opening = self._opening(day)
            taken = self.in_flight + max(self._days.get(day, 0), self._days.get(self._day(opening + DOUBT), 0))
            if opening >= now and taken + 1 <= ceiling:
                return opening
            if self.in_flight + 1 > ceiling:
                return None

    def openings(self, now: Instant) -> list[tuple[Instant, int]]:
        """The instants at which slots come back if nothing else happens, in order, and how many each."""
        used, openings, day = self.used(now) - self.in_flight, [], self._day(now - DOUBT)
        while used > 0:
            day += timedelta(days=1)
            left = max((count for other, count in self._days.items() if other >= day), default=0)
            if left < used:
                openings.append((max(now, self._opening(day)), used - left))
                used = left
        return openings

    def is_idle(self, now: Instant) -> bool:
        """Whether nothing is left to remember, so that the window need not be in memory."""
        first = self._day(now - DOUBT)
        return self.in_flight == 0 and all(day < first for day in self._days)

    def next_day(self, now: Instant) -> Instant:
        """When the day after today opens."""
        return self._opening(self._day(now - DOUBT) + timedelta(days=1))

    def _day(self, at: Instant) -> date:
        return datetime.fromtimestamp((at + self._offset) / 1_000_000, self._zone).date()

    def _opening(self, day: date) -> Instant:
        midnight = datetime.combine(day, time(), self._zone)
        return round(midnight.timestamp() * 1_000_000) + DOUBT - self._offset
