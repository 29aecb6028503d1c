"""Rows by dense numbers: messages, deliveries and attempts, upwards from one number or downwards from another.

Law: a look reads little more than it is asked for, and never goes below what pruning has left.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from relay.store.redis.ledger import RedisLedger
from relay.store.redis.tables import TABLES

FIRST_BLOCK: int = 16
"""Numbers looked at first: nearly always enough."""

LARGEST_BLOCK: int = 512
"""Each further look is twice as long, up to this: a fraction of a millisecond of the server's time."""

NUMBERS = {"messages": "deliveries", "deliveries": "deliveries", "attempts": "attempts"}
"""Whose numbers a table's rows have: a message has that of its first delivery."""

FLOORS = {"messages": "floor_messages", "deliveries": "floor_messages", "attempts": "floor_attempts"}
"""Under which name the store keeps below which number nothing is left."""


def floor(ledger: RedisLedger, table: str) -> int:
    """No row of the table has a lower number."""
    known = ledger.row("meta", FLOORS[table])
    return 1 if known is None else int(known[1])


def raise_floor(ledger: RedisLedger, table: str, to: int) -> None:
    """Nothing is left below `to`; no row may come there any more."""
    if to > floor(ledger, table):
        ledger.put("meta", (FLOORS[table], str(to)))


def upward(ledger: RedisLedger, table: str, first: int, end: int) -> Iterator[dict[str, Any]]:
    """Rows from one number on to before another."""
    at, end, size = max(first, floor(ledger, table)), min(end, _last(ledger, table) + 1), FIRST_BLOCK
    while at < end:
        block = range(at, min(at + size, end))
        yield from ledger.glance(table, block)
        at, size = block.stop, min(size * 2, LARGEST_BLOCK)


def downward(ledger: RedisLedger, table: str, before: int, least: int = 0) -> Iterator[dict[str, Any]]:
    """Rows before a number, the newest first, none below `least`."""
    end, least, size = min(before, _last(ledger, table) + 1), max(least, floor(ledger, table)), FIRST_BLOCK
    while end > least:
        block: Sequence[int] = range(max(least, end - size), end)
        yield from ledger.glance(table, block[::-1])
        end, size = block[0], min(size * 2, LARGEST_BLOCK)


def newest(ledger: RedisLedger, table: str) -> int | None:
    """The greatest number of a row; None: there is none."""
    (column,) = TABLES[table].key
    return next((int(row[column]) for row in downward(ledger, table, _last(ledger, table) + 1)), None)


def _last(ledger: RedisLedger, table: str) -> int:
    """No row has a greater number."""
    own = (key for key, values in ledger.written(table).items() if values is not None)
    return max(ledger.last_number(NUMBERS[table]), *(int(key) for key in own), 0)
