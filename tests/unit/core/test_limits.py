"""A limit is read as an admin writes it, shown as he wrote it, and counts exactly so many in exactly so long."""

from fractions import Fraction

import pytest

from relay.core.limits import (
    DAY,
    EXACT_COUNT,
    HOUR,
    MINUTE,
    SECOND,
    WEEK,
    Limit,
    RollingWindow,
    parse_limit,
)

# reading and showing


@pytest.mark.parametrize(
    ("text", "count", "width"),
    [
        ("150/20m", 150, 20 * MINUTE),
        ("8/m", 8, MINUTE),
        ("1/2s", 1, 2 * SECOND),
        ("5/second", 5, SECOND),
        ("60/hour", 60, HOUR),
        ("30/minute", 30, MINUTE),
        (" 60 / h ", 60, HOUR),
        ("60/H", 60, HOUR),
        ("300/d", 300, 25 * HOUR),
        ("300/day", 300, 25 * HOUR),
        ("300/2d", 300, 49 * HOUR),
        ("1000/w", 1000, 169 * HOUR),
        ("1000/2week", 1000, 337 * HOUR),
        ("900/calendar-day", 900, 0),
    ],
)
def test_a_limit_is_read(text: str, count: int, width: int) -> None:
    assert parse_limit(text) == Limit(count, width)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("150", "write N/"),
        ("150/20", "write N/"),
        ("-1/m", "write N/"),
        ("1.5/m", "write N/"),
        ("٣/m", "write N/"),
        ("0/m", "limit of nothing"),
        ("5/0m", "limit of nothing"),
        ("5/2calendar-day", "no multiple"),
        ("5/fortnight", "unknown unit 'fortnight'"),
        ("9999999999/m", "write N/"),
    ],
)
def test_what_is_no_limit_is_said(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        parse_limit(text)


@pytest.mark.parametrize("text", ["150/20m", "8/m", "1/2s", "60/h", "300/d", "300/2d", "90/calendar-day", "7/90m"])
def test_a_limit_is_shown_as_it_was_written(text: str) -> None:
    assert str(parse_limit(text)) == text


def test_a_week_is_shown_in_the_largest_unit_that_fits() -> None:
    assert str(parse_limit("1000/7d")) == "1000/w"
    assert str(Limit(3, 7)) == "3/7us"


def test_a_rolling_day_has_an_hour_more_than_the_clock_says() -> None:
    assert parse_limit("1/d").width == DAY == 25 * HOUR
    assert parse_limit("1/w").width == WEEK == 7 * 24 * HOUR + HOUR


def test_a_reserve_is_left_to_the_owners_other_devices() -> None:
    assert Limit(60, HOUR).reduced(Fraction(1, 4)) == Limit(45, HOUR)
    assert Limit(1, HOUR).reduced(Fraction(1, 4)) == Limit(1, HOUR), "at least one stays"


# counting


def test_a_slot_is_held_from_the_start_until_the_width_after_the_end() -> None:
    window = RollingWindow(Limit(1, 100))
    window.start(0)
    assert window.opens_at(50) is None, "only the end of the attempt can make room"
    window.end(0, 60)
    assert not window.has_room(160)
    assert window.has_room(161)
    assert window.opens_at(60) == 161


def test_a_slot_is_given_back_where_mail_was_not_written() -> None:
    window = RollingWindow(Limit(1, 100))
    window.start(0)
    window.give_back(0)
    assert window.has_room(0)
    assert window.is_idle(0)


def test_an_attempt_that_lingers_ends_later_than_now() -> None:
    window = RollingWindow(Limit(1, 100))
    window.start(0)
    window.end(0, 50 + 30)
    assert window.opens_at(50) == 181


def test_ends_come_in_any_order() -> None:
    window = RollingWindow(Limit(2, 100))
    window.remember(0, 90)
    window.remember(0, 30)
    assert window.openings(95) == [(131, 1), (191, 1)]
    assert window.opens_at(95) == 131


def test_bulk_leaves_the_express_share_free_in_windows_over_a_minute() -> None:
    share = Fraction(1, 5)
    assert RollingWindow(Limit(10, 2 * MINUTE)).ceiling(share) == 8
    assert RollingWindow(Limit(10, MINUTE)).ceiling(share) == 10
    assert RollingWindow(Limit(1, HOUR)).ceiling(share) == 1, "at least one stays"


@pytest.mark.parametrize(
    ("limit", "slow", "count", "width"),
    [
        (Limit(150, 20 * MINUTE), 2, 75, 20 * MINUTE),
        (Limit(8, MINUTE), 8, 1, MINUTE),
        (Limit(8, MINUTE), 32, 1, 4 * MINUTE),
        (Limit(1, 2 * SECOND), 3, 1, 6 * SECOND),
        (Limit(300, DAY), 32, 300, DAY),
    ],
)
def test_slowing_divides_the_count_and_stretches_what_that_cannot_express(
    limit: Limit, slow: int, count: int, width: int
) -> None:
    window = RollingWindow(limit)
    window.set_slow(slow)
    assert window.ceiling() == count
    for _ in range(count):
        window.start(0)
        window.end(0, 0)
    assert window.opens_at(0) == width + 1 if limit.count <= EXACT_COUNT else width + 1 <= (window.opens_at(0) or 0)


def test_a_mailbox_that_becomes_slower_starts_with_its_past() -> None:
    window = RollingWindow(Limit(1, MINUTE))
    window.start(0)
    window.end(0, 0)
    window.start(2 * MINUTE)
    window.give_back(2 * MINUTE)
    window.set_slow(4)
    assert window.opens_at(2 * MINUTE) == 4 * MINUTE + 1


def test_a_large_limit_is_remembered_in_at_most_256_buckets() -> None:
    window = RollingWindow(Limit(10_000, HOUR))
    for started in range(0, HOUR, HOUR // 10_000):
        window.start(started)
        window.end(started, started)
    assert window.used(HOUR) == 10_000
    assert len(window.openings(HOUR)) <= EXACT_COUNT


def test_a_bucket_never_ends_before_an_attempt_in_it() -> None:
    window = RollingWindow(Limit(300, HOUR))
    for started in (1, SECOND, MINUTE):
        window.start(started)
        window.end(started, started)
    assert all(opening > SECOND + HOUR for opening, _ in window.openings(HOUR)[1:])
    assert sum(many for _, many in window.openings(HOUR)) == 3


def test_what_is_too_old_is_forgotten() -> None:
    window = RollingWindow(Limit(40, MINUTE))
    for started in range(0, HOUR, 10 * SECOND):
        window.start(started)
        window.end(started, started)
    assert len(window.openings(0)) <= 40
    assert window.is_idle(2 * HOUR)
