"""What the schedule's Python side remembers on Redis: healths as this node has heard them, asked for at any time.

Law: it answers without asking the server; what others wrote is taken over at the beginning of each operation.
"""

from relay.core.health import Health
from relay.store.engine.remembrance import UNKNOWN, Remembrance
from relay.store.engine.values import read_health
from relay.store.redis.ledger import RedisLedger


class HeardRemembrance(Remembrance):
    """As on SQLite, with the health of every provider in memory."""

    def hear_providers(self, ledger: RedisLedger) -> None:
        """All of them, as they are written: there are some dozens."""
        for name, health in ledger.all_rows("providers"):
            self._provider_healths[name] = read_health(health)

    def provider_health(self, provider: str) -> Health:
        """A provider's health."""
        return self._provider_healths.get(provider, UNKNOWN)
