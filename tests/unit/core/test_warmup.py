"""A mailbox that is new to the relay begins with a part of its daily limits."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from relay.core.limits import parse_limit
from relay.core.warmup import CLEAN_DAYS, share_after, warmed


def test_it_begins_with_three_tenths_of_its_daily_limits_and_shorter_ones_are_as_they_are() -> None:
    limits = tuple(map(parse_limit, ("8/m", "60/h", "300/d", "1000/calendar-day", "5000/week")))
    assert [str(limit) for limit in warmed(limits, 0)] == ["8/m", "60/h", "90/d", "300/calendar-day", "1500/w"]


def test_a_week_of_clean_days_makes_it_as_any_other() -> None:
    limits = (parse_limit("300/d"),)
    assert [warmed(limits, days)[0].count for days in range(CLEAN_DAYS + 2)] == [
        90,
        120,
        150,
        180,
        210,
        240,
        270,
        300,
        300,
    ]


@given(st.integers(0, 1000), st.integers(1, 10_000))
def test_the_part_only_grows_and_is_never_nothing_or_more_than_all(days: int, count: int) -> None:
    assert Fraction(3, 10) <= share_after(days) <= share_after(days + 1) <= 1
    (limit,) = warmed((parse_limit(f"{count}/d"),), days)
    assert 1 <= limit.count <= count
