"""What is known of an account beyond its health (relay/store/sql/particulars.sql).

Law: it only reads, and never more than it is asked for.
"""

from relay.store.engine.ledger import Row
from relay.store.redis.dense import newest, upward
from relay.store.redis.lately import last_attempts
from relay.store.redis.ledger import EVERYTHING, RedisLedger


def last_sent(ledger: RedisLedger, account: int, before: int, most: int) -> list[Row]:
    """When an account handed in its last messages, and of what kind they are, the newest first."""
    keys = ledger.select("messages", "account", (account,), hi=min(before - 1, EVERYTHING), most=most, reverse=True)
    return [(row["seq"], row["accepted_at"], row["kind"]) for row in ledger.glance("messages", keys)]


def sent_since(ledger: RedisLedger, account: int, first: int, most: int) -> list[Row]:
    """Messages of an account from one on, in order."""
    keys = ledger.select("messages", "account", (account,), lo=first, most=most)
    return [(row["seq"], row["accepted_at"], row["kind"]) for row in ledger.glance("messages", keys)]


def first_from(ledger: RedisLedger, first: int) -> list[Row]:
    """The first message from one on, and when it came in."""
    for row in upward(ledger, "messages", first, EVERYTHING):
        return [(row["seq"], row["accepted_at"])]
    return []


def newest_seq(ledger: RedisLedger) -> list[Row]:
    """The last message that came in."""
    return [(newest(ledger, "messages"),)]


def last_said(ledger: RedisLedger, mailbox: int, most: int) -> list[Row]:
    """What was said at the last attempts of a mailbox, the newest first."""
    rows = last_attempts(ledger, mailbox, most)
    return [(row["ended_at"], row["stage"], row["class"], row["reply"]) for row in rows]
