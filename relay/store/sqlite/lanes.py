"""Which lane a message waits in.

Law: express, while its client has handed in at most three messages of this account in the last minute, or asks for it.
"""

from collections import deque

from relay.core.limits import MINUTE, Instant
from relay.core.words import AccountId, Lane

EXPRESS_MESSAGES: int = 3
"""A prescription and its attachments; the fourth in a minute is a run of documents."""

EXPRESS_WINDOW: int = MINUTE

KEPT: int = 10_000
"""Pairs of client and account remembered at once; beyond it, the one goes that was silent for longest."""


RECENT: int = 2_000
"""Messages looked back at after a start; whoever sent more in its last minute is in bulk already."""


class Lanes:
    """Remembers what came in during the last minute."""

    def __init__(self) -> None:
        self._recent: dict[tuple[str, AccountId], deque[Instant]] = {}

    def choose(self, client: str, account: AccountId, now: Instant, *, wants_express: bool) -> Lane:
        """The lane of a message that comes in now."""
        recent = self.remember(client, account, now)
        is_few = len(recent) <= EXPRESS_MESSAGES or recent[0] < now - EXPRESS_WINDOW
        return Lane.EXPRESS if wants_express or is_few else Lane.BULK

    def foreseen(self, client: str, account: AccountId, now: Instant, *, wants_express: bool) -> Lane:
        """The lane of a message that would come in now; nothing is remembered of the question."""
        recent = self._recent.get((client, account), ())
        is_few = len(recent) < EXPRESS_MESSAGES or recent[-EXPRESS_MESSAGES] < now - EXPRESS_WINDOW
        return Lane.EXPRESS if wants_express or is_few else Lane.BULK

    def remember(self, client: str, account: AccountId, at: Instant) -> deque[Instant]:
        """A message came in; the last ones of this client and account."""
        recent = self._recent.pop((client, account), None)
        if recent is None:
            recent = deque(maxlen=EXPRESS_MESSAGES + 1)
        self._recent[client, account] = recent  # at the end: the first one is silent for longest
        recent.append(at)
        if len(self._recent) > KEPT:
            del self._recent[next(iter(self._recent))]
        return recent
