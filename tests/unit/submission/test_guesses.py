"""Attempts are counted per login and address, per login and per address, in a rolling window, in bounded memory."""

import pytest

from relay.submission import guesses as module
from relay.submission.guesses import GUESSES_MOST, SIEGE_GUESSES, SPRAY_GUESSES, WINDOW_SECONDS, Guesses

HOME, BOT = "10.0.0.1", "198.51.100.{}"


def guessed(count: int, login: str = "studio") -> Guesses:
    guesses = Guesses()
    for second in range(count):
        guesses.begin(login, HOME, float(second))
    return guesses


def test_the_tenth_locks_and_the_window_rolls() -> None:
    assert not guessed(GUESSES_MOST - 1).is_locked("studio", HOME, 20.0)
    guesses = guessed(GUESSES_MOST)
    assert guesses.is_locked("studio", HOME, WINDOW_SECONDS - 0.001)
    assert not guesses.is_locked("studio", HOME, WINDOW_SECONDS)


def test_others_are_not_locked() -> None:
    guesses = guessed(GUESSES_MOST)
    assert not guesses.is_locked("studio", "10.0.0.2", 20.0)
    assert not guesses.is_locked("Studio", HOME, 20.0)


def test_a_right_password_unlocks() -> None:
    guesses = guessed(GUESSES_MOST)
    guesses.right("studio", HOME)
    guesses.right("never", HOME)
    assert not guesses.is_locked("studio", HOME, 20.0)


def test_an_attempt_that_was_taken_back_does_not_count() -> None:
    guesses = guessed(GUESSES_MOST)
    guesses.take_back("studio", HOME)
    guesses.take_back("never", HOME)
    assert not guesses.is_locked("studio", HOME, 20.0)


def test_a_login_besieged_from_everywhere_hears_each_address_once() -> None:
    guesses = Guesses()
    for number in range(SIEGE_GUESSES):
        guesses.begin("studio", BOT.format(number), 0.0)
    assert guesses.is_locked("studio", BOT.format(3), 1.0)
    assert not guesses.is_locked("studio", HOME, 1.0), "the practice itself was never locked out"
    guesses.begin("studio", HOME, 1.0)
    assert guesses.is_locked("studio", HOME, 2.0)
    assert not guesses.is_locked("other", HOME, 2.0)
    assert not guesses.is_locked("studio", HOME, 1.0 + WINDOW_SECONDS)


def test_an_address_that_tries_many_logins_is_heard_once_for_each() -> None:
    guesses = Guesses()
    for number in range(SPRAY_GUESSES):
        guesses.begin(f"login-{number}", HOME, 0.0)
    assert guesses.is_locked("login-3", HOME, 1.0)
    assert not guesses.is_locked("studio", HOME, 1.0)
    assert not guesses.is_locked("login-3", "10.0.0.2", 1.0)


def test_a_login_of_any_length_takes_no_more_memory_than_another() -> None:
    guesses = guessed(GUESSES_MOST, "x" * 10_000)
    assert guesses.is_locked("x" * 10_000, HOME, 20.0)
    assert {len(key) for key in guesses._here._times} == {16}


def test_memory_is_bounded_and_who_was_quiet_for_longest_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KEYS_MOST", 50)
    guesses = guessed(GUESSES_MOST)
    for number in range(49):
        guesses.begin(f"login-{number}", HOME, 20.0)
    assert guesses.is_locked("studio", HOME, 20.0)
    guesses.begin("login-50", HOME, 20.0)
    assert not guesses.is_locked("studio", HOME, 20.0)
    assert len(guesses._here._times) == 50


def test_what_is_older_than_the_window_is_forgotten_by_itself() -> None:
    guesses = guessed(GUESSES_MOST)
    guesses.begin("other", "10.0.0.2", 2 * WINDOW_SECONDS)
    assert len(guesses._here._times) == len(guesses._for_login._times) == len(guesses._from_address._times) == 1
