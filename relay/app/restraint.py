"""How many lines of the log strangers may cause: whoever floods the relay must not fill its disk as well.

Law: what is left unsaid is counted, and the count is said; metrics count everything.
"""

WINDOW_SECONDS: float = 60.0
"""What is counted together."""

LINES_OF_ONE: int = 20
"""Lines a window that one address may cause: enough to see what a badly set up practice does wrong."""

LINES_OF_ALL: int = 600
"""Lines a window that all strangers may cause: 150 MB a day at the very most."""


class Restraint:
    """What strangers have caused in the present window."""

    def __init__(self) -> None:
        self._until = 0.0
        self._said = 0
        self._of: dict[str, int] = {}
        self._unsaid = 0
        self._owed = 0

    def may_say(self, peer: str, now: float) -> bool:
        """Whether one more line about this address may be written; `now` in seconds."""
        if now >= self._until:
            self._until, self._said = now + WINDOW_SECONDS, 0
            self._of.clear()
            self._owed, self._unsaid = self._owed + self._unsaid, 0
        if self._said >= LINES_OF_ALL or self._of.get(peer, 0) >= LINES_OF_ONE:
            self._unsaid += 1
            return False
        self._said += 1
        self._of[peer] = self._of.get(peer, 0) + 1
        return True

    def take_unsaid(self) -> int:
        """How many lines were not written in the windows that have ended since this was last asked."""
        owed, self._owed = self._owed, 0
        return owed
