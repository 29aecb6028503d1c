"""Rows as a store on Redis keeps them: each with its places in indexes, groups and the limiter's memory.

Law: a row from another place lies exactly as one that was written here.
"""

from collections.abc import Callable, Iterator
from typing import Any

from relay.core.words import MailboxId
from relay.store.moving.carried import ATTEMPTS, DELIVERIES, LOGINS, MESSAGES, Cells
from relay.store.redis.answers.past import login_id
from relay.store.redis.keys import of_mailbox, of_provider
from relay.store.redis.rowkeys import PENDING, USED, group_key, index_key, table_key
from relay.store.redis.tables import TABLES

LOGINS_BEFORE: int = 1_000_000_000
"""Logins of another place come before all that begin here, which count from 1: more than are kept of fifty hours."""

Write = list[Any]
"""One row: the hash, its field, the row, and the commands for what lies beside it (relay/store/lua/lib/rows.lua)."""


class RedisRows:
    """Makes them."""

    def __init__(self, mailbox: Callable[[int], MailboxId], since: int) -> None:
        """`mailbox`: the one with this number; `since`: attempts that ended from then on may still count."""
        self._mailbox = mailbox
        self._since = since

    def write(self, table: str, cells: Cells) -> Write:
        """A row with all that lies beside it."""
        kept = TABLES[table]
        if table == LOGINS:
            cells = [login_id(cells[1], str(cells[0] - LOGINS_BEFORE)), *cells[1:]]
        if table == MESSAGES:
            cells = [*cells[:8], 0, cells[0], cells[10], *cells[11:]]
        key = str(kept.id_of(cells))
        beside = [*self._indexes(table, cells, key), *self._memory(table, kept.named(cells))]
        return [table_key(table), key, kept.pack(cells), beside]

    def _indexes(self, table: str, cells: Cells, key: str) -> Iterator[list[Any]]:
        row = TABLES[table].named(cells)
        for name, index in TABLES[table].indexes.items():
            parts = index.by(row)
            if parts is not None:
                yield ["ZADD", index_key(table, name, parts), index.order(row), key]
        for name, group in TABLES[table].groups.items():
            value = group.by(row)
            if value is not None:
                yield ["JOIN", group_key(table, name), str(value), key]

    def _memory(self, table: str, row: dict[str, Any]) -> Iterator[list[Any]]:
        """What is no table here: whose mail is not final, and what limits count."""
        if table == DELIVERIES and row["state"] <= 1:
            yield ["SADD", PENDING, str(row["account"])]
        if table == ATTEMPTS:
            yield ["HSET", USED, str(row["mailbox"]), "1"]
            if row["counted"] and row["ended_at"] >= self._since:
                mailbox = self._mailbox(row["mailbox"])
                for key in (of_mailbox(mailbox, "ends"), of_provider(mailbox.provider, "ends")):
                    yield ["ZADD", key, row["ended_at"], str(row["id"])]
        if table == LOGINS and row["ended_at"] is not None:
            mailbox, order = self._mailbox(row["mailbox"]), row["id"].partition(".")[2]
            yield ["ZADD", of_mailbox(mailbox, "logged"), row["ended_at"], order]
            if row["refused"]:
                yield ["ZADD", of_mailbox(mailbox, "refused"), row["ended_at"], order]
