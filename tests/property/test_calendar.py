"""The promise for days of a calendar: whatever its clock says within five minutes, no day of the provider is too full.

Law: the judge reads the provider's own, shifted clock; the relay never learns by how much it is off.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st

from relay.core.calendar import DOUBT, CalendarWindow
from relay.core.ledger import MailboxLedger, Window
from relay.core.limits import HOUR, MINUTE, SECOND, Instant, Limit, RollingWindow
from tests.judge import worst_day, worst_window
from tests.property.limiter_world import Fate, Plan, World

ROME = ZoneInfo("Europe/Rome")
ZONES = [ROME, ZoneInfo("America/Havana"), ZoneInfo("Africa/Cairo"), ZoneInfo("Pacific/Auckland")]
"""Rome, two whose clocks change at midnight itself, and one far ahead."""

DAYS = [
    date(2026, 10, 25),
    date(2027, 3, 28),
    date(2027, 6, 1),
    date(2026, 11, 1),
    date(2027, 3, 14),
    date(2026, 4, 24),
]
"""Days on which some of these zones change their clocks, and one quiet day."""

FINDS = settings(max_examples=5000, derandomize=True, database=None, phases=[Phase.generate])

spans = st.sampled_from([0, 1, MINUTE, 5 * MINUTE, 6 * MINUTE, HOUR, 6 * HOUR]) | st.integers(0, 6 * MINUTE)
plan = st.builds(
    Plan,
    gap=spans | st.just(0),
    latency=spans,
    fate=st.sampled_from([Fate.REPLY, Fate.HANG_UP, Fate.BEFORE_MAIL]),
    counted=st.sampled_from([0, 50, 100]),
    crash=st.none() | st.none() | st.none() | spans,
)


@dataclass(frozen=True)
class Case:
    """A calendar-day limit, what arrives around a midnight, and how wrong the provider's clock is."""

    count: int
    zone: tzinfo
    day: date
    before_midnight: int
    plans: tuple[Plan, ...]
    clock_off: int
    offset: int
    linger: int

    def midnight(self, later: int = 0) -> Instant:
        """Relay time of a midnight."""
        local = datetime.combine(self.day + timedelta(days=later), time(), self.zone)
        return round(local.timestamp() * SECOND) - self.offset

    def world(self, window: type[CalendarWindow] = CalendarWindow, *others: Limit) -> World:
        """The world in which these attempts run."""

        def remake() -> MailboxLedger:
            ledger, limit = MailboxLedger(()), Limit(self.count, 0)
            windows: list[Window] = [window(limit, self.zone, self.offset)]
            ledger.windows = windows + [RollingWindow(other) for other in others]
            return ledger

        return World(remake, self.plans, self.linger, now=self.midnight() - self.before_midnight)

    def is_exceeded(self, world: World) -> bool:
        """Whether the provider counted too many on one of its days."""
        civil = [instant + self.offset for instant in world.counted]
        return worst_day(civil, self.zone, self.clock_off) > self.count


def cases_in(zones: list[ZoneInfo], days: list[date]) -> st.SearchStrategy[Case]:
    """Attempts that start up to an hour or so before a midnight."""
    return st.builds(
        Case,
        count=st.integers(1, 3),
        zone=st.sampled_from(zones),
        day=st.sampled_from(days),
        before_midnight=st.sampled_from([MINUTE, 6 * MINUTE, 30 * MINUTE, HOUR]) | spans,
        plans=st.lists(plan, min_size=1, max_size=10).map(tuple),
        clock_off=st.sampled_from([-5 * MINUTE, -1, 0, 1, 5 * MINUTE]) | st.integers(-5 * MINUTE, 5 * MINUTE),
        offset=st.sampled_from([0, 1_700_000_000 * SECOND]),
        linger=st.sampled_from([0, 2 * MINUTE, HOUR, HOUR]),
    )


cases = cases_in(ZONES, DAYS)
roman = cases_in([ROME], DAYS[:3])


@settings(max_examples=300)
@given(cases)
def test_no_day_of_the_provider_holds_more_than_the_limit(case: Case) -> None:
    assert not case.is_exceeded(case.world().play())


@given(cases, st.integers(1, 3), st.sampled_from([MINUTE, 7 * MINUTE, 2 * HOUR]))
def test_calendar_days_and_rolling_windows_hold_together(case: Case, count: int, width: int) -> None:
    world = case.world(CalendarWindow, Limit(count, width)).play()
    assert not case.is_exceeded(world)
    assert worst_window(world.counted, width) <= count


# planted


class OpensAtMidnight(CalendarWindow):
    """Trusts that both clocks agree about midnight."""

    __slots__ = ()

    def used(self, now: Instant) -> int:
        return self.in_flight + self._days.get(self._day(now), 0)

    def has_room(self, now: Instant, *share: object) -> bool:
        return self.used(now) + 1 <= self.ceiling()

    def _opening(self, day: date) -> Instant:
        return super()._opening(day) - DOUBT


class CountsStartDay(CalendarWindow):
    """Counts an attempt on the day on which it began."""

    __slots__ = ()

    def remember(self, started: Instant, at: Instant, many: int = 1) -> None:
        super().remember(started, started, many)


class CountsEndDay(CalendarWindow):
    """Counts an attempt on the day on which it ended."""

    __slots__ = ()

    def remember(self, started: Instant, at: Instant, many: int = 1) -> None:
        super().remember(at, at, many)


class NoDoubt(CalendarWindow):
    """Counts an attempt on our own days alone."""

    __slots__ = ()

    def remember(self, started: Instant, at: Instant, many: int = 1) -> None:
        self._days[self._day(started)] = self._days.get(self._day(started), 0) + many


@pytest.mark.parametrize("window", [OpensAtMidnight, CountsStartDay, CountsEndDay, NoDoubt])
def test_a_weakened_day_is_found(window: type[CalendarWindow]) -> None:
    found = find(roman, lambda case: case.is_exceeded(case.world(window).play()), settings=FINDS)
    assert not found.is_exceeded(found.world().play())


# when a day opens


def is_exact(case: Case, ledger: MailboxLedger, now: Instant) -> bool:
    """Nothing before `opens_at` among all instants at which something changes, and something at it."""
    at = ledger.opens_at(now)
    changes = [case.midnight(later) + shift for later in range(-1, 4) for shift in (-5 * MINUTE, 0, 5 * MINUTE)]
    for window in ledger.windows:
        changes += [opening for opening, _ in window.openings(now)]
    near = [change + step for change in changes for step in (-1, 0, 1) if change + step >= now]
    if at is None:
        return not any(ledger.has_room(instant) for instant in near)
    return ledger.has_room(at) and not any(
        ledger.has_room(instant) for instant in [*near, at - 1] if now <= instant < at
    )


@given(cases, st.lists(st.builds(Limit, st.integers(1, 3), st.sampled_from([MINUTE, 3 * MINUTE, HOUR])), max_size=2))
def test_opens_at_is_exact(case: Case, others: list[Limit]) -> None:
    seen: list[bool] = []
    world = case.world(CalendarWindow, *others)
    world.watch = lambda ledger, now: seen.append(is_exact(case, ledger, now))
    world.play()
    assert all(seen)
