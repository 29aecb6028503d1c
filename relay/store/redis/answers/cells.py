"""Rows of a ledger in the shape in which a statement answers: some of their columns, in its order.

Law: a minimum of nothing is one row with nothing in it, as in SQL.
"""

from collections.abc import Iterable
from typing import Any

from relay.store.engine.ledger import Row
from relay.store.redis.ledger import RedisLedger


def cells(rows: Iterable[dict[str, Any]], *names: str) -> list[Row]:
    """These columns of rows."""
    return [tuple(row[name] for name in names) for row in rows]


def least(ledger: RedisLedger, table: str, index: str, column: str) -> list[Row]:
    """The least of a column that an index is in the order of."""
    found = ledger.glance(table, ledger.select(table, index, most=1))
    return cells(found, column) or [(None,)]
