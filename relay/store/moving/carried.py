"""What is carried from one store to another, and in which shape: rows in the order of their columns, and their digests.

Law: a row arrives as it was; only instants of relay time are moved, all by the same span, and what a place gives itself
(where a body lies, the number of a login) is left out of what is compared.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from relay.store.redis.tables import TABLES

Cells = list[Any]
"""One row, in the order of its table's columns."""

MESSAGES, DELIVERIES, ATTEMPTS, LOGINS, META = "messages", "deliveries", "attempts", "logins", "meta"
EVENTS, BODIES, OUTBOX = "events", "bodies", "outbox"

LEFT_BEHIND = ("claims", "nodes")
"""Attempts under way, which end before anything is carried, and leases of processes that are dead."""

CARRIED = tuple(name for name in TABLES if name not in LEFT_BEHIND)
"""The tables, in the order in which they are carried."""

NUMBERED = (
    DELIVERIES, ATTEMPTS, "accounts", "mailboxes", "routed_accounts", "outbox", "healths", "concerns", "tellings",
)  # fmt: skip
"""Tables whose rows have numbers that go on where they were."""

BARRED_BY = "barred_by"
"""The fact that says which move has barred a place."""

CHANGES = "changes"
"""How far the store was when it was on Redis: nodes remember it (relay/store/redis/seen.py), so it never is less there.

The fact under which a place that does not count keeps it, and the field under which Redis counts.
"""

OWN_FACTS = frozenset(
    {"schema", "queue_ahead", "clock_wrong", "floor_messages", "floor_attempts", "barred", BARRED_BY, CHANGES}
)
"""Facts of `meta` that speak of the place and not of what is in it."""

MOVING = "moving"
"""What the facts begin with by which a target remembers a move that is not finished."""

OF_THE_PLACE: Mapping[str, frozenset[str]] = MappingProxyType(
    {MESSAGES: frozenset({"segment", "offset", "length"}), LOGINS: frozenset({"id"})}
)
"""Columns that are others in another place."""

RELAY_TIME: Mapping[str, frozenset[str]] = MappingProxyType(
    {ATTEMPTS: frozenset({"started_at", "gated_at", "ended_at"}), LOGINS: frozenset({"started_at", "ended_at"})}
)
"""Columns in relay time; all other instants are queue time."""

_HEALTHS = frozenset({"mailboxes", "providers"})
_OF_HEALTH = ("probe_at", "clean_since", "fixed_at", "logins_back_at")
"""Instants of relay time within a health (relay/core/health.py)."""


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows of a table, and where the next ones begin."""

    rows: Sequence[Cells]
    position: str
    bodies: Mapping[int, bytes] = field(default_factory=dict)
    """Of messages: the sealed bodies that are still needed, by `seq`."""


@dataclass(slots=True)
class Tally:
    """How many there are, and a sum over what they are: the same on both sides, in whatever order they come."""

    many: int = 0
    total: int = 0

    def add(self, *packed: bytes) -> None:
        """One more."""
        hashed = hashlib.blake2b(digest_size=8)
        for each in packed:
            hashed.update(len(each).to_bytes(8, "big") + each)
        self.many += 1
        self.total = (self.total + int.from_bytes(hashed.digest(), "big")) % (1 << 64)


def is_carried(table: str, cells: Sequence[Any]) -> bool:
    """Whether a row goes along."""
    return table != META or not (cells[0] in OWN_FACTS or str(cells[0]).startswith(MOVING))


def shifted(table: str, cells: Cells, by: int) -> Cells:
    """A row whose instants of relay time are all later by so much."""
    if not by:
        return cells
    if table in _HEALTHS:
        return [*cells[:-1], _health(cells[-1], by)]
    moved = RELAY_TIME.get(table, frozenset())
    names = TABLES[table].columns
    return [cell + by if name in moved and cell is not None else cell for name, cell in zip(names, cells, strict=True)]


def _health(written: str | None, by: int) -> str | None:
    if written is None:
        return None
    health = json.loads(written)
    for name in _OF_HEALTH:
        if health.get(name) is not None:
            health[name] += by
    if "refused" in health:
        health["refused"] = [[fingerprint, at + by] for fingerprint, at in health["refused"]]
    return json.dumps(health)


def compared(table: str, cells: Cells) -> bytes:
    """What of a row has to be the same on both sides."""
    own, kept = OF_THE_PLACE.get(table, frozenset()), TABLES[table]
    return kept.pack([None if name in own else cell for name, cell in zip(kept.columns, cells, strict=True)])
