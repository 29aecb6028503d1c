"""A store on Redis gone through page by page: rows of tables, members of keys, and the keys themselves.

Law: few of them are in memory at once, and the server is held up by none.
"""

from collections.abc import Iterator
from typing import Any

from relay.store.redis.rowkeys import OURS, table_key
from relay.store.redis.tables import Table
from relay.store.redis.visit import Visit

PAGE: int = 1_000
"""Rows, places or keys looked at together: a few milliseconds of the server's time."""

Row = dict[str, Any]


class Pages:
    """What there is, as one visit sees it."""

    def __init__(self, visit: Visit) -> None:
        self._visit = visit

    def rows(self, table: Table) -> Iterator[tuple[dict[str, Row], list[str]]]:
        """The rows of a table by what they are found by, and those that cannot be read."""
        for pairs in self.scanned("HSCAN", table_key(table.name)):
            rows: dict[str, Row] = {}
            unreadable: list[str] = []
            for name, packed in pairs:
                key, row = name.decode(errors="surrogateescape"), row_of(table, packed)
                if row is None:
                    unreadable.append(key)
                else:
                    rows[key] = row
            yield rows, unreadable

    def scanned(self, verb: str, key: str) -> Iterator[list[tuple[bytes, bytes]]]:
        """The fields or members of a key, each with what it has there."""
        cursor = b"0"
        while True:
            cursor, pairs = self._visit.ask(verb, key, cursor, "COUNT", PAGE)
            yield list(dict(zip(pairs[::2], pairs[1::2], strict=True)).items())
            if cursor == b"0":
                return

    def all_keys(self) -> Iterator[str]:
        """All keys of relays, each once."""
        cursor, seen = b"0", set[bytes]()
        while True:
            cursor, keys = self._visit.ask("SCAN", cursor, "MATCH", OURS, "COUNT", PAGE)
            yield from (key.decode(errors="surrogateescape") for key in keys if key not in seen)
            seen.update(keys)
            if cursor == b"0":
                return


def row_of(table: Table, packed: bytes) -> Row | None:
    """A row by the names of its columns; None: it cannot be read."""
    try:
        return table.named(table.unpack(packed))
    except (ValueError, TypeError, AttributeError):
        return None
