"""What metrics and pages ask of the queue (relay/store/sql/history.sql).

Law: how many deliveries of each account wait or are held is not here: `pending.py` counts them where they lie.
"""

from relay.store.engine.ledger import Row
from relay.store.redis.ledger import RedisLedger
from relay.store.redis.tables import Id

LANES = (0, 1)
STALLED = (0, 1)
"""States of what waits for a time, and of what is held."""


def oldest_of(ledger: RedisLedger, account: int, *_: int) -> list[Row]:
    """The oldest delivery of an account that is not final."""
    firsts: list[Id] = []
    for lane in LANES:
        firsts += ledger.select("deliveries", "ready", (account, lane), most=1)
    for state in STALLED:
        firsts += ledger.select("deliveries", "stalled", (account, state), most=1)
    return [(min(map(int, firsts), default=None),)]


def accepted_at(ledger: RedisLedger, delivery: int) -> list[Row]:
    """When the message of a delivery came in."""
    messages = [row["message"] for row in ledger.glance("deliveries", [delivery])]
    return [(row["accepted_at"],) for row in ledger.glance("messages", messages)]
