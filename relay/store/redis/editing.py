"""An edit of many accounts, in parts that no other node waits for: rows are prepared where nobody looks, and few verbs
are run at once.

Law: until the one commit nothing of it is in force, and from then on all of it: what is left to be done is kept on the
server with it, and whoever takes the pen next does it first.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import msgpack

from relay.core.words import AccountId, MailboxId
from relay.errors import RelayError
from relay.store.redis.keys import of_mailbox
from relay.store.redis.ledger import RedisLedger
from relay.store.redis.link import Link
from relay.store.redis.operations import Operations
from relay.store.redis.rowkeys import OWED, group_key, index_key, staged_key, table_key
from relay.store.redis.tables import TABLES, Table

MANY: int = 200
"""Accounts or mailboxes that one commit changes as any other operation: some 50 ms of the server's time."""

STAGED = ("routed_accounts", "fingerprints")
"""Tables that an edit may write whole."""

ROWS: int = 500
"""Rows in one part: some milliseconds of the server's time; Lua hands Redis at most 8,000 arguments."""

DEEDS: int = 100
"""Mailboxes or accounts in one part of what is left to be done: 20 ms where something waits at each of them."""

ASKED: int = 1_000
"""Questions in one round trip."""

PARTS: int = 50
"""After so many parts the pen is taken again: its time would be over."""

Entry = list[Any]
"""Of a verb: what it is about, and what it needs to know."""


class Asked:
    """What is asked about many mailboxes, a thousand in one round trip."""

    def __init__(self, link: Link) -> None:
        self._link = link

    def with_terms(self, mailboxes: Iterable[MailboxId]) -> list[MailboxId]:
        """Those to which terms were said, in this order; others hear theirs when something is ready there."""
        return self._those(mailboxes, lambda each: ("HEXISTS", of_mailbox(each, "line"), "terms"))

    def with_logins(self, mailboxes: Iterable[MailboxId]) -> frozenset[MailboxId]:
        """Those of which logins are remembered or under way."""
        names = ("logins", "logged", "refused")
        return frozenset(self._those(mailboxes, lambda each: ("EXISTS", *(of_mailbox(each, name) for name in names))))

    def _those(
        self, mailboxes: Iterable[MailboxId], question: Callable[[MailboxId], tuple[str, ...]]
    ) -> list[MailboxId]:
        found: list[MailboxId] = []
        for some in _parts(list(mailboxes), ASKED):
            replies = self._link.ask_all([question(each) for each in some])
            for each, reply in zip(some, replies, strict=True):
                if isinstance(reply, RelayError):
                    raise reply
                if reply:
                    found.append(each)
        return found


class Left:
    """What is done after the commit: terms of many mailboxes, and moves of many accounts."""

    def __init__(self) -> None:
        self.terms: list[MailboxId] = []
        self.moves: list[tuple[AccountId, MailboxId | None, MailboxId | None]] = []

    def verbs(
        self, terms: Callable[[MailboxId], Entry], standing: Callable[[MailboxId], Entry]
    ) -> Iterator[tuple[str, list[Entry]]]:
        """Those that do it, each with all that it is about; both tell, packed, what is known of a mailbox."""
        yield "schedule.lay_terms", [[*each, terms(each)] for each in self.terms]
        yield "schedule.follow", [
            [
                account, origin and list(origin), target and list(target),
                *((None, None) if target is None else (terms(target), standing(target))),
            ]
            for account, origin, target in self.moves
        ]  # fmt: skip


class Staging:
    """Prepares what a commit puts in its place at once."""

    def __init__(self, operations: Operations, revision: int, held: int) -> None:
        """`held`: how long the pen is kept from each part on."""
        self._operations = operations
        self._revision = revision
        self._held = held
        self._parts = 0

    def tables(self, ledger: RedisLedger) -> None:
        """Tables of which this operation writes many rows are written whole, beside what is in force."""
        for name in STAGED:
            if len(ledger.written(name)) > MANY:
                self._table(ledger, TABLES[name])

    def _table(self, ledger: RedisLedger, table: Table) -> None:
        rows = ledger.whole(table.name)
        groups, indexes = _found_by(table, rows)
        hashes: dict[str, list[tuple[str, bytes | str]]] = {table_key(table.name): list(rows.items())}
        hashes |= {group_key(table.name, name): list(members.items()) for name, members in groups.items()}
        places = [index_key(table.name, name, ()) for name in table.indexes]
        self._put([["UNLINK", staged_key(key)] for key in (*hashes, *places)])
        for key, fields in hashes.items():
            for some in _parts(fields, ROWS):
                self._put([["HSET", staged_key(key), *(text for pair in some for text in pair)]])
        for some in _parts(indexes, ROWS):
            self._put([["ZADD", staged_key(key), order, member] for key, order, member in some])
        ledger.intended.swap(table.name, [*((key, "hash") for key in hashes), *((key, "zset") for key in places)])

    def deeds(self, verbs: Iterable[tuple[str, Sequence[Entry]]]) -> list[list[str]]:
        """Verbs about many are kept, part by part, for after the commit; the command that puts them in their place."""
        parts = [[[verb, [list(some)]]] for verb, entries in verbs for some in _parts(entries, DEEDS)]
        if not parts:
            return []
        self._put([["UNLINK", staged_key(OWED)]])
        for some in _parts(parts, ROWS // DEEDS):
            self._put([["RPUSH", staged_key(OWED), *map(_packed, some)]])
        return [["SWAP", OWED, "", "list"]]

    def _put(self, commands: list[list[Any]]) -> None:
        self._operations.stage(commands)
        self._parts += 1
        if self._parts % PARTS == 0:
            self._operations.begin(self._revision, held=self._held)


def _found_by(table: Table, rows: dict[str, bytes]) -> tuple[dict[str, dict[str, str]], list[tuple[str, int, str]]]:
    """The groups of all rows, and their places in indexes that have no parts."""
    groups: dict[str, dict[str, str]] = {name: {} for name in table.groups}
    places: list[tuple[str, int, str]] = []
    for member, packed in rows.items():
        row = table.named(table.unpack(packed))
        for name, group in table.groups.items():
            value = group.by(row)
            if value is not None:
                known = groups[name].get(str(value))
                groups[name][str(value)] = member if known is None else f"{known} {member}"
        for name, index in table.indexes.items():
            parts = index.by(row)
            if parts is not None:
                places.append((index_key(table.name, name, parts), index.order(row), member))
    return groups, places


def _parts(whole: Sequence[Any], many: int) -> Iterator[Sequence[Any]]:
    for start in range(0, len(whole), many):
        yield whole[start : start + many]


def _packed(deeds: Any) -> bytes:
    packed: bytes = msgpack.packb(deeds, use_bin_type=False, unicode_errors="surrogateescape")
    return packed
