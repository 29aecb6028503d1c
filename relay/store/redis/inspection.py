"""A look at a whole store on Redis: whether all that hangs on rows follows from them, as tables.py says.

Law: it reads, row by row and place by place, with few of them in memory; rows are the truth, and what is told of one is
its number, and nobody's name.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgpack

from relay.core.limits import HOUR
from relay.core.words import AccountId, MailboxId
from relay.errors import CorruptValue
from relay.store.engine.routes import Routes
from relay.store.engine.values import LANES, Seals, Stored
from relay.store.redis.book import members_of
from relay.store.redis.dense import NUMBERS
from relay.store.redis.keys import BUSY, CLOCK, of_mailbox
from relay.store.redis.keys import member as member_of
from relay.store.redis.keys import ready as ready_key
from relay.store.redis.rowkeys import (
    OURS,
    PENDING,
    body_key,
    group_key,
    index_key,
    number_key,
    table_key,
)
from relay.store.redis.tables import TABLES, Table
from relay.store.redis.visit import Visit

PAGE: int = 1_000
"""Rows, places or keys looked at together: a few milliseconds of the server's time."""

WINDOW: int = 49 * HOUR
"""Ends are kept for fifty hours; of the last of them some may just be going."""

Row = dict[str, Any]
Commands = tuple[tuple[bytes | str | int, ...], ...]


@dataclass(frozen=True, slots=True)
class Wrong:
    """One thing that is not as the rows say. Two looks find the same if it is no change under way."""

    kind: str
    """What it is, without a number: those of one kind are told together."""
    where: str
    """Its number, as people may read it."""
    mend: Commands = field(default=(), compare=False)
    """What puts it right; none: `is_queue`, or nothing does."""
    is_queue: bool = False
    """The queues have to be made anew."""
    key: str = field(default="", repr=False)
    """What tells it from others of the same number."""

    @property
    def can_be_mended(self) -> bool:
        """Whether rows say how it should be."""
        return bool(self.mend) or self.is_queue


class Inspection:
    """One look; `counts` are deliveries by state, `rows` rows by table. RelayError: it could not be gone through."""

    def __init__(self, visit: Visit, seals: Seals | None, routes: Routes | None, told: Callable[[str], None]) -> None:
        """Without `seals` nothing is opened, without `routes` no queue is looked at; `told` hears of each part."""
        self._visit = visit
        self._seals = seals
        self._routes = routes
        self._told = told
        self.counts: Counter[Stored] = Counter()
        self.rows: Counter[str] = Counter()
        self._ready: dict[int, tuple[int, int]] = {}
        """What may be sent and is not under way: account and lane by delivery."""
        self._needed: set[int] = set()
        self._pending: set[int] = set()
        self._seqs: dict[int, str] = {}
        """Ids of messages by number."""

    @property
    def ready(self) -> Mapping[int, tuple[int, int]]:
        """What has to be in the queues."""
        return self._ready

    def wrongs(self) -> Iterator[Wrong]:
        """Everything that is wrong."""
        for table in TABLES.values():
            self._told(table.name)
            greatest = 0
            for rows in self._pages(table):
                self.rows[table.name] += len(rows)
                greatest = max([greatest, *(int(key) for key in rows if key.isdecimal())])
                yield from self._of_indexes(table, rows)
                yield from self._of_groups(table, rows)
                if table.name in ("messages", "deliveries", "outbox"):
                    yield from self._noted(table.name, rows)
            yield from self._of_number(table, greatest)
        self._told("indexes")
        bodies: set[int] = set()
        queues: list[str] = []
        prefixes = _prefixes()
        for key in self._keys():
            if key.startswith(body_key(0)[:-1]):
                bodies.add(int(key.rpartition(":")[2]))
            elif _name_of(key).startswith(("ready:", "unrouted:")):
                queues.append(key)
            else:
                found = next(
                    (place for prefix, place in prefixes if key == prefix or key.startswith(f"{prefix}:")), None
                )
                if found is not None:
                    yield from self._of_places(key, *found)
        yield from self._of_group_members()
        yield from self._of_pending()
        self._told("queues")
        yield from self._of_queues(queues)
        self._told("bodies")
        yield from self._of_bodies(bodies)
        self._told("limits")
        yield from self._of_ends()

    # rows to places

    def _pages(self, table: Table) -> Iterator[dict[str, Row]]:
        for pairs in self._scanned("HSCAN", table_key(table.name)):
            rows: dict[str, Row] = {}
            for name, packed in pairs:
                try:
                    rows[name.decode(errors="surrogateescape")] = table.named(table.unpack(packed))
                except (ValueError, TypeError, AttributeError):
                    yield {}
            yield rows

    def _scanned(self, verb: str, key: str) -> Iterator[list[tuple[bytes, bytes]]]:
        cursor = b"0"
        while True:
            cursor, pairs = self._visit.ask(verb, key, cursor, "COUNT", PAGE)
            yield list(dict(zip(pairs[::2], pairs[1::2], strict=True)).items())
            if cursor == b"0":
                return

    def _keys(self) -> Iterator[str]:
        cursor, seen = b"0", set[bytes]()
        while True:
            cursor, keys = self._visit.ask("SCAN", cursor, "MATCH", OURS, "COUNT", PAGE)
            yield from (key.decode(errors="surrogateescape") for key in keys if key not in seen)
            seen.update(keys)
            if cursor == b"0":
                return

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

    def _of_number(self, table: Table, greatest: int) -> Iterator[Wrong]:
        of = NUMBERS.get(table.name, table.name if table.is_numbered else None)
        if of is not None and int(self._visit.ask("GET", number_key(of)) or 0) < greatest:
            yield Wrong(
                f"the number of the next row of {of} was given before", str(greatest),
                (("SET", number_key(of), greatest),),
            )  # fmt: skip

    # places to rows

    def _of_places(self, key: str, table: Table, name: str) -> Iterator[Wrong]:
        index = table.indexes[name]
        for pairs in self._scanned("ZSCAN", key):
            members = [member.decode(errors="surrogateescape") for member, _ in pairs]
            found = self._visit.ask("HMGET", table_key(table.name), *members) if members else []
            for member, packed in zip(members, found, strict=True):
                row = None if packed is None else table.named(table.unpack(packed))
                parts = None if row is None else index.by(row)
                if parts is None or index_key(table.name, name, parts) != key:
                    yield Wrong(
                        f"index {name} of {table.name} has what no row says", member, (("ZREM", key, member),), key=key
                    )

    def _of_group_members(self) -> Iterator[Wrong]:
        for table in TABLES.values():
            for name, group in table.groups.items():
                where = group_key(table.name, name)
                for pairs in self._scanned("HSCAN", where):
                    yield from self._of_members(table, group.by, (name, where), pairs)

    def _of_members(
        self, table: Table, by: Callable[[Row], Any], of: tuple[str, str], pairs: Sequence[tuple[bytes, bytes]]
    ) -> Iterator[Wrong]:
        name, where = of
        listed = [(value, [str(each) for each in members_of(packed, is_number=False)]) for value, packed in pairs]
        keys = [key for _, members in listed for key in members]
        found = dict(zip(keys, self._visit.ask("HMGET", table_key(table.name), *keys) if keys else [], strict=True))
        for value, members in listed:
            text = value.decode(errors="surrogateescape")
            kept = [key for key in members if found[key] is not None and _is(table, by, found[key], text)]
            gone = [key for key in members if key not in kept]
            if gone:
                mend: Commands = (("HSET", where, value, " ".join(kept)),) if kept else (("HDEL", where, value),)
                yield Wrong(f"group {name} of {table.name} has what no row says", gone[0], mend, key=text)

    # mail

    def _noted(self, table: str, rows: Mapping[str, Row]) -> Iterator[Wrong]:
        if table == "messages":
            self._seqs |= {row["seq"]: row["id"] for row in rows.values()}
        elif table == "outbox":
            self._needed |= {row["message"] for row in rows.values()}
        else:
            yield from self._note_deliveries(list(rows.values()))

    def _note_deliveries(self, rows: list[Row]) -> Iterator[Wrong]:
        self.counts.update(Stored(row["state"]) for row in rows)
        open_ones = [row for row in rows if row["state"] <= 1]
        self._needed |= {row["message"] for row in open_ones}
        self._pending |= {row["account"] for row in open_ones}
        ready = [row for row in open_ones if row["state"] == 0 and row["due"] == 0]
        held = self._visit.ask("HMGET", group_key("claims", "holders"), *(row["id"] for row in ready)) if ready else []
        free = (row for row, holder in zip(ready, held, strict=True) if holder is None)
        self._ready |= {row["id"]: (row["account"], row["lane"]) for row in free}
        homeless = [row for row in rows if row["message"] not in self._seqs]
        for row in homeless:
            yield Wrong("a delivery belongs to no message", str(row["id"]))
        for row in open_ones:
            message = self._seqs.get(row["message"])
            if self._seals is not None and message is not None:
                try:
                    self._seals.open_envelope(row["envelope"] or b"", message, row["id"] - row["message"])
                except (CorruptValue, ValueError):
                    yield Wrong(f"the envelope of a delivery of {message} cannot be opened", str(row["id"]))

    def _of_pending(self) -> Iterator[Wrong]:
        known = {int(each) for each in self._visit.ask("SMEMBERS", PENDING)}
        for account in sorted(self._pending - known):
            yield Wrong(
                "an account with mail is not among those that have some", str(account), (("SADD", PENDING, account),)
            )

    def _of_bodies(self, there: set[int]) -> Iterator[Wrong]:
        for seq in sorted(self._needed - there):
            yield Wrong("the body of a message that is not finished is missing", self._seqs.get(seq, str(seq)))
        for seq in sorted(there - self._needed):
            yield Wrong("a body is left over", str(seq), (("UNLINK", body_key(seq)),))
        if self._seals is not None:
            yield from self._of_sealed(self._seals, sorted(self._needed & there & set(self._seqs)))

    def _of_sealed(self, seals: Seals, seqs: Sequence[int]) -> Iterator[Wrong]:
        for seq in seqs:
            record = self._visit.ask("GET", body_key(seq))
            try:
                if record is not None:  # else it went while this look came by
                    seals.open_content(record, self._seqs[seq])
            except CorruptValue:
                yield Wrong("the body of a message cannot be opened", self._seqs[seq])

    # the schedule

    def _of_queues(self, queues: Iterable[str]) -> Iterator[Wrong]:
        expected: dict[str, set[int]] = {}
        for (account, lane), ids in _by_queue(self._ready).items():
            packed = self._visit.ask("HGET", table_key("accounts"), account)
            if packed is not None and self._routes is not None:
                sender = AccountId(TABLES["accounts"].unpack(packed)[1])
                where = ready_key(self._routes.mailbox_of(sender), sender, LANES[lane])
                expected.setdefault(where, set()).update(ids)
        if self._routes is None:
            return
        for key in {*queues, *expected}:
            found = {int(each) for each in self._visit.ask("ZRANGE", key, 0, -1)}
            wanted = expected.get(key, set())
            for each in sorted(wanted - found):
                yield Wrong("a delivery that is ready is in no queue", str(each), is_queue=True, key=key)
            for each in sorted(found - wanted):
                yield Wrong("a queue has what is not ready, or goes another way", str(each), is_queue=True, key=key)
        yield from self._of_lines(expected)

    def _of_lines(self, expected: Mapping[str, set[int]]) -> Iterator[Wrong]:
        """What each mailbox counts, against what is ready there."""
        assert self._routes is not None
        busy = {each.decode(errors="surrogateescape") for each in self._visit.ask("ZRANGE", BUSY, 0, -1)}
        counted: Counter[tuple[MailboxId, int]] = Counter()
        for account, lane in self._ready.values():
            packed = self._visit.ask("HGET", table_key("accounts"), account)
            sender = None if packed is None else AccountId(TABLES["accounts"].unpack(packed)[1])
            mailbox = None if sender is None else self._routes.mailbox_of(sender)
            if mailbox is not None:
                counted[mailbox, lane] += 1
        boxes = sorted({mailbox for mailbox, _ in counted} | {MailboxId(*each.split(" ", 1)) for each in busy})
        for mailbox in boxes:
            packed = self._visit.ask("HGET", of_mailbox(mailbox, "line"), "state")
            state = [0, 0] if packed is None else msgpack.unpackb(packed, raw=True)
            wanted = [counted[mailbox, lane] for lane in (0, 1)]
            if list(state[:2]) != wanted or (sum(wanted) > 0) != (member_of(mailbox) in busy):
                yield Wrong("a mailbox counts what is ready wrongly", "", is_queue=True, key=member_of(mailbox))

    def _of_ends(self) -> Iterator[Wrong]:
        """Each attempt that counts is counted, and none besides."""
        clock = self._visit.ask("HGET", CLOCK, "last")
        table = TABLES["attempts"]
        for pairs in self._scanned("HSCAN", table_key("mailboxes")):
            for number, packed in pairs:
                _, provider, username, _ = TABLES["mailboxes"].unpack(packed)
                tried = index_key("attempts", "tried", (int(number),))
                newest = self._visit.ask("ZREVRANGE", tried, 0, 0, "WITHSCORES")
                if not newest:
                    continue
                since = max(float(clock or 0), float(newest[1])) - WINDOW
                ids = self._visit.ask("ZRANGEBYSCORE", tried, f"{since:.0f}", "+inf")
                found = self._visit.ask("HMGET", table_key("attempts"), *ids) if ids else []
                rows = [table.named(table.unpack(each)) for each in found if each is not None]
                wanted = Counter(int(row["ended_at"]) for row in rows if row["counted"])
                ends = of_mailbox(MailboxId(provider, username), "ends")
                scores = self._visit.ask("ZRANGEBYSCORE", ends, f"{since:.0f}", "+inf", "WITHSCORES")[1::2]
                if Counter(int(float(each)) for each in scores) != wanted:
                    yield Wrong("what limits count of a mailbox is not what it tried", f"mailbox {int(number)}")


def _is(table: Table, by: Callable[[Row], Any], packed: bytes, value: str) -> bool:
    found = by(table.named(table.unpack(packed)))
    return found is not None and str(found) == value


def _name_of(key: str) -> str:
    """A key without its tag."""
    return key.partition("}:")[2]


def _by_queue(ready: Mapping[int, tuple[int, int]]) -> dict[tuple[int, int], list[int]]:
    found: dict[tuple[int, int], list[int]] = {}
    for each, queue in ready.items():
        found.setdefault(queue, []).append(each)
    return found


def _prefixes() -> list[tuple[str, tuple[Table, str]]]:
    """What the keys of each index begin with."""
    return [(index_key(name, each, ()), (table, each)) for name, table in TABLES.items() for each in table.indexes]
