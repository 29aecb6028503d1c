"""One table within an operation: its rows as they were read and as they will be, and where they are found.

Law: what is written of a row is written of every place where it is found, in the same commit.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from relay.store.redis.rowkeys import group_key, index_key, table_key
from relay.store.redis.tables import Id, Table

Raw = bytes | None


@dataclass(slots=True)
class Book:
    """One table within an operation."""

    table: Table
    was: dict[Id, Raw] = field(default_factory=dict)
    """Rows as they were read: as bytes, None where there was none."""
    seen: dict[Id, Raw] = field(default_factory=dict)
    """Rows that were glanced at with all others: one that is read later is read as it was then."""
    firm: dict[tuple[str, Id], Raw] = field(default_factory=dict)
    """Groups that have to stay as they were read."""
    now: dict[Id, list[Any] | None] = field(default_factory=dict)
    """Rows that this operation writes; None: it drops them."""
    before: dict[tuple[str, Any], dict[Id, int]] = field(default_factory=dict)
    """Where rows that it writes were: by index and its parts, or group and its value, each with its order there."""
    after: dict[tuple[str, Any], dict[Id, int]] = field(default_factory=dict)
    """Where they are thereafter: an operation may write 100,000 rows, and asks for few of them at a time."""
    groups: dict[tuple[str, Id], Raw] = field(default_factory=dict)
    """Groups that were read ahead."""
    spare: Iterator[int] = field(default_factory=lambda: iter(()))
    """Numbers that were asked for ahead."""

    def write(self, key: Id, values: list[Any] | None) -> None:
        """A row that was read is another one from now on; None: it is dropped."""
        if key not in self.now:
            raw = self.was[key]
            for place, order in self._places(None if raw is None else self.table.unpack(raw)):
                self.before.setdefault(place, {})[key] = order
        for place, _ in self._places(self.now.get(key)):
            self.after[place].pop(key)
        for place, order in self._places(values):
            self.after.setdefault(place, {})[key] = order
        self.now[key] = values

    def leave(self, key: Id) -> None:
        """A row stays as it was read."""
        for place, _ in self._places(self.now.pop(key, None)):
            self.after[place].pop(key)
        for rows in self.before.values():
            rows.pop(key, None)

    def known(self, key: Id) -> list[Any] | None:
        """A row that was read, as this operation has it."""
        return self.latest(self.was, key)

    def latest(self, raw: Mapping[Id, Raw], key: Id) -> list[Any] | None:
        """A row as this operation has it, else as it is kept: in `raw`, or as it was read."""
        if key in self.now:
            return self.now[key]
        packed = raw[key] if key in raw else self.was[key]
        return None if packed is None else self.table.unpack(packed)

    def _places(self, values: list[Any] | None) -> Iterator[tuple[tuple[str, Any], int]]:
        """Where a row is found beside its id."""
        if values is None:
            return
        row = self.table.named(values)
        for name, index in self.table.indexes.items():
            parts = index.by(row)
            if parts is not None:
                yield (name, parts), index.order(row)
        for name, group in self.table.groups.items():
            value = group.by(row)
            if value is not None:
                yield (name, value), 0


def members_of(packed: Raw, *, is_number: bool) -> list[Id]:
    """A group as it is kept: its ids, parted by spaces."""
    texts = [] if packed is None else packed.decode().split(" ")
    return [int(text) if is_number else text for text in texts]


def writes_of(book: Book, key: Id, values: list[Any] | None) -> Iterable[list[Any]]:
    raw, table = book.was[key], book.table
    before = None if raw is None else table.named(table.unpack(raw))
    after = None if values is None else table.named(values)
    if values is None:
        yield ["HDEL", table_key(table.name), str(key)]
    else:
        yield ["HSET", table_key(table.name), str(key), table.pack(values)]
    for name, index in table.indexes.items():
        was = None if before is None else index.by(before)
        now = None if after is None else index.by(after)
        if was is not None and was != now:
            yield ["ZREM", index_key(table.name, name, was), str(key)]
        if now is not None and after is not None:
            order = index.order(after)
            if was != now or before is None or index.order(before) != order:
                yield ["ZADD", index_key(table.name, name, now), order, str(key)]
    for name, group in table.groups.items():
        was_in = None if before is None else group.by(before)
        is_in = None if after is None else group.by(after)
        if was_in != is_in:
            if was_in is not None:
                yield ["LEAVE", group_key(table.name, name), str(was_in), str(key)]
            if is_in is not None:
                yield ["JOIN", group_key(table.name, name), str(is_in), str(key)]
