"""Whom accounts do not write to, as relay/store/sql/suppressions.sql asks for it.

Law: an answer equals its SQL; an account's list is in the order of the hashes, which the index keeps as numbers.
"""

from typing import Any

from relay.core.suppression import SuppressionKind
from relay.store.engine.ledger import Row
from relay.store.redis.ledger import RedisLedger
from relay.store.redis.tables import key_of, place_of

START: int = 8
"""Octets of a hash that memory keeps."""

AT_ONCE: int = 500
"""Rows of a list that are read in one go; the rows of one recipient, which have the same place, are far fewer."""

_KINDS = sorted(kind.value for kind in SuppressionKind)


def watched(ledger: RedisLedger) -> list[Row]:
    """Everybody of whom something is remembered."""
    rows = ledger.glance_all("suppressions")
    rows.sort(key=lambda row: (row["account"], row["recipient_hash"], row["kind"]))
    return [(row["account"], row["recipient_hash"][:START]) for row in rows]


def suppressions_of(ledger: RedisLedger, account: int, hashed: bytes) -> list[Row]:
    """What is remembered of one recipient of an account."""
    rows = ledger.named_rows("suppressions", [key_of(account, hashed, kind) for kind in _KINDS])
    return [(row["kind"], row["first_at"], row["last_at"], row["until"], row["many"]) for row in rows]


def set_suppression(
    ledger: RedisLedger,
    account: int,
    hashed: bytes,
    kind: str,
    first_at: int,
    last_at: int,
    until: int | None,
    many: int,
) -> int:
    """Something stands against him."""
    ledger.put("suppressions", [account, hashed, kind, many, first_at, last_at, until])
    return 1


def drop_suppression(ledger: RedisLedger, account: int, hashed: bytes, kind: str) -> int:
    """It does not any more."""
    return ledger.drop("suppressions", key_of(account, hashed, kind))


def list_suppressions(ledger: RedisLedger, account: int, hashed: bytes, kind: str, wall: int, most: int) -> list[Row]:
    """What stands against the recipients of an account."""
    after, found = (hashed, kind), list[dict[str, Any]]()
    while len(found) < most:
        rows = _page(ledger, account, after)
        if not rows:
            break
        found += [row for row in rows if row["until"] is None or row["until"] > wall]
        after = rows[-1]["recipient_hash"], rows[-1]["kind"]
    return [
        (row["recipient_hash"].hex(), row["kind"], row["first_at"], row["last_at"], row["until"], row["many"])
        for row in found[:most]
    ]


def forget_unknown(ledger: RedisLedger, before: int) -> int:
    """Refusals that no second one followed for so long."""
    old = ledger.select_rows("suppressions", "unknown", hi=before - 1)
    return sum(drop_suppression(ledger, row["account"], row["recipient_hash"], row["kind"]) for row in old)


def _page(ledger: RedisLedger, account: int, after: tuple[bytes, str]) -> list[dict[str, Any]]:
    """Some rows behind one, in force or not."""
    keys = ledger.select("suppressions", "account", (account,), lo=place_of(after[0]), most=AT_ONCE)
    rows = ledger.glance("suppressions", keys)
    behind = [row for row in rows if (row["recipient_hash"], row["kind"]) > after]
    return sorted(behind, key=lambda row: (row["recipient_hash"], row["kind"]))
