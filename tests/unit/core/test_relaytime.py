"""Relay time goes forward with the boot clock, and no step of the wall clock moves it."""

from hypothesis import given
from hypothesis import strategies as st

from relay.core.limits import HOUR
from relay.core.relaytime import Anchor, Reading, first_anchor, relay_time, resumed


def reading(boottime: int, wall: int, *, boot: str = "a", is_synchronised: bool = True) -> Reading:
    return Reading(boot, boottime, wall, is_synchronised)


START = first_anchor(reading(100, 1_000_000))


def test_it_begins_at_the_wall_clock() -> None:
    assert START.relay == 1_000_000
    assert relay_time(START, 150) == 1_000_050


def test_a_stepped_wall_clock_does_not_move_it() -> None:
    later = resumed(START, reading(200, 1_000_100 + HOUR))
    assert later.relay == 1_000_100


def test_across_a_reboot_it_passes_as_the_wall_clock_says_if_that_is_synchronised() -> None:
    assert resumed(START, reading(5, 1_000_700, boot="b")).relay == 1_000_700
    assert resumed(START, reading(5, 1_000_700, boot="b", is_synchronised=False)).relay == 1_000_000


def test_across_a_reboot_nothing_passes_if_the_clock_was_wrong_before_it() -> None:
    """An hour slow, then off, then right: the difference would be an hour too much, and windows would open early."""
    slow = resumed(START, reading(200, 1_000_100 - HOUR, is_synchronised=False))
    again = resumed(slow, reading(5, 1_000_700, boot="b"))
    assert again.relay == slow.relay
    assert resumed(again, reading(9, 1_000_900, boot="c")).relay == slow.relay + 200


def test_it_never_goes_back_whatever_the_clocks_say() -> None:
    assert resumed(START, reading(5, 3, boot="b")).relay == 1_000_000
    assert relay_time(START, 7) == 1_000_000


def test_days_follow_the_wall_clock_only_while_it_is_synchronised() -> None:
    stepped = reading(200, 1_000_100 + HOUR, is_synchronised=False)
    assert resumed(START, stepped).civil_offset == 0
    assert resumed(START, reading(200, 1_000_100 + HOUR)).civil_offset == HOUR


@given(st.lists(st.tuples(st.integers(0, 10**9), st.integers(0, 10**12), st.sampled_from("abc"), st.booleans())))
def test_no_sequence_of_readings_takes_it_back(readings: list[tuple[int, int, str, bool]]) -> None:
    anchor: Anchor = START
    for boottime, wall, boot, is_synchronised in readings:
        moved = resumed(anchor, Reading(boot, boottime, wall, is_synchronised))
        assert moved.relay >= anchor.relay
        anchor = moved
