"""Counting who gets many mails: two days, in bounded memory."""

import pytest

from relay.core import busiest
from relay.core.busiest import LISTED_FROM, TOLD_FROM, Busiest, Key


def key(number: int = 0, *, day: int = 100, account: int = 1) -> Key:
    return Key(day, account, number.to_bytes(8, "big"))


def test_it_lists_from_so_many_on_and_says_when_somebody_is_told() -> None:
    found = Busiest()
    for delivery in range(TOLD_FROM):
        assert found.reached == []
        found.add(key(), delivery)
    assert found.reached == [key()]
    found.add(key(), 99)
    assert found.reached == [key()], "once"
    ((who, busy),) = found.of(None, 0)
    assert (who, busy.many, busy.delivery) == (key(), TOLD_FROM + 1, LISTED_FROM - 1)
    assert found.told(100, 1) == 1
    assert found.told(100, 2) == found.told(99, 1) == 0


def test_a_day_that_is_over_counts_no_more() -> None:
    found = Busiest()
    for day in (100, 101, 102):
        for delivery in range(LISTED_FROM):
            found.add(key(day=day), delivery)
    assert [who.day for who, _ in found.of(None, 0)] == [102, 101]
    assert found.add(key(day=100), 1) == 0


def test_memory_is_bounded_and_who_got_fewest_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(busiest, "COUNTED_MOST", 100)
    found = Busiest()
    for delivery in range(LISTED_FROM):
        found.add(key(), delivery)
    for number in range(1, 1000):
        found.add(key(number), number)
    assert len(found.counted) <= 101
    assert [who for who, _ in found.of(None, 0)] == [key()]


def test_memory_is_bounded_even_if_all_get_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(busiest, "COUNTED_MOST", 20)
    found = Busiest()
    for number in range(50):
        for delivery in range(LISTED_FROM + 1):
            found.add(key(number), delivery)
    assert len(found.counted) <= 21
    assert set(found.listed) <= set(found.counted)
