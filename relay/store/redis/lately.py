"""The last attempts of a mailbox that count, the newest first: what pages and forecasts ask.

Law: of what the schedule remembers of ends and of what this operation ends itself; what is forgotten there (after fifty
hours, where no limit looks further back) is not found.
"""

from typing import Any

from relay.core.words import MailboxId
from relay.store.redis.keys import of_mailbox
from relay.store.redis.ledger import EVERYTHING, RedisLedger
from relay.store.redis.tables import TABLES


def last_attempts(ledger: RedisLedger, mailbox: int, most: int) -> list[dict[str, Any]]:
    """At most so many."""
    rows = ledger.glance("attempts", [*_ended(ledger, mailbox, most), *_own(ledger, mailbox)])
    counted = [row for row in rows if row["counted"] and row["mailbox"] == mailbox]
    return sorted(counted, key=lambda row: (row["ended_at"], row["id"]), reverse=True)[:most]


def has_ended_since(ledger: RedisLedger, mailbox: int, since: int) -> bool:
    """Whether one ended at an instant or later."""
    key = _key(ledger, mailbox)
    if key is not None and ledger.asking.zcount(key, since, EVERYTHING):
        return True
    return any(row["ended_at"] >= since for row in _own(ledger, mailbox).values())


def _own(ledger: RedisLedger, mailbox: int) -> dict[int, dict[str, Any]]:
    """Those that this operation writes."""
    rows = [TABLES["attempts"].named(values) for values in ledger.written("attempts").values() if values is not None]
    return {row["id"]: row for row in rows if row["counted"] and row["mailbox"] == mailbox}


def _ended(ledger: RedisLedger, mailbox: int, most: int) -> list[int]:
    """Numbers of those that ended last; all that ended at the last of these instants."""
    key = _key(ledger, mailbox)
    if key is None:
        return []
    found = ledger.asking.zrange(key, -EVERYTHING, EVERYTHING, most=most, reverse=True)
    if len(found) == most and found:
        found += ledger.asking.zrange(key, found[-1][1], found[-1][1], most=EVERYTHING, reverse=True)
    return [int(member) for member, _ in dict.fromkeys(found)]


def _key(ledger: RedisLedger, mailbox: int) -> str | None:
    for row in ledger.glance("mailboxes", [mailbox]):
        return of_mailbox(MailboxId(row["provider"], row["username"]), "ends")
    return None
