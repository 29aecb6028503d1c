"""What an account usually sends, and what is not usual."""

from hypothesis import given
from hypothesis import strategies as st

from relay.core.traffic import (
    LEAST_DAYS,
    LEAST_SURPRISE,
    MISSED,
    SPAN,
    TIMES_USUAL,
    Surprise,
    is_silent,
    missed_days,
    surprise_of,
)

MONDAY = 4
"""The fifth of January 1970."""

WORKDAYS = range(5)


def practice(weeks: int, many: int = 30) -> dict[int, int]:
    """Mail from Monday to Friday."""
    return {MONDAY + 7 * week + day: many for week in range(weeks) for day in WORKDAYS}


def test_a_weekend_is_no_silence_and_two_workdays_without_mail_are() -> None:
    sent, friday = practice(6), MONDAY + 7 * 5 + 4
    assert not any(is_silent(sent, friday + days) for days in range(1, 5)), (
        "Saturday, Sunday, Monday, and Tuesday so far"
    )
    assert missed_days(sent, friday + 4) == 1
    assert is_silent(sent, friday + 5)
    assert missed_days(sent, friday + 7) == 4


def test_one_holiday_is_no_silence() -> None:
    sent = practice(6)
    holiday = MONDAY + 7 * 5 + 2
    del sent[holiday]
    assert not any(is_silent({day: 1 for day in sent if day < today}, today) for today in (holiday + 1, holiday + 2))


def test_who_sends_on_mondays_alone_is_silent_after_two_mondays() -> None:
    sent = {MONDAY + 7 * week: 9 for week in range(6)}
    last = max(sent)
    assert not is_silent(sent, last + 14)
    assert is_silent(sent, last + 15)


def test_who_sends_now_and_then_is_never_silent() -> None:
    sent = {MONDAY + 11 * turn: 2 for turn in range(4)}
    assert not any(is_silent(sent, max(sent) + days) for days in range(1, 100))


def test_mail_of_today_ends_the_silence() -> None:
    sent = practice(6)
    today = max(sent) + 30
    assert is_silent(sent, today - 20)
    assert not is_silent({**sent, today: 1}, today)


def test_what_was_before_the_weeks_that_are_looked_at_is_forgotten() -> None:
    sent = practice(6)
    assert not is_silent(sent, max(sent) + SPAN + 7 * MISSED + 1)


def test_a_day_far_above_the_usual_is_a_surprise_and_a_busy_monday_is_none() -> None:
    sent = practice(4)
    today = max(sent) + 3
    assert surprise_of({**sent, today: 3 * 30}, today) is None
    assert surprise_of({**sent, today: TIMES_USUAL * 30}, today) == Surprise(150, 30)


def test_who_always_sends_in_bursts_surprises_nobody() -> None:
    sent = practice(4, many=10) | {MONDAY + 7: 400}
    today = max(sent) + 3
    assert surprise_of({**sent, today: 500}, today) is None
    assert surprise_of({**sent, today: 800}, today) == Surprise(800, 10)


def test_little_mail_is_never_too_much_and_who_is_new_has_no_usual() -> None:
    sent = practice(4, many=1)
    today = max(sent) + 3
    assert surprise_of({**sent, today: LEAST_SURPRISE - 1}, today) is None
    few = dict.fromkeys(range(today - LEAST_DAYS + 1, today), 1)
    assert surprise_of({**few, today: 10_000}, today) is None


days = st.dictionaries(st.integers(0, 200), st.integers(1, 500), max_size=60)


@given(days, st.integers(0, 250))
def test_nobody_is_judged_by_fewer_days_than_make_a_usual(sent: dict[int, int], today: int) -> None:
    seen = {day: many for day, many in sent.items() if day <= today}
    if len(seen) < LEAST_DAYS:
        assert not is_silent(seen, today)
        assert surprise_of(seen, today) is None


@given(days, st.integers(0, 250))
def test_more_mail_today_never_makes_it_less_of_a_surprise(sent: dict[int, int], today: int) -> None:
    found = surprise_of(sent, today)
    if found is not None:
        assert surprise_of({**sent, today: sent[today] + 1}, today) is not None


@given(days, st.integers(0, 250))
def test_silence_lasts_until_there_is_mail_or_it_is_too_long_ago(sent: dict[int, int], today: int) -> None:
    seen = {day: many for day, many in sent.items() if day < today}
    if is_silent(seen, today) and today + 1 - max(seen) <= SPAN:
        assert is_silent(seen, today + 1)
