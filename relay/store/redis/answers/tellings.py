"""Notices for the webhook, as relay/store/sql/tellings.sql asks for them.

Law: an answer equals its SQL; a word of a concern is told once, and what was sent or given up changes no more, unless
it is revived.
"""

from typing import Any

from relay.store.engine.ledger import Row
from relay.store.redis.answers.cells import cells, least
from relay.store.redis.ledger import RedisLedger

_DUE, _SENT, _DEAD = 0, 1, 2
"""States of a telling."""


def add_telling(ledger: RedisLedger, concern: int, word: int, notice: str, due_at: int) -> int:
    """A notice for the webhook."""
    if any(row["word"] == word for row in _tellings(ledger, concern)):
        return 0
    number = ledger.next_number("tellings")
    ledger.put("tellings", [number, concern, word, notice, _DUE, due_at, 0, None, None])
    return 1


def due_tellings(ledger: RedisLedger, wall: int, most: int) -> list[Row]:
    """What has to be sent, the longest due first."""
    found = ledger.glance("tellings", ledger.select("tellings", "due", hi=wall, most=most))
    return cells(found, "id", "notice", "tries")


def next_telling(ledger: RedisLedger) -> list[Row]:
    """When the next one is due."""
    return least(ledger, "tellings", "due", "due_at")


def oldest_telling(ledger: RedisLedger) -> list[Row]:
    """What has waited longest for the webhook."""
    many = ledger.count("tellings", "waiting")
    found = ledger.glance("tellings", ledger.select("tellings", "waiting", most=1))
    return [(row["notice"], row["error"], many) for row in found]


def taken(ledger: RedisLedger, concern: int) -> list[Row]:
    """When the webhook took a notice of a concern last."""
    ends = [row["done_at"] for row in _tellings(ledger, concern) if row["state"] == _SENT]
    return [(max((at for at in ends if at is not None), default=None),)]


def told_next(ledger: RedisLedger, concern: int) -> list[Row]:
    """When the webhook is tried again with a notice of a concern, or it is looked at."""
    waiting = [row["due_at"] for row in _tellings(ledger, concern) if row["state"] == _DUE]
    looks = [row["look_at"] for row in ledger.glance("concerns", [concern])]
    return [(min(waiting, default=looks[0] if looks else None),)]


def hurry_tellings(ledger: RedisLedger, wall: int) -> int:
    """The webhook takes notices again: what waits for another try gets it now."""
    late = ledger.select_rows("tellings", "due", lo=wall + 1)
    return sum(ledger.change("tellings", row["id"], due_at=wall) for row in late)


def telling_later(ledger: RedisLedger, due_at: int, error: str, number: int) -> int:
    """It is tried again."""
    return _tried(ledger, number, due_at=due_at, error=error)


def telling_over(ledger: RedisLedger, state: int, error: str | None, done_at: int, number: int) -> int:
    """It was sent (1), or given up (2)."""
    return _tried(ledger, number, state=state, error=error, done_at=done_at)


def dead_letters(ledger: RedisLedger, before: int, most: int) -> list[Row]:
    """What was given up, the newest first, before one."""
    found = ledger.select("tellings", "dead", hi=before - 1, most=most, reverse=True)
    return cells(ledger.glance("tellings", found), "id", "notice", "tries", "error", "done_at")


def revive(ledger: RedisLedger, due_at: int, number: int) -> int:
    """A dead letter is tried once more."""
    known = ledger.named("tellings", number)
    if known is None or known["state"] != _DEAD:
        return 0
    return ledger.change("tellings", number, state=_DUE, due_at=due_at, tries=0, error=None, done_at=None)


def prune_tellings(ledger: RedisLedger, horizon: int, most: int) -> int:
    """Forgets notices that were sent or given up long ago."""
    old = ledger.select_rows("tellings", "done", hi=horizon - 1, most=most)
    return sum(ledger.drop("tellings", row["id"]) for row in old)


def _tellings(ledger: RedisLedger, concern: int) -> list[dict[str, Any]]:
    return ledger.select_rows("tellings", "concern", (concern,))


def _tried(ledger: RedisLedger, number: int, **cells: Any) -> int:
    """It was tried once more, if it still waits."""
    known = ledger.named("tellings", number)
    if known is None or known["state"] != _DUE:
        return 0
    return ledger.change("tellings", number, tries=known["tries"] + 1, **cells)
