"""Attempts are counted per login and address, in a rolling window, in bounded memory."""

from relay.submission.guesses import GUESSES_MOST, KEYS_MOST, LOGIN_MOST, WINDOW_SECONDS, Guesses


def guessed(count: int, login: str = "studio") -> Guesses:
    guesses = Guesses()
    for second in range(count):
        guesses.begin(login, "10.0.0.1", float(second))
    return guesses


def test_the_tenth_locks_and_the_window_rolls() -> None:
    assert not guessed(GUESSES_MOST - 1).is_locked("studio", "10.0.0.1", 20.0)
    guesses = guessed(GUESSES_MOST)
    assert guesses.is_locked("studio", "10.0.0.1", WINDOW_SECONDS - 0.001)
    assert not guesses.is_locked("studio", "10.0.0.1", WINDOW_SECONDS)


def test_others_are_not_locked() -> None:
    guesses = guessed(GUESSES_MOST)
    assert not guesses.is_locked("studio", "10.0.0.2", 20.0)
    assert not guesses.is_locked("Studio", "10.0.0.1", 20.0)


def test_a_right_password_unlocks() -> None:
    guesses = guessed(GUESSES_MOST)
    guesses.right("studio", "10.0.0.1")
    guesses.right("never", "10.0.0.1")
    assert not guesses.is_locked("studio", "10.0.0.1", 20.0)


def test_a_giant_login_is_remembered_by_its_beginning() -> None:
    guesses = guessed(GUESSES_MOST, "x" * 10_000)
    assert guesses.is_locked("x" * LOGIN_MOST, "10.0.0.1", 20.0)


def test_memory_is_bounded_and_the_oldest_goes_first() -> None:
    guesses = guessed(GUESSES_MOST)
    for number in range(KEYS_MOST):
        guesses.begin(f"login-{number}", "10.0.0.1", 20.0)
    assert len(guesses._attempts) == KEYS_MOST
    assert not guesses.is_locked("studio", "10.0.0.1", 20.0)
