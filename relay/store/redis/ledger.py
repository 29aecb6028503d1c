"""The ledger of one operation on Redis: what it read, what it means to write, and the answers to named statements.

Law: nothing is written before the whole is committed, by one script that finds every row that was read as it was; until
then the operation reads back what it means to write.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol, cast

from relay.store.engine.ledger import Row
from relay.store.engine.statements import Statement
from relay.store.redis.book import Book, Raw, members_of
from relay.store.redis.intended import Intended
from relay.store.redis.rowkeys import group_key, index_key, number_key, table_key
from relay.store.redis.tables import TABLES, Id, Values

EVERYTHING: int = 1 << 53
"""Above every number in a store: a double of Lua holds it exactly."""


class Asking(Protocol):
    """The commands that a ledger reads with; each answers with bytes, as they are kept."""

    def get(self, key: str, /) -> Raw: ...
    def hget(self, key: str, name: str, /) -> Raw: ...
    def hmget(self, key: str, names: Sequence[str], /) -> list[Raw]: ...
    def hlen(self, key: str, /) -> int: ...
    def hscan(self, key: str, /) -> Iterable[tuple[bytes, bytes]]: ...
    def zrange(self, key: str, lo: float, hi: float, /, *, most: int, reverse: bool) -> list[tuple[bytes, float]]: ...
    def zcount(self, key: str, lo: float, hi: float, /) -> int: ...
    def incr(self, key: str, many: int = 1, /) -> int: ...
    def lrange(self, key: str, /) -> list[bytes]: ...
    def smembers(self, key: str, /) -> list[bytes]: ...
    def xrange(self, key: str, most: int, /) -> list[tuple[bytes, bytes]]: ...


class RedisLedger:
    """Reads and writes of one operation."""

    def __init__(self, asking: Asking, answers: Callable[[str], Callable[..., Any]]) -> None:
        """`answers`: the function that answers the statement of this name."""
        self.asking = asking
        self._answers = answers
        self._books = {name: Book(table) for name, table in TABLES.items()}
        self.intended = Intended(self._books)
        """What is committed."""

    # named statements

    def read(self, statement: str, parameters: Sequence[object] = (), /) -> list[Row]:
        """All rows that answer."""
        return list(self._answers(cast("Statement", statement).name)(self, *parameters))

    def read_one(self, statement: str, parameters: Sequence[object] = (), /) -> Row | None:
        """The first row, or None."""
        found: Iterable[Row] = self._answers(cast("Statement", statement).name)(self, *parameters)
        return next(iter(found), None)

    def write(self, statement: str, parameters: Sequence[object] = (), /) -> int:
        """Writes, and says how many rows it changed."""
        changed: int | None = self._answers(cast("Statement", statement).name)(self, *parameters)
        return 0 if changed is None else changed

    def write_many(self, statement: str, rows: Iterable[Sequence[object]], /) -> None:
        """Writes once a row; what an answer's `<name>_ahead` can read for all of them at once is read before."""
        many = list(rows)
        if len(many) > 1:
            self._read_ahead(cast("Statement", statement).name, many)
        for row in many:
            self.write(statement, row)

    def _read_ahead(self, name: str, rows: Sequence[Sequence[object]]) -> None:
        try:
            ahead = self._answers(f"{name}_ahead")
        except LookupError:
            return
        ahead(self, rows)

    # rows

    def row(self, table: str, key: Id) -> list[Any] | None:
        """A row by what it is found by; None: there is none."""
        return self.rows(table, [key])[0]

    def rows(self, table: str, keys: Sequence[Id]) -> list[list[Any] | None]:
        """Several rows at once, in this order."""
        book = self._books[table]
        unknown = [key for key in dict.fromkeys(keys) if key not in book.was and key not in book.now]
        if unknown:
            asked = [key for key in unknown if key not in book.seen]
            found = dict(zip(asked, self._raw(table, asked), strict=True))
            book.was.update((key, found[key] if key in found else book.seen[key]) for key in unknown)
        return [book.known(key) for key in keys]

    def named(self, table: str, key: Id) -> dict[str, Any] | None:
        """A row by the names of its columns."""
        found = self.row(table, key)
        return None if found is None else TABLES[table].named(found)

    def named_rows(self, table: str, keys: Sequence[Id]) -> list[dict[str, Any]]:
        """Those of these rows that there are, by the names of their columns, in this order."""
        return [TABLES[table].named(found) for found in self.rows(table, keys) if found is not None]

    def all_rows(self, table: str) -> list[list[Any]]:
        """Every row of a small table, in no order."""
        book = self._books[table]
        for name, packed in self.asking.hscan(table_key(table)):
            book.was.setdefault(book.table.id_in(name), packed)
        known = dict.fromkeys([*book.was, *book.now])
        return [found for key in known if (found := book.known(key)) is not None]

    def glance(self, table: str, keys: Iterable[Id]) -> list[dict[str, Any]]:
        """As `named_rows`, of rows on which nothing hangs that is written: others may change them before the commit."""
        book, found = self._books[table], dict.fromkeys(keys)
        unknown = [key for key in found if key not in book.was and key not in book.now]
        raw = dict(zip(unknown, self._raw(table, unknown), strict=True))
        rows = (book.latest(raw, key) for key in found)
        return [book.table.named(values) for values in rows if values is not None]

    def glance_all(self, table: str) -> list[dict[str, Any]]:
        """As `glance`: all rows of a small table, in no order; one that is read later is as it was here."""
        book = self._books[table]
        scanned = self.asking.hscan(table_key(table))
        book.seen = {**{book.table.id_in(name): packed for name, packed in scanned}, **book.seen}
        rows = (book.latest(book.seen, key) for key in {**book.seen, **book.now})
        return [book.table.named(values) for values in rows if values is not None]

    def whole(self, table: str) -> dict[str, bytes]:
        """Every row of a table as it will be, as it is kept; what others write meanwhile is lost, so hold the pen."""
        found = {name.decode(errors="surrogateescape"): packed for name, packed in self.asking.hscan(table_key(table))}
        for key, values in self._books[table].now.items():
            if values is None:
                found.pop(str(key), None)
            else:
                found[str(key)] = TABLES[table].pack(values)
        return found

    def written(self, table: str) -> Mapping[Id, list[Any] | None]:
        """The rows that this operation writes; None: it drops one, or would not have it be there."""
        return self._books[table].now

    def has_rows(self, table: str) -> int:
        """How many rows a table has."""
        book = self._books[table]
        many = self.asking.hlen(table_key(table))
        for key, values in book.now.items():
            was = book.was[key] is not None
            many += (values is not None) - was
        return many

    def put(self, table: str, values: Values) -> None:
        """Writes a row, whether it was there or not."""
        book = self._books[table]
        key = book.table.id_of(values)
        self.row(table, key)
        book.write(key, book.table.plain(values))

    def change(self, table: str, key: Id, **cells: Any) -> int:
        """Writes some columns of a row; how many rows: 1, or 0 where there is none."""
        found = self.row(table, key)
        if found is None:
            return 0
        columns = list(TABLES[table].columns)
        changed = list(found)
        for name, value in cells.items():
            changed[columns.index(name)] = value
        self._books[table].write(key, TABLES[table].plain(changed))
        return 1

    def drop(self, table: str, key: Id) -> int:
        """Takes a row out; how many that were."""
        if self.row(table, key) is None:
            return 0
        self._books[table].write(key, None)
        return 1

    def leave(self, table: str, key: Id) -> None:
        """A row stays as it was read, whatever this operation wrote there."""
        self._books[table].leave(key)

    def next_number(self, table: str) -> int:
        """The number of the next row of a table: given at once, and never twice; one that is not used is missing."""
        book = self._books[table]
        number = next(book.spare, None)
        return self.numbers(table, 1) if number is None else number

    def last_number(self, table: str) -> int:
        """The number that a row of a table was given last; 0: none was."""
        return int(self.asking.get(number_key(table)) or 0)

    def numbers(self, table: str, many: int) -> int:
        """So many numbers that follow each other; the first of them."""
        return self.asking.incr(number_key(table), many) - many + 1

    def reserve(self, table: str, many: int) -> None:
        """So many of the next numbers are asked for at once; no row has one of them yet."""
        book, first = self._books[table], self.numbers(table, many)
        numbers = range(first, first + many)
        book.was.update(dict.fromkeys(numbers))
        book.spare = iter(numbers)

    # indexes

    def select(
        self,
        table: str,
        index: str,
        parts: tuple[Id, ...] = (),
        *,
        lo: float = -EVERYTHING,
        hi: float = EVERYTHING,
        most: int = EVERYTHING,
        reverse: bool = False,
    ) -> list[Id]:
        """What rows are found by, of those that an index has between two numbers (both included), in its order."""
        book, place = self._books[table], (index, parts)
        wanted, where = most + len(book.before.get(place, {})), index_key(table, index, parts)
        found = self.asking.zrange(where, lo, hi, most=wanted, reverse=reverse)
        if found and len(found) == wanted and book.table.id_in(found[-1][0]) != found[-1][1]:
            last = found[-1][1]  # of those with the same number Redis has the first by text, a store by number
            found = [each for each in found if each[1] != last]
            found += self.asking.zrange(where, last, last, most=EVERYTHING, reverse=reverse)
        kept = ((book.table.id_in(member), int(order)) for member, order in found)
        places = {key: order for key, order in kept if key not in book.now}
        places |= {key: order for key, order in book.after.get(place, {}).items() if lo <= order <= hi}
        return sorted(places, key=lambda key: (places[key], key), reverse=reverse)[:most]

    def select_rows(self, table: str, index: str, parts: tuple[Id, ...] = (), **bounds: Any) -> list[dict[str, Any]]:
        """As `select`: the rows themselves, by the names of their columns."""
        return self.named_rows(table, self.select(table, index, parts, **bounds))

    def count(
        self, table: str, index: str, parts: tuple[Id, ...] = (), *, lo: float = -EVERYTHING, hi: float = EVERYTHING
    ) -> int:
        """How many rows an index has between two numbers."""
        book, place = self._books[table], (index, parts)
        many = self.asking.zcount(index_key(table, index, parts), lo, hi)
        went, came = (sum(lo <= each <= hi for each in of.get(place, {}).values()) for of in (book.before, book.after))
        return many - went + came

    def group(self, table: str, group: str, value: Id) -> list[Id]:
        """What rows are found by, of those with this value, in the order in which they were written."""
        book = self._books[table]
        if (group, value) in book.groups:
            packed = book.groups[group, value]
        else:
            packed = self.asking.hget(group_key(table, group), str(value))
        found = members_of(packed, is_number=book.table.has_numbers)
        own = book.after.get((group, value), {})
        return list(dict.fromkeys([*(key for key in found if key not in book.now or key in own), *own]))

    def firm_group(self, table: str, group: str, value: Id) -> list[Id]:
        """As `group`; nothing is committed if another has come or gone by then."""
        book, place = self._books[table], (group, value)
        if place not in book.groups:
            book.groups[place] = self.asking.hget(group_key(table, group), str(value))
        book.firm.setdefault(place, book.groups[place])
        return self.group(table, group, value)

    def read_groups(self, table: str, group: str, values: Sequence[Id]) -> list[Id]:
        """Reads several groups at once, for `group`; what rows they name."""
        book = self._books[table]
        found = self.asking.hmget(group_key(table, group), [str(value) for value in values])
        book.groups.update(zip(((group, value) for value in values), found, strict=True))
        return [key for packed in found for key in members_of(packed, is_number=book.table.has_numbers)]

    # besides

    def act(self, verb: str, *arguments: Any) -> None:
        """Has a library in Lua do something, after the rows are written."""
        self.intended.verbs.append([verb, list(arguments)])

    def _raw(self, table: str, keys: Sequence[Id]) -> list[Raw]:
        return self.asking.hmget(table_key(table), [str(key) for key in keys]) if keys else []
