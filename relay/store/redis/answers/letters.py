"""Notices on their way by mail, as relay/store/sql/letters.sql asks for them.

Law: an answer equals its SQL.
"""

from relay.store.engine.ledger import Row
from relay.store.redis.answers.cells import cells
from relay.store.redis.ledger import RedisLedger


def add_letter(ledger: RedisLedger, message: int, concern: int, word: int, reader: str) -> int:
    """A notice is on its way by mail."""
    ledger.put("letters", [message, concern, word, reader])
    return 1


def letter_of(ledger: RedisLedger, message: int) -> list[Row]:
    """What a message tells."""
    return cells(ledger.named_rows("letters", [message]), "concern", "word", "reader")


def drop_letter(ledger: RedisLedger, message: int) -> int:
    """It arrived, or never will."""
    return ledger.drop("letters", message)


def written(ledger: RedisLedger, begin: str, end: str) -> list[Row]:
    """When a letter of a concern went into the queue last: their ids lie between two.

    `begin` is what the ids of its letters begin with, and no others (core/announcing), so that `end` says no more.
    """
    found = ledger.glance("messages", ledger.select("messages", "letters", (begin,), most=1, reverse=True))
    return [(found[0]["accepted_at"] if found and begin <= found[0]["id"] < end else None,)]
