"""How many replicas a confirmation waits for, and since when one of them is missing.

Law: while a replica that was counted does not answer nothing durable is accepted, for at most GIVEN_UP; then it is no
longer counted, and that is said until it is back; but never fewer are counted than the primary itself demands.
"""

from relay.core.limits import MINUTE, Instant
from relay.store.redis.durability import Flaw

GIVEN_UP = MINUTE
"""A replica that restarts is back sooner; one that is not stops the mail no longer than this.

It is longer than a failover takes, so that a primary cut off from its replicas accepts nothing until its successor has
been chosen.
"""


class Replicas:
    """What is known about the followers of the primary; lives through reconnects."""

    def __init__(self) -> None:
        self.counted = 0
        self._least = 0
        self._primary = ""
        self._short_since: Instant | None = None
        self._missing = 0

    @property
    def is_short(self) -> bool:
        """Whether one that was counted did not answer when last asked."""
        return self._short_since is not None

    def demanded(self, least: int) -> None:
        """The primary's `min-replicas-to-write`: with fewer it takes nothing. Redis 6.2 does not ask it of scripts."""
        self._least = least
        self.counted = max(self.counted, least)

    def met(self, primary: str, seen: int, now: Instant) -> None:
        """Connected to `primary`, which has so many. After a failover one fewer is waited for: it is the primary."""
        if primary != self._primary and self.counted > self._least:
            self.counted -= 1
            self._missing += 1
        self._primary = primary
        self.listed(seen, now)

    def listed(self, seen: int, now: Instant) -> None:
        """The primary names so many; that one of them is slow shows only when it is asked to confirm."""
        if seen > self.counted:
            self._missing = max(self._missing - (seen - self.counted), 0)
            self.counted = seen
        elif seen < self.counted:
            self.answered(seen, now)

    def answered(self, seen: int, now: Instant) -> None:
        """So many confirmed; more than were counted may be the same one twice, so that only `listed` counts more."""
        if seen >= self.counted:
            self._short_since = None
            return
        if self._short_since is None:
            self._short_since = now
        if now - self._short_since >= GIVEN_UP:
            left = max(seen, self._least)
            self._missing += self.counted - left
            self.counted = left
            if seen >= left:
                self._short_since = None

    def flaws(self) -> list[Flaw]:
        """What is to be said about them."""
        found = []
        if self._short_since is not None:
            end = "until it does" if self.counted <= self._least else "until it does, or is given up"
            found.append(f"a replica of the store does not answer: no mail is accepted or sent {end}")
        if self._missing:
            found.append(
                f"mail is confirmed by {self.counted} replicas of the store, {self._missing} fewer than before: start "
                "the others again; until then, mail is lost with fewer servers"
            )
        return [Flaw("replica", text) for text in found]
