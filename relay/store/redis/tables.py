"""The tables of a store on Redis: the same columns as relay/store/sql/schema.sql, and the indexes beside them.

Law: a row is one field of its table's hash; every index entry follows from a row, so whoever writes rows writes both.
Rows are msgpack arrays in the order of the columns; null is `false`, for Lua arrays have no holes.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import msgpack

Cell = int | str | bytes | None
Values = Sequence[Any]
"""One row, in the order of its table's columns."""

Id = int | str
"""What a row is found by: a number, or a text made of its key columns."""

PLACED: int = 6
"""Octets of a hash that make a number: a double of Lua holds 53 bits."""


@dataclass(frozen=True, slots=True)
class Index:
    """Ids of rows in the order of a number: a sorted set for each value of what it is by."""

    by: Callable[[Mapping[str, Any]], tuple[Id, ...] | None]
    """Which set a row is in; None: in none."""
    order: Callable[[Mapping[str, Any]], int]


@dataclass(frozen=True, slots=True)
class Group:
    """Ids of a few rows by one value, in the order in which they were written; for Lua too, so a list in a hash."""

    by: Callable[[Mapping[str, Any]], Id | None]


@dataclass(frozen=True, slots=True)
class Table:
    """One table. `columns`: name and kind of each (i number, t text, b bytes)."""

    name: str
    columns: Mapping[str, str]
    key: tuple[str, ...]
    indexes: Mapping[str, Index]
    groups: Mapping[str, Group]
    is_numbered: bool = False
    """Ids are numbers that the store gives, one after the other."""

    def id_of(self, values: Values) -> Id:
        """What this row is found by."""
        row = self.named(values)
        if len(self.key) == 1:
            found: Id = row[self.key[0]]
            return found
        return key_of(*(row[name] for name in self.key))

    @property
    def has_numbers(self) -> bool:
        """Whether rows are found by numbers, else by texts."""
        return len(self.key) == 1 and self.columns[self.key[0]] == "i"

    def id_in(self, kept: bytes) -> Id:
        """What a row is found by, as Redis keeps it: a field, or a member of an index."""
        return int(kept) if self.has_numbers else kept.decode()

    def named(self, values: Values) -> dict[str, Any]:
        """The row by the names of its columns."""
        return dict(zip(self.columns, values, strict=True))

    def plain(self, values: Values) -> list[Any]:
        """The row as it will be read: flags are numbers, words of an enum are texts."""
        return self.unpack(self.pack(values))

    def pack(self, values: Values) -> bytes:
        """The row as it is kept."""
        plain = [False if each is None else int(each) if isinstance(each, bool) else each for each in values]
        packed: bytes = msgpack.packb(plain, use_bin_type=False, unicode_errors="surrogateescape")
        return packed

    def unpack(self, packed: bytes) -> list[Any]:
        """The row as it was written."""
        cells = msgpack.unpackb(packed, raw=True, strict_map_key=False)
        return [_read(cell, kind) for cell, kind in zip(cells, self.columns.values(), strict=True)]


def _read(cell: Any, kind: str) -> Cell:
    if cell is False:
        return None
    if kind == "i":
        return int(cell)
    return cell if kind == "b" else str(cell, "utf-8", "surrogateescape")


def key_of(*parts: Any) -> str:
    """Several columns as one key: each with its length, so that no two keys are the same by chance."""
    texts = [part.hex() if isinstance(part, bytes) else str(part) for part in parts]
    return ",".join(f"{len(text.encode(errors='surrogateescape'))}:{text}" for text in texts)


def parts_of(key: str) -> list[str]:
    """The columns of a key that `key_of` made, as texts; hashes are in hexadecimal digits."""
    rest, parts = key.encode(errors="surrogateescape"), []
    while rest:
        length, _, rest = rest.partition(b":")
        parts.append(rest[: int(length)].decode(errors="surrogateescape"))
        rest = rest[int(length) + 1 :]
    return parts


def _table(name: str, columns: str, *, key: str, numbered: bool = False, **indexes: Index | Group) -> Table:
    kinds = dict(pair.split(":") for pair in columns.split())
    ordered = {name: index for name, index in indexes.items() if isinstance(index, Index)}
    groups = {name: index for name, index in indexes.items() if isinstance(index, Group)}
    return Table(
        name, MappingProxyType(kinds), tuple(key.split()), MappingProxyType(ordered), MappingProxyType(groups), numbered
    )


def _ready(row: Mapping[str, Any]) -> bool:
    return bool(row["state"] == 0 and row["due"] == 0)


def _id(row: Mapping[str, Any]) -> int:
    return int(row["id"])


def told_by(message: str) -> tuple[str] | None:
    """What a letter's id begins with says of which concern it is: `c`, its number and a hyphen (core/announcing)."""
    begin, hyphen, _ = message.partition("-")
    return (begin + hyphen,) if hyphen and begin[:1] == "c" and begin[1:].isdecimal() else None


def _is_unsaid(row: Mapping[str, Any]) -> bool:
    """Whether a concern is over whose end somebody who was told of it has not heard."""
    return None not in (row["look_at"], row["closed_at"], row["told_at"])


def reason_key(reason: str | None) -> str:
    """A reason as a part of a key: none is not the same as an empty one."""
    return "" if reason is None else f"={reason}"


def place_of(hashed: bytes) -> int:
    """A hash as a number by which hashes keep their order, as far as a double holds it."""
    return int.from_bytes(hashed[:PLACED].ljust(PLACED, b"\0"), "big")


_TABLES = (
    _table("meta", "name:t value:t", key="name"),
    _table("routing", "id:i version:i body:b", key="id"),
    _table(
        "routed_accounts", "id:i sender:t body:b", key="id", numbered=True,
        senders=Group(lambda row: row["sender"]),
    ),
    _table(
        "fingerprints", "provider:t username:t fingerprint:t since:i", key="provider username",
        undated=Index(lambda row: () if row["fingerprint"] is None and row["since"] is None else None, lambda _: 0),
    ),
    _table("accounts", "id:i sender:t", key="id", numbered=True, names=Group(lambda row: row["sender"])),
    _table(
        "mailboxes", "id:i provider:t username:t health:t", key="id", numbered=True,
        names=Group(lambda row: key_of(row["provider"], row["username"])),
    ),
    _table("providers", "name:t health:t", key="name"),
    _table(
        "messages",
        "seq:i id:t client:t account:i kind:i accepted_at:i size:i recipients:i segment:i offset:i length:i "
        "message_id_hash:b submitted_hash:b is_dated:i",
        key="seq",
        account=Index(lambda row: (row["account"],), lambda row: int(row["seq"])),
        message_id=Index(lambda row: (row["message_id_hash"][:8].hex(),), lambda row: int(row["seq"])),
        ids=Group(lambda row: row["id"]),
        letters=Index(lambda row: told_by(row["id"]), lambda row: int(row["seq"])),
    ),
    _table(
        "deliveries",
        "id:i message:i account:i lane:i state:i due:i expires_at:i tries:i doubts:i reason:t reply:t since:i domain:b "
        "recipient_hash:b envelope:b",
        key="id",
        ready=Index(lambda row: (row["account"], row["lane"]) if _ready(row) else None, _id),
        stalled=Index(
            lambda row: (row["account"], row["state"]) if row["state"] <= 1 and not _ready(row) else None, _id
        ),
        due=Index(lambda row: () if 0 < row["due"] < row["expires_at"] else None, lambda row: int(row["due"])),
        expiry=Index(lambda row: () if row["state"] <= 1 else None, lambda row: int(row["expires_at"])),
        failed=Index(lambda row: () if row["state"] >= 3 else None, _id),
    ),
    _table(
        "claims",
        "attempt:i delivery:i mailbox:i node:t started_at:i gated_at:i is_probe:i lapsed_at:i is_lost:i",
        key="attempt",
        holders=Group(lambda row: row["delivery"] if row["delivery"] and not row["is_lost"] else None),
    ),
    _table(
        "attempts",
        "id:i delivery:i mailbox:i node:t started_at:i gated_at:i ended_at:i counted:i stage:t class:t reply:t "
        "likeness:b said:b",
        key="id",
        of=Group(lambda row: row["delivery"] or None),
        tried=Index(lambda row: (row["mailbox"],), lambda row: int(row["ended_at"])),
        said=Index(lambda row: () if row["said"] is not None else None, lambda row: int(row["ended_at"])),
    ),
    _table(
        "logins", "id:t mailbox:i started_at:i ended_at:i class:t likeness:b refused:i", key="id",
        ended=Index(lambda row: (row["mailbox"],), lambda row: int(row["ended_at"])),
        worked=Index(lambda row: (row["mailbox"],) if row["class"] is None else None, lambda row: int(row["ended_at"])),
        over=Index(lambda _: (), lambda row: int(row["ended_at"])),
    ),
    _table("nodes", "name:t lease_until:i", key="name"),
    _table(
        "outbox",
        "id:i kind:t message:i delivery:i reason:t reply:t at:i envelope:b since:i report:i refused_by:i refused_at:i "
        "lost:i",
        key="id", numbered=True,
        message=Index(lambda row: (row["message"],), _id),
        open=Index(lambda row: () if row["report"] is None and not row["lost"] else None, _id),
        report=Index(lambda row: (row["report"],) if row["report"] is not None else None, _id),
        lost=Index(lambda row: () if row["lost"] else None, lambda row: int(row["refused_at"] or 0)),
    ),
    _table("notices", "id:i delivery:i", key="id"),
    _table("noticed", "account:i begun:i many:i", key="account"),
    _table(
        "healths", "id:i at:i provider:t mailbox:i state:t reason:t cause:t reply:t by:t slow:i",
        key="id", numbered=True,
        all=Index(lambda _: (), _id),
        of=Index(lambda row: (row["provider"], row["mailbox"] or 0), _id),
    ),
    _table("paused_accounts", "account:i since:i why:t", key="account"),
    _table("secrets", "name:t sealed:b changed_at:i", key="name"),
    _table(
        "suppressions", "account:i recipient_hash:b kind:t many:i first_at:i last_at:i until:i",
        key="account recipient_hash kind",
        account=Index(lambda row: (row["account"],), lambda row: place_of(row["recipient_hash"])),
        unknown=Index(lambda row: () if row["kind"] == "unknown" else None, lambda row: int(row["last_at"])),
    ),
    _table("unheard", "message:i until:i", key="message", until=Index(lambda _: (), lambda row: int(row["until"]))),
    _table(
        "riddles", "provider:t stage:t code:i text:t many:i first_at:i last_at:i", key="provider stage code text",
        all=Index(lambda _: (), lambda row: int(row["last_at"])),
        of=Index(lambda row: (row["provider"],), lambda row: int(row["last_at"])),
    ),
    _table(
        "concerns",
        "id:i kind:t about:t provider:t mailbox:i account:i reason:t opened_at:i closed_at:i told_at:i look_at:i "
        "words:i detail:t",
        key="id", numbered=True,
        open=Index(lambda row: () if row["closed_at"] is None else None, _id),
        about=Index(lambda row: (row["kind"], row["about"]), _id),
        open_of=Index(lambda row: (row["kind"], row["about"]) if row["closed_at"] is None else None, _id),
        because=Index(lambda row: (row["kind"], row["about"], reason_key(row["reason"])), _id),
        unsaid=Index(lambda row: (row["kind"], row["about"]) if _is_unsaid(row) else None, _id),
        subject=Index(lambda row: (row["about"],), _id),
        kind_of=Index(lambda row: (row["kind"],) if row["closed_at"] is None else None, _id),
        mailbox=Index(lambda row: (row["kind"], row["mailbox"]) if row["mailbox"] is not None else None, _id),
        look=Index(lambda row: () if row["look_at"] is not None else None, lambda row: int(row["look_at"])),
        over=Index(
            lambda row: () if row["look_at"] is None and row["closed_at"] is not None else None,
            lambda row: int(row["closed_at"]),
        ),
    ),
    _table(
        "tellings", "id:i concern:i word:i notice:t state:i due_at:i tries:i error:t done_at:i",
        key="id", numbered=True,
        due=Index(lambda row: () if row["state"] == 0 else None, lambda row: int(row["due_at"])),
        waiting=Index(lambda row: () if row["state"] == 0 else None, _id),
        dead=Index(lambda row: () if row["state"] == 2 else None, _id),
        done=Index(lambda row: () if row["state"] > 0 else None, lambda row: int(row["done_at"] or 0)),
        concern=Index(lambda row: (row["concern"],), _id),
    ),
    _table("letters", "message:i concern:i word:i reader:t", key="message"),
    _table(
        "traffic", "account:i day:i messages:i", key="account day",
        account=Group(lambda row: row["account"]),
    ),
    _table("warmups", "mailbox:i begun_at:i clean_days:i counted_day:i", key="mailbox"),
)  # fmt: skip

TABLES: Mapping[str, Table] = MappingProxyType({table.name: table for table in _TABLES})
"""All of them by name."""
