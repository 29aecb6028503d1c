"""What the store keeps about itself, and the healths of mailboxes and providers (relay/store/sql/store.sql).

Law: of the clock, of ids and of segments nothing is here: on Redis time is the server's, ids are given one by one
(relay/store/redis/names.py, `next_number`), and a body is a key of its own.
"""

import msgpack

from relay.store.engine.ledger import Row
from relay.store.redis.ledger import RedisLedger
from relay.store.redis.tables import key_of


def get_meta(ledger: RedisLedger, name: str) -> list[Row]:
    """One fact."""
    found = ledger.row("meta", name)
    return [] if found is None else [(found[1],)]


def set_meta(ledger: RedisLedger, name: str, value: str) -> int:
    """Writes one fact."""
    ledger.put("meta", (name, value))
    return 1


def find_account(ledger: RedisLedger, sender: str) -> list[Row]:
    """The id of a sender."""
    return [(number,) for number in ledger.group("accounts", "names", sender)]


def sender_of(ledger: RedisLedger, account: int) -> list[Row]:
    """The sender with this id."""
    return [(row["sender"],) for row in ledger.glance("accounts", [account])]


def find_mailbox(ledger: RedisLedger, provider: str, username: str) -> list[Row]:
    """The id of a mailbox."""
    return [(number,) for number in ledger.group("mailboxes", "names", key_of(provider, username))]


def mailbox_of(ledger: RedisLedger, mailbox: int) -> list[Row]:
    """The mailbox with this id."""
    return [(row["provider"], row["username"]) for row in ledger.glance("mailboxes", [mailbox])]


def set_mailbox_health(ledger: RedisLedger, health: str | None, mailbox: int) -> int:
    """Writes a mailbox's health."""
    return ledger.change("mailboxes", mailbox, health=health)


def known_healths(ledger: RedisLedger) -> list[Row]:
    """Mailboxes of which something is known."""
    rows = sorted(ledger.glance_all("mailboxes"), key=lambda row: int(row["id"]))
    return [(row["provider"], row["username"], row["health"]) for row in rows if row["health"] is not None]


def provider_health(ledger: RedisLedger, name: str) -> list[Row]:
    """A provider's health."""
    found = ledger.row("providers", name)
    return [] if found is None else [(found[1],)]


def set_provider_health(ledger: RedisLedger, name: str, health: str | None) -> int:
    """Writes a provider's health."""
    ledger.put("providers", (name, health))
    return 1


def add_event(ledger: RedisLedger, *event: object) -> int:
    """Records what happened: at, kind, message, delivery, account, mailbox, detail."""
    ledger.intended.events.append(pack_event(event))
    return 1


def pack_event(event: tuple[object, ...]) -> bytes:
    """An event as it lies in the stream, under `e`: an array as a row is, which put.lua and settle.lua fill in."""
    cells = [False if each is None else each for each in event]
    packed: bytes = msgpack.packb(cells, use_bin_type=False, unicode_errors="surrogateescape")
    return packed
