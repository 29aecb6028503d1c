"""Statements side by side: SQL over SQLite's tables, answers over rows of Redis; the same has to come of both.

How a test goes: `put` rows that are there; `own` rows that the operation at hand writes and has not committed; then
`same` asks both, `wrote` has both write, and compares the tables it names before and after the commit.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Any

from hypothesis import strategies as st

from relay.core.words import MailboxId
from relay.store.engine.statements import load_statements
from relay.store.redis.answers import answer
from relay.store.redis.keys import of_mailbox, of_provider
from relay.store.redis.ledger import RedisLedger
from relay.store.redis.rowkeys import group_key, index_key, number_key
from relay.store.redis.tables import TABLES, Table, key_of
from relay.store.sqlite.database import Database
from tests.fakes.database import in_memory
from tests.fakes.redisrows import RedisRows

Named = Mapping[str, Any]
Row = tuple[Any, ...]

NUMBERED = ("attempts", "deliveries", *(table.name for table in TABLES.values() if table.is_numbered))
"""Whose rows the store numbers."""

_BY_KIND: Mapping[str, st.SearchStrategy[Any]] = {
    "i": st.integers(0, 3),
    "t": st.sampled_from(["a", "b", "c"]),
    "b": st.sampled_from([b"\x00\x01", b"\xff\xfe", b"c"]),
}


class Sides:
    """The same rows in SQLite and in Redis."""

    def __init__(self) -> None:
        self.sqlite = Database(in_memory())
        for statement in load_statements("schema").values():
            self.sqlite.write(statement)
        self.redis = RedisRows()
        self.ledger = RedisLedger(self.redis, answer)

    # rows

    def put(self, table: str, *rows: Named) -> None:
        """Rows that are there, with what the schedule keeps of them; columns not named are null."""
        ledger = RedisLedger(self.redis, answer)
        for row in rows:
            self._insert(table, row)
            self._schedule(table, row)
            if table != "logins" or row.get("ended_at") is not None:
                ledger.put(table, self._values(table, row))
            self._number(table, row)
        self.redis.commit(ledger)

    def own(self, table: str, *rows: Named) -> None:
        """Rows that the operation at hand writes, in place of those that are there with the same key."""
        for row in rows:
            self._insert(table, row)
            self.ledger.put(table, self._values(table, row))
            self._number(table, row)

    def drop(self, table: str, key: Any) -> None:
        """The operation at hand takes out a row with a key of one column."""
        column = TABLES[table].key[0]
        self.sqlite.write(f"DELETE FROM {table} WHERE {column} = ?", (key,))
        self.ledger.drop(table, key)

    # statements

    def same(self, name: str, parameters: Sequence[object] = (), *, is_ordered: bool = True) -> list[Row]:
        """What both answer; in any order where the SQL says none."""
        asked = statement(name)
        expected, found = self.sqlite.read(asked, parameters), self.ledger.read(asked, parameters)
        if not is_ordered:
            expected, found = sorted(expected, key=_sortable), sorted(found, key=_sortable)
        assert found == expected, f"{name} {parameters!r}"
        assert [[type(cell) for cell in row] for row in found] == [[type(cell) for cell in row] for row in expected]
        return expected

    def wrote(self, name: str, parameters: Sequence[object] = (), *, tables: Sequence[str]) -> int:
        """How many rows both changed; the tables have the same rows thereafter."""
        asked = statement(name)
        expected, found = self.sqlite.write(asked, parameters), self.ledger.write(asked, parameters)
        assert found == expected, f"{name} {parameters!r} changes {found} rows, not {expected}"
        for table in tables:
            self.same_rows(table)
        return expected

    def commit(self) -> None:
        """The operation at hand is committed, and what it wrote is there with all its indexes."""
        self.redis.commit(self.ledger)
        touched = [table for table in TABLES if self.ledger.written(table)]
        self.ledger = RedisLedger(self.redis, answer)
        for table in touched:
            self.same_rows(table)
            self._same_indexes(TABLES[table])

    def same_rows(self, table: str) -> None:
        """A table has the same rows on both sides; of logins, those that are over."""
        columns = ", ".join(f'"{column}"' for column in TABLES[table].columns)
        over = " WHERE ended_at IS NOT NULL" if table == "logins" else ""
        expected = self.sqlite.read(f"SELECT {columns} FROM {table}{over}")
        if table == "logins":
            expected = [(login_id(row[1], row[0]), *row[1:]) for row in expected]
        found = [tuple(row) for row in self.ledger.all_rows(table)]
        assert sorted(found, key=_sortable) == sorted(expected, key=_sortable), table

    def _number(self, table: str, row: Named) -> None:
        if table in NUMBERED:
            key = number_key(table)
            self.redis.numbers[key] = max(self.redis.numbers[key], row[TABLES[table].key[0]])

    def _same_indexes(self, table: Table) -> None:
        """What lies beside a table follows from its rows."""
        expected: dict[str, dict[str, int]] = {}
        members: dict[tuple[str, str], set[str]] = {}
        for values in self.ledger.all_rows(table.name):
            row, key = table.named(values), str(table.id_of(values))
            for name, index in table.indexes.items():
                parts = index.by(row)
                if parts is not None:
                    expected.setdefault(index_key(table.name, name, parts), {})[key] = index.order(row)
            for name, group in table.groups.items():
                value = group.by(row)
                if value is not None:
                    members.setdefault((group_key(table.name, name), str(value)), set()).add(key)
        found = {key: dict(places) for key, places in self._beside(self.redis.sorted_sets, f":i:{table.name}:")}
        assert {key: places for key, places in found.items() if places} == expected
        groups = self._beside(self.redis.hashes, f":g:{table.name}:")
        kept = {(key, value): packed.decode().split() for key, fields in groups for value, packed in fields.items()}
        assert {of: set(each) for of, each in kept.items()} == members
        assert all(len(set(each)) == len(each) for each in kept.values())

    @staticmethod
    def _beside(keys: Mapping[str, Any], word: str) -> Iterator[tuple[str, Any]]:
        return ((key, value) for key, value in keys.items() if word in key)

    def _insert(self, table: str, row: Named) -> None:
        columns, marks = ", ".join(f'"{column}"' for column in row), ", ".join("?" for _ in row)
        key = TABLES[table].key
        by = " AND ".join(f"{column} = ?" for column in key)
        self.sqlite.write(f"DELETE FROM {table} WHERE {by}", [row[column] for column in key])
        self.sqlite.write(f"INSERT INTO {table} ({columns}) VALUES ({marks})", tuple(row.values()))

    def _values(self, table: str, row: Named) -> list[Any]:
        """The row as the ledger has it; columns left out are as SQLite fills them."""
        known = TABLES[table]
        by = " AND ".join(f"{column} = ?" for column in known.key)
        columns = ", ".join(f'"{column}"' for column in known.columns)
        asked = f"SELECT {columns} FROM {table} WHERE {by}"
        (found,) = self.sqlite.read(asked, [row[column] for column in known.key])
        values = list(found)
        if table == "logins":
            values[0] = login_id(values[1], values[0])
        return values

    # what the schedule keeps

    def mailbox(self, number: int) -> MailboxId:
        """The mailbox of this number, which has to be there before its attempts and logins."""
        ((provider, username),) = self.sqlite.read("SELECT provider, username FROM mailboxes WHERE id = ?", (number,))
        return MailboxId(provider, username)

    def _schedule(self, table: str, row: Named) -> None:
        if table == "attempts" and row["counted"]:
            self._remember(row["mailbox"], "ends", row["id"], row["ended_at"])
            provider = of_provider(self.mailbox(row["mailbox"]).provider, "ends")
            self.redis.sorted_sets[provider][str(row["id"])] = row["ended_at"]
        if table == "logins":
            is_over = row.get("ended_at") is not None
            self._remember(row["mailbox"], "logged" if is_over else "logins", row["id"], _instant(row))
            if row.get("refused"):
                self._remember(row["mailbox"], "refused", row["id"], _instant(row))

    def _remember(self, mailbox: int, name: str, member: int, at: int) -> None:
        self.redis.sorted_sets[of_mailbox(self.mailbox(mailbox), name)][str(member)] = at


def _instant(row: Named) -> int:
    ended: int | None = row.get("ended_at")
    return int(row["started_at"]) if ended is None else ended


def login_id(mailbox: int, order: int) -> str:
    """What the row of a login is found by; in SQLite its id is its order."""
    return f"{mailbox}.{order}"


def statement(name: str) -> str:
    """The statement `file.name`."""
    file, _, short = name.partition(".")
    return load_statements(file)[short]


def rows_of(table: str, **columns: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Random rows of a table: small numbers, few texts, but for the columns that are said."""
    kinds = TABLES[table].columns
    assert not columns.keys() - kinds.keys()
    return st.fixed_dictionaries({name: columns.get(name, _BY_KIND[kind]) for name, kind in kinds.items()})


def tables_of(
    table: str, most: int = 12, *, key: Callable[[dict[str, Any]], Any] | None = None, **columns: st.SearchStrategy[Any]
) -> st.SearchStrategy[list[dict[str, Any]]]:
    """Random rows of a table, no two with the same key."""
    names = TABLES[table].key
    unique = key if key is not None else lambda row: key_of(*itemgetter(*names, names[0])(row))
    return st.lists(rows_of(table, **columns), max_size=most, unique_by=unique)


def _sortable(row: Row) -> list[tuple[str, Any]]:
    return [("", 0) if cell is None else (type(cell).__name__, cell) for cell in row]
