"""The rows, bodies and events of a store in a data_dir, page by page, as a move reads them.

Law: it only reads, and says of each page behind which position the next one comes.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from relay.errors import CorruptValue
from relay.store.engine.statements import load_statements
from relay.store.moving.carried import MESSAGES, Cells, Page, is_carried
from relay.store.redis.tables import TABLES
from relay.store.segments.port import Place, Segments
from relay.store.sqlite.database import Database

_SQL = load_statements("moving")

ROWS: int = 2_000
"""Rows read, and written, at once."""

BODIES_BYTES: int = 8_000_000
"""Bodies carried at once, but for the last one of them."""


class SqliteReading:
    """One store on one connection, which nobody else uses."""

    def __init__(self, database: Database, segments: Segments) -> None:
        self._database = database
        self._segments = segments

    def pages(self, table: str, after: str) -> Iterator[Page]:
        """All rows of a table behind a position."""
        while True:
            rows = self._rows(table, after)
            if not rows:
                return
            if table == MESSAGES:
                yield from self._with_bodies(rows)
            else:
                yield Page([row for row in rows if is_carried(table, row)], _position(table, rows[-1]))
            after = _position(table, rows[-1])

    def events(self, after: str) -> Iterator[Page]:
        """All events behind a position."""
        while True:
            rows = self._database.read(_SQL["events_after"], (int(after or 0), ROWS))
            if not rows:
                return
            after = str(rows[-1][0])
            yield Page([list(row[1:]) for row in rows], after)

    def many(self, table: str) -> int:
        """How many rows a table has."""
        return int(self._database.read(f'SELECT count(*) FROM "{table}"')[0][0])  # noqa: S608  a name of ours

    def _rows(self, table: str, after: str) -> list[Cells]:
        """Of two columns the key may be made: then they are compared together."""
        columns, key = columns_of(TABLES[table].columns), columns_of(TABLES[table].key)
        begin = [bytes.fromhex(each[2:]) if str(each).startswith("x:") else each for each in json.loads(after or "[]")]
        where = f"WHERE ({key}) > ({', '.join('?' * len(begin))})" if begin else ""
        text = f'SELECT {columns} FROM "{table}" {where} ORDER BY {key} LIMIT {ROWS}'  # noqa: S608  names of ours
        return [list(row) for row in self._database.read(text, begin)]

    def _with_bodies(self, rows: Sequence[Cells]) -> Iterator[Page]:
        """Few messages with long bodies at a time."""
        needed = {row[0]: Place(*row[1:]) for row in self._database.read(_SQL["needed"], (rows[0][0], rows[-1][0]))}
        some, bodies, size = list[Cells](), dict[int, bytes](), 0
        for row in rows:
            some.append(row)
            place = needed.get(row[0])
            if place is not None and (record := self._record(place)) is not None:
                bodies[row[0]] = record
                size += len(record)
            if size > BODIES_BYTES:
                yield Page(some, _position(MESSAGES, row), bodies)
                some, bodies, size = [], {}, 0
        if some:
            yield Page(some, _position(MESSAGES, some[-1]), bodies)

    def _record(self, place: Place) -> bytes | None:
        """None: it cannot be read here, and will be missing there as it is here."""
        try:
            return self._segments.read(place)
        except CorruptValue:
            return None


def columns_of(names: Mapping[str, str] | Sequence[str]) -> str:
    """Names as SQL has them."""
    return ", ".join(f'"{name}"' for name in names)


def _position(table: str, row: Sequence[Any]) -> str:
    named = dict(zip(TABLES[table].columns, row, strict=True))
    cells = [named[name] for name in TABLES[table].key]
    return json.dumps([f"x:{each.hex()}" if isinstance(each, bytes) else each for each in cells])
