"""Passwords and tokens by name (relay/store/sql/secrets.sql).

Law: sealed, as they came; nothing here opens one.
"""

from relay.store.engine.ledger import Row
from relay.store.redis.ledger import RedisLedger

KEY_BYTES: int = 5
"""Of a sealed value say which key sealed it: its format and the key's id."""


def all_secrets(ledger: RedisLedger) -> list[Row]:
    """Every secret, sealed."""
    return sorted((row["name"], row["sealed"], row["changed_at"]) for row in ledger.glance_all("secrets"))


def secret_names(ledger: RedisLedger) -> list[Row]:
    """Every name."""
    return [(name,) for name, *_ in all_secrets(ledger)]


def secret(ledger: RedisLedger, name: str) -> list[Row]:
    """One secret, sealed."""
    found = ledger.row("secrets", name)
    return [] if found is None else [(found[1], found[2])]


def set_secret(ledger: RedisLedger, name: str, sealed: bytes, changed_at: int) -> int:
    """Keeps a secret."""
    ledger.put("secrets", (name, sealed, changed_at))
    return 1


def drop_secret(ledger: RedisLedger, name: str) -> int:
    """Forgets one."""
    return ledger.drop("secrets", name)


def secrets_after(ledger: RedisLedger, name: str, most: int) -> list[Row]:
    """Some secrets after a name, sealed."""
    return [row for row in all_secrets(ledger) if row[0] > name][:most]


def secret_under(ledger: RedisLedger, key: bytes) -> list[Row]:
    """Whether there is one that this key sealed."""
    return [(1,) for row in ledger.glance_all("secrets") if row["sealed"][:KEY_BYTES] == key][:1]
