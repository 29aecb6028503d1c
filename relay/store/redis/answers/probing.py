"""The probe of a mailbox that is stopped: whose turn it is, and whose a refusal was.

Law: a recipient is known by his keyed hash alone.
"""

from relay.store.engine.ledger import Row
from relay.store.redis.answers.past import attempts_since, next_ready, with_deliveries
from relay.store.redis.ledger import RedisLedger


def next_probe(ledger: RedisLedger, account: int, lane: int, up_to: int, mailbox: int, since: int) -> list[Row]:
    """The oldest ready delivery of a lane of an account to whom the mailbox was not refused since an instant, of the
    kinds up to one.
    """
    met = (row for row in attempts_since(ledger, mailbox, since) if row["likeness"] is not None)
    refused = {delivery["recipient_hash"] for _, delivery in with_deliveries(ledger, met)}
    found = next_ready(
        ledger, account, lane, lambda row, message: message["kind"] <= up_to and row["recipient_hash"] not in refused
    )
    return [] if found is None else [(found,)]


def recipient_of(ledger: RedisLedger, delivery: int) -> list[Row]:
    """To whom a delivery goes (keyed hash)."""
    return [(row["recipient_hash"],) for row in ledger.glance("deliveries", [delivery])]


def last_of_recipient(ledger: RedisLedger, mailbox: int, since: int, attempt: int, recipient: bytes) -> list[Row]:
    """How the last attempt but this one of a mailbox at a recipient ended, since an instant."""
    others = (row for row in attempts_since(ledger, mailbox, since) if row["id"] != attempt)
    found = [row for row, delivery in with_deliveries(ledger, others) if delivery["recipient_hash"] == recipient]
    return [(row["class"], row["ended_at"]) for row in sorted(found, key=lambda row: -int(row["id"]))[:1]]


def others_delivered(ledger: RedisLedger, mailbox: int, since: int, recipient: bytes) -> list[Row]:
    """Whether a mail to somebody else, begun since an instant, went through."""
    found = attempts_since(ledger, mailbox, since)
    went = (row for row in found if row["started_at"] >= since and row["class"] == "delivered")
    others = (each for _, each in with_deliveries(ledger, went) if each["recipient_hash"] != recipient)
    return [(1,)] if any(others) else []
