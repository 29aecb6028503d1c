"""Notices of delay, as relay/store/sql/notices.sql asks for them: how far they were looked for, how many there were.

Law: an answer equals its SQL; a span of deliveries is only glanced at, so that mail that goes out meanwhile harms none.
"""

from relay.store.engine.ledger import Row
from relay.store.redis.dense import newest, upward
from relay.store.redis.ledger import RedisLedger

_ONLY: int = 1
"""The id of the one row that says how far it went."""

_HELD: int = 1
"""The last state that is not final."""


def get_notices(ledger: RedisLedger) -> list[Row]:
    """The last delivery that was looked at."""
    return [(row["delivery"],) for row in ledger.named_rows("notices", [_ONLY])]


def set_notices(ledger: RedisLedger, delivery: int) -> int:
    """The last delivery that was looked at is another."""
    ledger.put("notices", [_ONLY, delivery])
    return 1


def first_pending(ledger: RedisLedger, after: int, until: int) -> list[Row]:
    """The first delivery in a span that is not final, and when it came in."""
    for row in upward(ledger, "deliveries", after + 1, until + 1):
        if row["state"] <= _HELD:
            for message in ledger.glance("messages", [row["message"]]):
                return [(row["id"], message["accepted_at"])]
    return []


def is_pending(ledger: RedisLedger, delivery: int) -> list[Row]:
    """Whether a delivery is not final."""
    return [(int(row["state"] <= _HELD),) for row in ledger.named_rows("deliveries", [delivery])]


def newest_delivery(ledger: RedisLedger) -> list[Row]:
    """The last delivery that came in."""
    return [(newest(ledger, "deliveries"),)]


def get_noticed(ledger: RedisLedger, account: int) -> list[Row]:
    """Since when an account was sent notices, and how many."""
    return [(row["begun"], row["many"]) for row in ledger.named_rows("noticed", [account])]


def set_noticed(ledger: RedisLedger, account: int, begun: int, many: int) -> int:
    """An account is sent a notice."""
    ledger.put("noticed", [account, begun, many])
    return 1
