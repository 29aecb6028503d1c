"""The last attempts of a mailbox that count, the newest first: what pages and forecasts ask.

Law: as far back as history is kept, with what this operation ends itself; others may end some before the commit.
"""

from typing import Any

from relay.store.redis.ledger import RedisLedger


def last_attempts(ledger: RedisLedger, mailbox: int, most: int) -> list[dict[str, Any]]:
    """At most so many."""
    size = most
    while True:
        ended = ledger.select("attempts", "tried", (mailbox,), most=size, reverse=True)
        counted = [row for row in ledger.glance("attempts", ended) if row["counted"]]
        if len(counted) >= most or len(ended) < size:
            return counted[:most]
        size *= 2  # some of them gave their slots back


def has_ended_since(ledger: RedisLedger, mailbox: int, since: int) -> bool:
    """Whether one ended at an instant or later."""
    return any(row["ended_at"] >= since for row in last_attempts(ledger, mailbox, 1))
