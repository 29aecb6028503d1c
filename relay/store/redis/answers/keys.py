"""Which key sealed what (relay/store/sql/keys.sql).

Law: whether a key is still needed is asked of the values themselves; as on SQLite that reads all of a table where it is
not, so what is large is read page by page and not kept.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from relay.store.engine.ledger import Row
from relay.store.redis.answers.routing import ONLY
from relay.store.redis.answers.secrets import KEY_BYTES
from relay.store.redis.dense import newest, upward
from relay.store.redis.ledger import RedisLedger

PAGE: int = 500
"""Replies looked at in one round trip: a fraction of a millisecond of the server's time."""


def routing_under(ledger: RedisLedger, key: bytes) -> list[Row]:
    """Whether this key sealed the routing's head."""
    return _any_under(key, ledger.glance("routing", [ONLY]), "body")


def account_under(ledger: RedisLedger, key: bytes) -> list[Row]:
    """Whether there is an account that this key sealed."""
    return _any_under(key, ledger.glance_all("routed_accounts"), "body")


def owed_under(ledger: RedisLedger, key: bytes) -> list[Row]:
    """Whether there is an entry in the outbox that this key sealed."""
    return _any_under(key, ledger.glance_all("outbox"), "envelope")


def said_under(ledger: RedisLedger, key: bytes) -> list[Row]:
    """Whether there is a reply that this key sealed."""
    return _any_under(key, _said(ledger), "said")


def mail_until(ledger: RedisLedger, delivery: int) -> list[Row]:
    """Whether there is anything of mail that was accepted until this delivery."""
    return [(1,) for _ in _first(upward(ledger, "deliveries", 0, delivery + 1))]


def newest_delivery(ledger: RedisLedger) -> list[Row]:
    """The last delivery so far."""
    return [(newest(ledger, "deliveries"),)]


def accounts_after(ledger: RedisLedger, number: int, most: int) -> list[Row]:
    """Some accounts after one, sealed."""
    rows = [(row["id"], row["sender"], row["body"]) for row in ledger.glance_all("routed_accounts")]
    return sorted(row for row in rows if row[0] > number)[:most]


def reseal_account(ledger: RedisLedger, body: bytes, number: int) -> int:
    """The same account under another key."""
    return ledger.change("routed_accounts", number, body=body)


def reseal_routing(ledger: RedisLedger, body: bytes) -> int:
    """The same head under another key."""
    return ledger.change("routing", ONLY, body=body)


def _any_under(key: bytes, rows: Iterable[dict[str, Any]], column: str) -> list[Row]:
    return [(1,) for _ in _first(row for row in rows if row[column][:KEY_BYTES] == key)]


def _first(rows: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for row in rows:
        yield row
        return


def _said(ledger: RedisLedger) -> Iterator[dict[str, Any]]:
    """Attempts of which the unmasked reply is kept, those that ended first at the front."""
    since, seen = 0, frozenset[Any]()
    while True:
        keys = ledger.select("attempts", "said", lo=since, most=PAGE + len(seen))
        rows = ledger.glance("attempts", [key for key in keys if key not in seen])
        if not rows:
            return
        yield from (row for row in rows if row["said"] is not None)
        last = max(row["ended_at"] for row in rows)
        at_last = frozenset(row["id"] for row in rows if row["ended_at"] == last)
        since, seen = last, at_last if last != since else seen | at_last
