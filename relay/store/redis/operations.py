"""One operation that decides: it holds the pen from its first look to its commit, so that nobody decides beside it.

Law: what it means to write is written by one script or not at all; after an operation that failed the memory of this
node is not what the store says, and is loaded again.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import msgpack

from relay.core.limits import HOUR, SECOND, Instant
from relay.errors import StoreMoved, StoreUnavailable
from relay.store.redis.intended import Intended
from relay.store.redis.link import Link
from relay.store.redis.lives import outlived
from relay.store.redis.rowkeys import DONE, META, PEN_FREE
from relay.store.redis.scripts import load_script
from relay.store.redis.times import RedisTimes

HELD: int = 2 * SECOND
"""How long the pen is kept of a node that died with it; nearly every operation is over in milliseconds."""

PATIENCE: int = SECOND // 50
"""How long is waited for the pen in one go: what is hot and needs none goes on in between."""

FOREVER: int = HOUR
"""Nobody who decides keeps the pen so long: it is a move's (moved_away.lua)."""

Changed = dict[str, list[str]]
"""Keys of the rows that others wrote, by table."""


class Saying(Protocol):
    """What TIME says, where the world is a simulated one; empty on a machine."""

    def __call__(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Look:
    """What the store says at the beginning of an operation."""

    revision: int
    changes: int
    changed: Changed


@dataclass(frozen=True, slots=True)
class Committed:
    """What it says at the end."""

    revision: int
    changes: int


class PenHeld(StoreUnavailable):
    """other nodes keep this one from deciding; it is tried again"""


class Stale(StoreUnavailable):
    """somebody changed what this operation had read"""


class Operations:
    """Begins and commits operations of one node."""

    def __init__(self, link: Link, times: RedisTimes, *, node: str, token: str, said: Saying) -> None:
        """`token` tells this life of the node from every other holder of the pen."""
        self._link = link
        self._times = times
        self._node = node
        self._token = token
        self._said = said
        self._begin, self._act = load_script("begin"), load_script("act")
        self._stage, self._owed = load_script("stage"), load_script("owed")
        self._number = 0
        self._takes = 0
        self._heard: list[int] = []
        self._newer: Instant = 0
        self.life = ""
        """This life as the store has it, once it speaks for the node."""

    @property
    def token(self) -> str:
        """Of this life."""
        return self._token

    def speak(self, since: Instant) -> None:
        """From now on this life speaks for its node, and is refused as soon as a newer one does."""
        self.life = f"{self._token} {since}"

    def refuse(self, newer: Instant) -> None:
        """NodeOutlived: a newer life speaks for this node, since then; 0: none does."""
        if newer:
            raise outlived(self._node, self._times.shown(newer))

    def refuse_outlived(self) -> None:
        """As `refuse`, by what the store said last."""
        self.refuse(self._newer)

    def prelude(self) -> tuple[str, str, str]:
        """What every script is told first: TIME, who asks, and what relay time is by its own clock."""
        return self._said(), self._node, self._times.witnessed()

    def look(self, revision: int) -> Look:
        """Reads the clock, and what others wrote since a revision; holds nothing."""
        return self._looked(self._run_begin("", revision))

    def begin(self, revision: int, *, held: int = HELD, is_fact: bool = False) -> Look:
        """As `look`, with the pen; `is_fact`: it holds whoever says it.

        PenHeld: others keep it; NodeOutlived; StoreMoved.
        """
        found = self._run_begin(str(held), revision, is_fact=is_fact)
        if not found[0]:
            self._await_pen(min(max(found[1], 1), PATIENCE))
            found = self._run_begin(str(held), revision, is_fact=is_fact)
        if not found[0]:
            self._refuse_moved(found[1])
            raise PenHeld
        if found[6]:
            self._do_owed(found[1])
        return self._looked(found)

    def _refuse_moved(self, left: int) -> None:
        """StoreMoved: the pen is held for ever, by a move that left this place."""
        if left > FOREVER and (said := self._link.ask("HGET", META, "barred")) is not None:
            raise StoreMoved(f"{self._link.where}: {said.decode(errors='replace')}")

    def _do_owed(self, now: int) -> None:
        """What the last edit left to be done comes before everything that is decided. PenHeld: another one does it."""
        while True:
            answer = _unpacked(self._link.run(self._owed, (), (self._token, now)))
            if answer[0] != b"DONE":
                raise PenHeld
            if not answer[1]:
                return

    def stage(self, commands: Sequence[Sequence[Any]]) -> None:
        """Prepares a part of what a commit will put in its place; the pen is held. Stale: it is not any more."""
        packed: bytes = msgpack.packb(commands, use_bin_type=False, unicode_errors="surrogateescape")
        if _unpacked(self._link.run(self._stage, (), (self._token, packed)))[0] != b"DONE":
            raise Stale("this node was away for so long that another one decides now")

    def commit(self, intended: Intended, *, is_change: bool, within: int | None = None) -> Committed:
        """Writes all of it and lets the pen go; `within` microseconds, where it is much.

        Stale, StoreUnavailable, StoreFull, StoreBroken: nothing was written.
        """
        self._number += 1
        work = [
            self._times.now(), intended.reads(), intended.writes(), intended.verbs, intended.events, is_change, True,
        ]  # fmt: skip
        if not self._newer:  # else it is that life's, which asks for its own
            work += [self._node, self._number]
        packed: bytes = msgpack.packb(work, use_bin_type=False, unicode_errors="surrogateescape")
        answer = _unpacked(self._link.run(self._act, (), (self._token, packed), is_durable=True, within=within))
        if answer[0] == b"DONE":
            return Committed(answer[1], answer[2])
        if answer[0] == b"LOST":
            raise Stale("this node was away for so long that another one decides now")
        raise Stale

    def next_take(self) -> int:
        """The number of a take: the store remembers what it gave until it knows that this node has heard it."""
        self._takes += 1
        return self._takes

    def hear_take(self, number: int) -> None:
        """The answer to a take arrived."""
        self._heard.append(number)

    def heard_takes(self, number: int) -> list[int]:
        """Takes that were heard since the last one was sent."""
        heard, self._heard = self._heard, []
        return heard

    @property
    def number(self) -> int:
        """Of the operation that was committed last, or tried to be."""
        return self._number

    def is_done(self, number: int) -> bool:
        """Whether an operation whose answer was lost was committed, where nothing was committed after it."""
        return bool(self._link.ask("HGET", DONE, self._node) == f"{self._token}:{number}".encode())

    def let_go(self) -> None:
        """Nothing was decided: the pen goes."""
        work = msgpack.packb([self._times.now(), [], [], [], [], False, True], use_bin_type=False)
        self._link.run(self._act, (), (self._token, work))

    def _run_begin(self, held: str, revision: int, *, is_fact: bool = False) -> list[Any]:
        args = (*self.prelude(), self._token, held, revision, self.life, "1" if is_fact else "")
        found = _unpacked(self._link.run(self._begin, (), args))
        if not found[0] and len(found) > 2:
            self.refuse(found[2])
        return found

    def _looked(self, found: list[Any]) -> Look:
        _, now, civil, revision, changes, changed, _, self._newer = found
        self._times.hear(now, civil)
        rows = {table.decode(): [key.decode() for key in keys] for table, keys in changed}
        return Look(revision, changes, rows)

    def _await_pen(self, longest: int) -> None:
        """Until it is let go, or its time is over."""
        seconds = f"{max(longest, SECOND // 100) / SECOND:.3f}"
        self._link.ask("BLPOP", PEN_FREE, seconds, within=2 * SECOND)


def _unpacked(answer: Any) -> list[Any]:
    found: list[Any] = msgpack.unpackb(answer, raw=True, strict_map_key=False)
    return found


Refresh = Callable[[Changed], None]
"""Takes over what other nodes wrote."""
