"""A store on Redis, read whole: its tables page by page, with the bodies of its messages, and its events.

Law: nothing is written, and no clock of the store is moved by a look.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import msgpack

from relay.core.limits import SECOND
from relay.errors import StoreBroken
from relay.store.moving.carried import (
    ATTEMPTS,
    BODIES,
    DELIVERIES,
    EVENTS,
    LOGINS,
    MESSAGES,
    META,
    Cells,
    Page,
    is_carried,
)
from relay.store.moving.sides import OPEN
from relay.store.redis.dense import FLOORS, NUMBERS
from relay.store.redis.layout import BATCH
from relay.store.redis.link import Link
from relay.store.redis.rowkeys import BESIDE, BODY_BEGINS, OURS, body_key, group_key, index_key, number_key, table_key
from relay.store.redis.rowkeys import EVENTS as STREAM
from relay.store.redis.tables import TABLES

ROWS: int = 1_000
"""Rows read at once: some milliseconds of the server's time."""

BODIES_ASKED: int = 100
"""Bodies asked for at once."""

BODIES_BYTES: int = 4_000_000
"""Bodies carried at once, but for the last hundred of them."""

WITHIN: int = 60 * SECOND
"""A look at a thousand rows takes milliseconds; but nobody waits for mail meanwhile."""

_DENSE = (MESSAGES, DELIVERIES, ATTEMPTS)


class RedisReading:
    """What is asked of one server."""

    def __init__(self, link: Link) -> None:
        self._link = link

    def ask(self, *command: bytes | str | int) -> Any:
        """One command."""
        return self._link.ask(*command, within=WITHIN)

    def pages(self, table: str, after: str) -> Iterator[Page]:
        """All rows of a table behind a position."""
        if table == LOGINS:
            return self._logins(after)
        return self._dense(table, after) if table in _DENSE else self._scanned(table, after)

    def many(self, table: str) -> int:
        """How many rows a table has."""
        return int(self.ask("XLEN", STREAM) if table == EVENTS else self.ask("HLEN", table_key(table)))

    def events(self, after: str) -> Iterator[Page]:
        """All events behind a position, which is an id of the stream."""
        while True:
            found = self.ask("XRANGE", STREAM, f"({after}" if after else "-", "+", "COUNT", ROWS)
            if not found:
                return
            after = found[-1][0].decode()
            yield Page([_event(fields[1]) for _, fields in found], after)

    def number(self, table: str) -> int:
        """The number given last."""
        return int(self.ask("GET", number_key(table)) or 0)

    def kept(self, name: str) -> int:
        """How many rows that go along there are, or events."""
        if name == META:
            return sum(is_carried(META, [each.decode()]) for each in self.ask("HKEYS", table_key(META)))
        return self.many(name)

    def least(self) -> Mapping[str, int]:
        """How many there have to be at least, by what lies beside rows."""
        tables, bodies = set[str](), set[bytes]()
        for key in self.keys():
            if key.startswith(BODY_BEGINS):
                bodies.add(key)
            elif (beside := BESIDE.match(key)) is not None:
                tables.add(beside["table"].decode())
        found = dict.fromkeys(tables, 1)  # an index has something in it, or is not there
        found |= {BODIES: len(bodies), OPEN: int(self.ask("ZCARD", index_key(DELIVERIES, "expiry", ())))}
        found[MESSAGES] = max(found.get(MESSAGES, 0), int(self.ask("HLEN", group_key(MESSAGES, "ids"))))
        if found[MESSAGES] and not self.ask("EXISTS", STREAM):
            found[EVENTS] = 1
        return found

    def keys(self) -> Iterator[bytes]:
        """All keys of the store; one may come twice."""
        cursor: Any = b"0"
        while True:
            cursor, keys = self.ask("SCAN", cursor, "MATCH", OURS, "COUNT", BATCH)
            yield from keys
            if cursor == b"0":
                return

    # by numbers that follow each other

    def _dense(self, table: str, after: str) -> Iterator[Page]:
        packed = self.ask("HGET", table_key("meta"), FLOORS[table])
        first = int(TABLES["meta"].unpack(packed)[1]) if packed else 1
        first, last = max(int(after or 0) + 1, first), self.number(NUMBERS[table])
        for start in range(first, last + 1, ROWS):
            numbers = range(start, min(start + ROWS, last + 1))
            rows = self._rows(table, [str(number) for number in numbers])
            if table == MESSAGES:
                yield from self._with_bodies(rows)
            elif rows:
                yield Page(rows, str(numbers[-1]))

    def _rows(self, table: str, keys: Sequence[str]) -> list[Cells]:
        found = self.ask("HMGET", table_key(table), *keys)
        return [_row(table, packed) for packed in found if packed is not None]

    def _with_bodies(self, rows: Sequence[Cells]) -> Iterator[Page]:
        some, bodies, size = list[Cells](), dict[int, bytes](), 0
        for start in range(0, len(rows), BODIES_ASKED):
            asked = rows[start : start + BODIES_ASKED]
            records = self.ask("MGET", *(body_key(row[0]) for row in asked))
            some += asked
            bodies |= {row[0]: record for row, record in zip(asked, records, strict=True) if record is not None}
            size += sum(len(record) for record in records if record is not None)
            if size > BODIES_BYTES:
                yield Page(some, str(some[-1][0]), bodies)
                some, bodies, size = [], {}, 0
        if some:
            yield Page(some, str(some[-1][0]), bodies)

    # the others

    def _scanned(self, table: str, after: str) -> Iterator[Page]:
        """A scan may come by a row twice: it is told once."""
        seen, cursor = set[bytes](), after.encode() or b"0"
        while after != _OVER:
            cursor, pairs = self.ask("HSCAN", table_key(table), cursor, "COUNT", ROWS)
            found = dict(zip(pairs[::2], pairs[1::2], strict=True))
            rows = [_row(table, packed) for name, packed in found.items() if name not in seen]
            seen.update(found)
            after = _OVER if cursor == b"0" else cursor.decode()
            yield Page([row for row in rows if is_carried(table, row)], after)

    def _logins(self, after: str) -> Iterator[Page]:
        """In the order of their beginning, and numbered by it."""
        for start in range(int(after or 0), len(self._all_logins), ROWS):
            some = self._all_logins[start : start + ROWS]
            yield Page([[start + place, *row[1:]] for place, row in enumerate(some, 1)], str(start + len(some)))

    @cached_property
    def _all_logins(self) -> list[Cells]:
        """What is kept of fifty hours."""
        rows = [row for page in self._scanned(LOGINS, "") for row in page.rows]
        return sorted(rows, key=lambda row: (row[2], row[1], int(row[0].partition(".")[2])))


_OVER = "over"


def _row(table: str, packed: bytes) -> Cells:
    """StoreBroken: it cannot be read; the key, which may be a patient's, is not told."""
    try:
        return TABLES[table].unpack(packed)
    except (ValueError, TypeError):
        raise StoreBroken(f"a row of {table} cannot be read: `relay queue check` says which") from None


def _event(packed: bytes) -> Cells:
    cells = msgpack.unpackb(packed, raw=True, strict_map_key=False)
    read = (None if each is False else each for each in cells)
    return [each.decode("utf-8", "surrogateescape") if isinstance(each, bytes) else each for each in read]
