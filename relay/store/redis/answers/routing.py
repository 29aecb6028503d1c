"""The routing in force (relay/store/sql/routing.sql).

Law: an edit of one account reads and writes one; only what is asked for whole is read whole.
"""

from collections.abc import Sequence

from relay.store.engine.ledger import Row
from relay.store.redis.ledger import RedisLedger
from relay.store.redis.tables import key_of

ONLY: int = 1
"""Under which number the one row of the routing is."""


def get_routing(ledger: RedisLedger) -> list[Row]:
    """The version in force, and all but its accounts."""
    found = ledger.row("routing", ONLY)
    return [] if found is None else [(found[1], found[2])]


def set_routing(ledger: RedisLedger, version: int, body: bytes) -> int:
    """Puts a version in force."""
    ledger.put("routing", (ONLY, version, body))
    return 1


def get_accounts(ledger: RedisLedger) -> list[Row]:
    """The accounts in force, in the order in which they came."""
    rows = sorted(ledger.glance_all("routed_accounts"), key=lambda row: int(row["id"]))
    return [(row["sender"], row["body"]) for row in rows]


def set_account(ledger: RedisLedger, sender: str, body: bytes) -> int:
    """Writes an account."""
    for number in ledger.group("routed_accounts", "senders", sender):
        return ledger.change("routed_accounts", number, body=body)
    ledger.put("routed_accounts", (ledger.next_number("routed_accounts"), sender, body))
    return 1


def set_account_ahead(ledger: RedisLedger, rows: Sequence[tuple[str, bytes]]) -> None:
    """Reads what `set_account` needs of so many: a first routing has 100,000."""
    known = ledger.read_groups("routed_accounts", "senders", [sender for sender, _ in rows])
    ledger.rows("routed_accounts", known)
    if len(known) < len(rows):
        ledger.reserve("routed_accounts", len(rows) - len(known))


def drop_accounts(ledger: RedisLedger) -> int:
    """None is there any more."""
    return sum(ledger.drop("routed_accounts", number) for number, *_ in ledger.all_rows("routed_accounts"))


def drop_fingerprints(ledger: RedisLedger) -> int:
    """None is known any more."""
    return sum(drop_fingerprint(ledger, *row[:2]) for row in ledger.all_rows("fingerprints"))


def drop_account(ledger: RedisLedger, sender: str) -> int:
    """An account is not there any more."""
    numbers = ledger.group("routed_accounts", "senders", sender)
    return sum(ledger.drop("routed_accounts", number) for number in numbers)


def drop_account_ahead(ledger: RedisLedger, rows: Sequence[tuple[str]]) -> None:
    """Reads what `drop_account` needs of so many."""
    ledger.rows("routed_accounts", ledger.read_groups("routed_accounts", "senders", [sender for (sender,) in rows]))


def get_fingerprints(ledger: RedisLedger) -> list[Row]:
    """What the mailboxes' credentials are known by."""
    rows = ledger.glance_all("fingerprints")
    return sorted(tuple(row.values()) for row in rows)


def set_fingerprint(ledger: RedisLedger, provider: str, username: str, fingerprint: str | None) -> int:
    """A mailbox has another credential or route."""
    ledger.put("fingerprints", (provider, username, fingerprint, None))
    return 1


def set_fingerprint_ahead(ledger: RedisLedger, rows: Sequence[tuple[str, str, str | None]]) -> None:
    """Reads what `set_fingerprint` needs of so many."""
    ledger.rows("fingerprints", [key_of(*mailbox) for *mailbox, _ in rows])


def date_fingerprints(ledger: RedisLedger, since: int) -> int:
    """Since when those that have no credentials have none."""
    undated = ledger.select("fingerprints", "undated")
    ledger.rows("fingerprints", undated)
    return sum(ledger.change("fingerprints", key, since=since) for key in undated)


def drop_fingerprint(ledger: RedisLedger, provider: str, username: str) -> int:
    """A mailbox is not there any more."""
    return ledger.drop("fingerprints", key_of(provider, username))


def drop_fingerprint_ahead(ledger: RedisLedger, rows: Sequence[tuple[str, str]]) -> None:
    """Reads what `drop_fingerprint` needs of so many."""
    ledger.rows("fingerprints", [key_of(*mailbox) for mailbox in rows])
