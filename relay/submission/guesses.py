"""How often a login was tried with a wrong password from one address.

Law: an attempt counts from the moment it begins, so that a hundred at once are a hundred; only a right password
takes it back.
"""

from collections import deque

GUESSES_MOST: int = 10
"""Wrong attempts for one login from one address within the window."""

WINDOW_SECONDS: float = 600.0
"""A doctor who mistypes waits at most this long."""

KEYS_MOST: int = 10_000
"""Logins and addresses remembered; each new one beyond costs a hash, so nobody is pushed out cheaply."""

LOGIN_MOST: int = 256
"""Characters of a login that are told apart: a longer one is nobody's."""


class Guesses:
    """The attempts that were wrong, or are not yet decided."""

    def __init__(self) -> None:
        self._attempts: dict[tuple[str, str], deque[float]] = {}

    def is_locked(self, login: str, address: str, now: float) -> bool:
        """Whether no more attempts are heard for now (seconds)."""
        attempts = self._attempts.get((login[:LOGIN_MOST], address))
        if attempts is None:
            return False
        while attempts and attempts[0] <= now - WINDOW_SECONDS:
            attempts.popleft()
        return len(attempts) >= GUESSES_MOST

    def begin(self, login: str, address: str, now: float) -> None:
        """An attempt begins."""
        key = login[:LOGIN_MOST], address
        if key not in self._attempts and len(self._attempts) >= KEYS_MOST:
            del self._attempts[next(iter(self._attempts))]
        self._attempts.setdefault(key, deque(maxlen=GUESSES_MOST)).append(now)

    def right(self, login: str, address: str) -> None:
        """The password was right: what came before was a slip."""
        self._attempts.pop((login[:LOGIN_MOST], address), None)
