"""Days of the provider's calendar open five minutes after midnight, and a day is 23, 24 or 25 hours long."""

from datetime import datetime
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest

from relay.core.calendar import DOUBT, CalendarWindow
from relay.core.limits import HOUR, MINUTE, SECOND, Limit

ROME = ZoneInfo("Europe/Rome")


def at(text: str) -> int:
    """The instant of a local time in Rome."""
    return round(datetime.fromisoformat(text).replace(tzinfo=ROME).timestamp()) * SECOND


def window_of(count: int, offset: int = 0) -> CalendarWindow:
    return CalendarWindow(Limit(count, 0), ROME, offset)


def send(window: CalendarWindow, started: int, ended: int | None = None) -> None:
    window.start(started)
    window.end(started, started if ended is None else ended)


def test_a_full_day_opens_five_minutes_after_the_next_midnight() -> None:
    window = window_of(1)
    send(window, at("2027-06-01 12:00"))
    assert window.opens_at(at("2027-06-01 12:01")) == at("2027-06-02 00:05")
    assert not window.has_room(at("2027-06-02 00:05") - 1)
    assert window.has_room(at("2027-06-02 00:05"))


@pytest.mark.parametrize("moment", ["2027-06-01 23:56", "2027-06-01 23:59:59"])
def test_an_attempt_near_midnight_counts_in_both_days(moment: str) -> None:
    window = window_of(1)
    send(window, at(moment))
    assert window.opens_at(at(moment)) == at("2027-06-03 00:05")


def test_an_attempt_that_ends_on_the_next_day_counts_in_both() -> None:
    window = window_of(1)
    send(window, at("2027-06-01 23:00"), at("2027-06-02 01:00"))
    assert window.opens_at(at("2027-06-02 01:00")) == at("2027-06-03 00:05")


def test_nothing_starts_in_the_five_minutes_after_midnight() -> None:
    window = window_of(5)
    assert not window.has_room(at("2027-06-02 00:00"))
    assert window.room(at("2027-06-02 00:04")) == 0
    assert window.opens_at(at("2027-06-02 00:00")) == at("2027-06-02 00:05")
    assert window.room(at("2027-06-02 00:05")) == 5


@pytest.mark.parametrize(
    ("day", "following", "hours"), [("2027-03-28", "2027-03-29", 23), ("2026-10-25", "2026-10-26", 25)]
)
def test_a_day_on_which_the_clocks_change_is_as_long_as_it_is(day: str, following: str, hours: int) -> None:
    window, opening = window_of(1), at(f"{day} 00:05")
    send(window, opening)
    assert window.opens_at(opening) == at(f"{following} 00:05") == opening + hours * HOUR


def test_the_day_follows_the_civil_clock_not_relay_time() -> None:
    offset = 3 * HOUR
    window = window_of(1, offset)
    send(window, at("2027-06-01 12:00") - offset)
    assert window.opens_at(at("2027-06-01 12:01") - offset) == at("2027-06-02 00:05") - offset
    window.set_offset(0)
    assert window.opens_at(at("2027-06-01 12:01")) == at("2027-06-02 00:05"), "what was counted on a day stays there"


def test_a_running_attempt_holds_its_slot_on_every_day() -> None:
    window = window_of(1)
    window.start(at("2027-06-01 12:00"))
    assert window.opens_at(at("2027-06-05 12:00")) is None
    window.give_back(at("2027-06-01 12:00"))
    assert window.has_room(at("2027-06-01 12:00"))


def test_a_day_is_never_slowed_but_keeps_a_share_for_express() -> None:
    window = window_of(10)
    window.set_slow(32)
    assert window.ceiling() == 10
    assert window.ceiling(Fraction(1, 5)) == 8


def test_slots_come_back_with_the_days() -> None:
    window = window_of(3)
    send(window, at("2027-06-01 12:00"))
    send(window, at("2027-06-01 23:58"))
    assert window.openings(at("2027-06-01 23:58")) == [(at("2027-06-02 00:05"), 1), (at("2027-06-03 00:05"), 1)]
    assert window.openings(at("2027-06-04 12:00")) == []


def test_an_attempt_that_counts_in_three_days_frees_its_slot_with_the_last() -> None:
    window = window_of(3)
    send(window, at("2027-06-01 12:00"), at("2027-06-03 12:00"))
    assert window.openings(at("2027-06-01 13:00")) == [(at("2027-06-04 00:05"), 1)]


def test_a_past_day_is_forgotten() -> None:
    window = window_of(3)
    send(window, at("2027-06-01 12:00"))
    assert not window.is_idle(at("2027-06-01 13:00"))
    assert window.is_idle(at("2027-06-02 00:05"))
    window.start(at("2027-06-02 12:00"))
    window.give_back(at("2027-06-02 12:00"))
    assert window.used(at("2027-06-01 13:00")) == 0


def test_the_doubt_is_five_minutes() -> None:
    assert DOUBT == 5 * MINUTE
