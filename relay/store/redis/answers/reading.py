"""What admins ask: pages of messages, the newest first, and what is known of each (relay/store/sql/reading.sql).

Law: it only reads, holds nobody to what it read, and looks at little more than it is asked for.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Any

from relay.store.engine.ledger import Row
from relay.store.redis.dense import downward, newest, upward
from relay.store.redis.lately import has_ended_since, last_attempts
from relay.store.redis.ledger import EVERYTHING, RedisLedger
from relay.store.redis.tables import Id

HASH_BYTES: int = 8
"""By so many octets of its hash a Message-ID is found, as in relay/store/redis/tables.py."""

FAILED: int = 3
"""The first state of what bounced or was cancelled."""

PAGE: int = 500
"""Rows read at once of what has no bound of its own."""

Parts = tuple[Id, ...]


def newest_messages(ledger: RedisLedger, before: int, most: int) -> list[Row]:
    """Messages before one, the newest first."""
    return [(row["seq"],) for row in islice(downward(ledger, "messages", before), most)]


def messages_of_account(ledger: RedisLedger, account: int, before: int, most: int) -> list[Row]:
    """Messages of an account before one, the newest first."""
    return [(seq,) for seq in _before(ledger, "messages", "account", (account,), before, most)]


def messages_of_id(ledger: RedisLedger, message_id: bytes, before: int, most: int) -> list[Row]:
    """Messages with a header Message-ID before one, the newest first."""
    found: list[Row] = []
    parts = (message_id[:HASH_BYTES].hex(),)
    while len(found) < most:
        keys = _before(ledger, "messages", "message_id", parts, before, most)
        rows = ledger.glance("messages", keys)
        found += [(row["seq"],) for row in rows if row["message_id_hash"] == message_id]
        if len(keys) < most:
            break
        before = keys[-1]
    return found[:most]


def ready_before(ledger: RedisLedger, account: int, lane: int, before: int, most: int) -> list[Row]:
    """Messages with a delivery of a lane of an account that is ready or being sent, the newest first."""
    keys = _before(ledger, "deliveries", "ready", (account, lane), before, most)
    return [(row["message"],) for row in ledger.glance("deliveries", keys)]


def stalled_before(ledger: RedisLedger, account: int, state: int, before: int, most: int) -> list[Row]:
    """Messages with a delivery of an account that waits for a time (0) or is held (1), the newest first."""
    keys = _before(ledger, "deliveries", "stalled", (account, state), before, most)
    return [(row["message"],) for row in ledger.glance("deliveries", keys)]


def failed_before(ledger: RedisLedger, before: int, most: int) -> list[Row]:
    """Messages with a delivery that bounced or was cancelled, the newest first."""
    keys = _before(ledger, "deliveries", "failed", (), before, most)
    return [(row["message"], row["state"], row["account"]) for row in ledger.glance("deliveries", keys)]


def deliveries_between(ledger: RedisLedger, first: int, end: int) -> list[Row]:
    """All deliveries from one to before another, the newest first."""
    rows = downward(ledger, "deliveries", end, first)
    return [(row["message"], row["state"], row["account"]) for row in rows]


def seq_of(ledger: RedisLedger, message: str) -> list[Row]:
    """Where the message with this id is."""
    return [(seq,) for seq in ledger.group("messages", "ids", message)]


def message_at(ledger: RedisLedger, seq: int) -> list[Row]:
    """A message."""
    return [
        (row["id"], row["client"], row["account"], row["accepted_at"], row["size"], row["recipients"],
         row["message_id_hash"], row["is_dated"])
        for row in ledger.glance("messages", [seq])
    ]  # fmt: skip


def deliveries_of(ledger: RedisLedger, first: int, end: int) -> list[Row]:
    """The deliveries of a message."""
    return [
        (row["id"], row["lane"], row["state"], row["due"], row["reason"], row["since"], row["expires_at"],
         row["domain"], row["recipient_hash"])
        for row in upward(ledger, "deliveries", first, end)
    ]  # fmt: skip


def attempts_of(ledger: RedisLedger, delivery: int, most: int) -> list[Row]:
    """The attempts of a delivery that ended, the oldest first."""
    keys = sorted(map(int, ledger.group("attempts", "of", delivery)))[:most] if delivery else []
    rows = ledger.glance("attempts", keys)
    return [(row["started_at"], row["ended_at"], row["stage"], row["class"], row["reply"]) for row in rows]


def newer_ready(ledger: RedisLedger, account: int, lane: int, delivery: int, most: int) -> list[Row]:
    """How many deliveries of a lane of an account are ready behind one, up to a bound."""
    return [(min(most, ledger.count("deliveries", "ready", (account, lane), lo=delivery + 1)),)]


def older_ready(ledger: RedisLedger, account: int, lane: int, delivery: int, most: int) -> list[Row]:
    """How many deliveries of a lane of an account are ready before one, up to a bound."""
    return [(min(most, ledger.count("deliveries", "ready", (account, lane), hi=delivery - 1)),)]


def last_latencies(ledger: RedisLedger, mailbox: int, most: int) -> list[Row]:
    """How long the last attempts of a mailbox took."""
    return [(row["ended_at"] - row["started_at"],) for row in last_attempts(ledger, mailbox, most)]


def last_due(ledger: RedisLedger, account: int) -> list[Row]:
    """When the last of what an account defers is tried again, or has its lifetime behind it."""
    return [(max((min(row["due"], row["expires_at"]) for row in _deferred(ledger, account)), default=None),)]


def first_held(ledger: RedisLedger, account: int, state: int) -> list[Row]:
    """Why the first of what is held of an account is."""
    keys = ledger.select("deliveries", "stalled", (account, state), lo=1, most=1)
    return [(row["reason"],) for row in ledger.glance("deliveries", keys)]


def newest_ready(ledger: RedisLedger, account: int | None, lane: int) -> list[Row]:
    """When the last of a lane of an account was accepted, and when its lifetime ends."""
    if account is None:
        return []
    keys = ledger.select("deliveries", "ready", (account, lane), most=1, reverse=True)
    return [
        (message["accepted_at"], row["expires_at"], message["is_dated"])
        for row in ledger.glance("deliveries", keys)
        for message in ledger.glance("messages", [row["message"]])
    ]


def was_active(ledger: RedisLedger, mailbox: int, since: int) -> list[Row]:
    """Whether a mailbox has sent something since an instant."""
    return [(1,)] if has_ended_since(ledger, mailbox, since) else []


def newest_delivery(ledger: RedisLedger) -> list[Row]:
    """The last delivery that came in."""
    return [(newest(ledger, "deliveries"),)]


def _before(ledger: RedisLedger, table: str, index: str, parts: Parts, before: int, most: int) -> list[int]:
    """Numbers of an index that is in their order, the greatest first."""
    keys = ledger.select(table, index, parts, hi=min(before - 1, EVERYTHING), most=most, reverse=True)
    return [int(key) for key in keys]


def _deferred(ledger: RedisLedger, account: int) -> Iterator[dict[str, Any]]:
    """What an account defers, page by page."""
    first = 0
    while True:
        keys = ledger.select("deliveries", "stalled", (account, 0), lo=first, most=PAGE)
        yield from ledger.glance("deliveries", keys)
        if len(keys) < PAGE:
            return
        first = int(keys[-1]) + 1
