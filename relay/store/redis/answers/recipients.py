"""Recipients that get many mails a day, as relay/store/sql/recipients.sql asks for them.

Law: an answer equals its SQL; what is only counted is glanced at.
"""

from itertools import islice

from relay.store.engine.ledger import Row
from relay.store.redis.dense import newest, upward
from relay.store.redis.ledger import EVERYTHING, RedisLedger


def message_from(ledger: RedisLedger, seq: int) -> list[Row]:
    """The first message from a number on: when numbers grow, so do times."""
    found = next(upward(ledger, "messages", seq, EVERYTHING), None)
    return [] if found is None else [(found["seq"], found["accepted_at"])]


def last_message(ledger: RedisLedger) -> list[Row]:
    """The highest number."""
    return [(newest(ledger, "messages"),)]


def deliveries_from(ledger: RedisLedger, first: int, most: int) -> list[Row]:
    """What comes next, mail of clients and reports alike."""
    found = list(islice(upward(ledger, "deliveries", first, EVERYTHING), most))
    messages = {row["seq"]: row for row in ledger.glance("messages", (row["message"] for row in found))}
    return [
        (row["id"], row["account"], row["recipient_hash"], message["accepted_at"], message["kind"])
        for row in found
        if (message := messages.get(row["message"])) is not None
    ]


def domain_of(ledger: RedisLedger, delivery: int) -> list[Row]:
    """Where a delivery goes, sealed for its message."""
    return [
        (row["domain"], message["id"], row["id"] - row["message"], row["recipient_hash"])
        for row in ledger.glance("deliveries", [delivery])
        for message in ledger.glance("messages", [row["message"]])
    ]
