"""Where rows are found: indexes and groups against the rows that they follow from, in both directions.

Law: as tables.py says; rows are the truth, so that each thing found says how it is mended.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from relay.store.redis.book import members_of
from relay.store.redis.dense import NUMBERS
from relay.store.redis.inspection.pages import Pages, Row, row_of
from relay.store.redis.inspection.wrong import Commands, Wrong
from relay.store.redis.rowkeys import group_key, index_key, number_key, table_key
from relay.store.redis.tables import TABLES, Table
from relay.store.redis.visit import Visit


class Places:
    """Those of all tables."""

    def __init__(self, visit: Visit, pages: Pages) -> None:
        self._visit = visit
        self._pages = pages

    # rows to places

    def of_rows(self, table: Table, rows: Mapping[str, Row]) -> Iterator[Wrong]:
        """Where rows have to be found, against where they are."""
        yield from self._of_indexes(table, rows)
        yield from self._of_groups(table, rows)

    def _of_indexes(self, table: Table, rows: Mapping[str, Row]) -> Iterator[Wrong]:
        places = [
            (name, key, index_key(table.name, name, parts), index.order(row))
            for key, row in rows.items()
            for name, index in table.indexes.items()
            if (parts := index.by(row)) is not None
        ]
        scores = self._visit.ask_all([("ZSCORE", where, key) for _, key, where, _ in places])
        for (name, key, where, order), score in zip(places, scores, strict=True):
            if score is None or float(score) != float(order):
                yield Wrong(
                    f"index {name} of {table.name} lacks a row, or has it elsewhere",
                    key,
                    (("ZADD", where, order, key),),
                )

    def _of_groups(self, table: Table, rows: Mapping[str, Row]) -> Iterator[Wrong]:
        for name, group in table.groups.items():
            values = {key: str(value) for key, row in rows.items() if (value := group.by(row)) is not None}
            if not values:
                continue
            where = group_key(table.name, name)
            found = self._visit.ask("HMGET", where, *values.values())
            for (key, value), packed in zip(values.items(), found, strict=True):
                members = [str(each) for each in members_of(packed, is_number=False)]
                if key not in members:
                    whole = " ".join([*members, key])
                    yield Wrong(f"group {name} of {table.name} lacks a row", key, (("HSET", where, value, whole),))

    def of_number(self, table: Table, greatest: int) -> Iterator[Wrong]:
        """The number that is given next, against the greatest that a row has."""
        of = NUMBERS.get(table.name, table.name if table.is_numbered else None)
        if of is not None and int(self._visit.ask("GET", number_key(of)) or 0) < greatest:
            yield Wrong(
                f"the number of the next row of {of} was given before", str(greatest),
                (("SET", number_key(of), greatest),),
            )  # fmt: skip

    # places to rows

    def of_index(self, key: str, table: Table, name: str) -> Iterator[Wrong]:
        """Members of one set of an index, against the rows that they name."""
        index = table.indexes[name]

        def is_here(row: Row, where: str) -> bool:
            parts = index.by(row)
            return parts is not None and index_key(table.name, name, parts) == where

        for pairs in self._pages.scanned("ZSCAN", key):
            members = [member.decode(errors="surrogateescape") for member, _ in pairs]
            found = self._visit.ask("HMGET", table_key(table.name), *members) if members else []
            for member, packed in zip(members, found, strict=True):
                if not _is_right(table, packed, is_here, key):
                    yield Wrong(
                        f"index {name} of {table.name} has what no row says", member, (("ZREM", key, member),), key=key
                    )

    def of_groups(self) -> Iterator[Wrong]:
        """Members of all groups, against the rows that they name."""
        for table in TABLES.values():
            for name, group in table.groups.items():
                where = group_key(table.name, name)
                for pairs in self._pages.scanned("HSCAN", where):
                    yield from self._of_members(table, group.by, (name, where), pairs)

    def _of_members(
        self, table: Table, by: Callable[[Row], Any], of: tuple[str, str], pairs: Sequence[tuple[bytes, bytes]]
    ) -> Iterator[Wrong]:
        name, where = of

        def is_of(row: Row, value: str) -> bool:
            found = by(row)
            return found is not None and str(found) == value

        listed = [(value, [str(each) for each in members_of(packed, is_number=False)]) for value, packed in pairs]
        keys = [key for _, members in listed for key in members]
        found = dict(zip(keys, self._visit.ask("HMGET", table_key(table.name), *keys) if keys else [], strict=True))
        for value, members in listed:
            text = value.decode(errors="surrogateescape")
            kept = [key for key in members if _is_right(table, found[key], is_of, text)]
            gone = [key for key in members if key not in kept]
            if gone:
                mend: Commands = (("HSET", where, value, " ".join(kept)),) if kept else (("HDEL", where, value),)
                yield Wrong(f"group {name} of {table.name} has what no row says", gone[0], mend, key=text)


def _is_right(table: Table, packed: bytes | None, says: Callable[[Row, str], bool], place: str) -> bool:
    """Whether a row that is named in a place says so; one that cannot be read is told of by itself, and stays."""
    if packed is None:
        return False
    row = row_of(table, packed)
    return row is None or says(row, place)


def index_keys() -> list[tuple[str, tuple[Table, str]]]:
    """What the keys of each index begin with."""
    return [(index_key(name, each, ()), (table, each)) for name, table in TABLES.items() for each in table.indexes]
