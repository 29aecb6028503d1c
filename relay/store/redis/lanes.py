"""Which lane a message waits in, over all nodes: Redis remembers what came in during the last minute.

Law: express, while its client has handed in at most three messages of this account in the last minute, or asks for it;
relay/store/lua/lib/intake.lua says the same of what comes in.
"""

from relay.core.limits import Instant
from relay.core.words import AccountId, Lane
from relay.store.redis.opened import Opened
from relay.store.redis.rowkeys import recent_key

EXPRESS_MESSAGES: int = 3
EXPRESS_WINDOW: int = 60_000_000


class RedisLanes:
    """Remembers for all nodes."""

    def __init__(self, opened: Opened) -> None:
        self._opened = opened

    def choose(self, client: str, account: AccountId, now: Instant, *, wants_express: bool) -> Lane:
        """The lane of a message that comes in now."""
        key = recent_key(client, account)
        recent = [*self._recent(key), now]
        self._opened.ledger.act("lanes.remember", key, now)
        few = len(recent) <= EXPRESS_MESSAGES or recent[-EXPRESS_MESSAGES - 1] < now - EXPRESS_WINDOW
        return Lane.EXPRESS if wants_express or few else Lane.BULK

    def foreseen(self, client: str, account: AccountId, now: Instant, *, wants_express: bool) -> Lane:
        """The lane of a message that would come in now; nothing is remembered of the question."""
        recent = self._recent(recent_key(client, account))
        few = len(recent) < EXPRESS_MESSAGES or recent[-EXPRESS_MESSAGES] < now - EXPRESS_WINDOW
        return Lane.EXPRESS if wants_express or few else Lane.BULK

    def _recent(self, key: str) -> list[Instant]:
        """When the last ones came in, the oldest first."""
        return [int(at) for at in reversed(self._opened.ledger.asking.lrange(key))]
