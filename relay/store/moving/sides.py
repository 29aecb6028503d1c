"""The two sides of a move: what is read from a place, and what is written to one.

Law: a source is only read until all of it is counted at the target; a target takes rows and the position behind them
together or not at all.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from enum import Enum
from typing import Protocol

from relay.store.moving.carried import Page


@dataclass(frozen=True, slots=True)
class Journey:
    """One move, as the target remembers it."""

    store_id: str
    origin: str
    """Where the store was, without its password."""
    state: str
    """Of the source: another one after every life of a relay on it."""
    ahead: int
    """Queue time minus relay time at the source."""
    since: int
    """Relay time, as the target has it, from which on ended attempts may still count."""
    token: str
    """Tells this move from every other one of the same store."""

    def written(self) -> str:
        """As a fact."""
        return json.dumps(asdict(self))

    @classmethod
    def read(cls, written: str) -> "Journey":
        """From a fact."""
        return cls(**json.loads(written))


OPEN = "open"
"""Deliveries that are not finished, among what has to be there at least."""


class Leave(Enum):
    """What came of barring a source."""

    LEFT = "left"
    """It is barred, by this move and no other."""
    USED = "used"
    """It is not in the state in which it was carried any more: nothing was done."""
    ELSEWHERE = "elsewhere"
    """Another move has barred it: nothing was done."""


class Readable(Protocol):
    """A place that is read: the source, and the target when it is counted."""

    def pages(self, table: str, after: str) -> Iterator[Page]:
        """All rows of a table behind a position (empty: from the start), with the bodies of messages."""

    def events(self, after: str) -> Iterator[Page]:
        """All events behind a position: at, kind, message, delivery, account, mailbox, detail."""

    def many(self, table: str) -> int:
        """About how many rows a table has, for who waits."""


class Source(Readable, Protocol):
    """Where the store is."""

    where: str

    @property
    def store_id(self) -> str:
        """Which store it is."""

    @property
    def ahead(self) -> int:
        """Queue time minus relay time."""

    def state(self) -> str:
        """Another one after every life of a relay on it."""

    def moment(self) -> int:
        """Queue time of now."""

    def numbers(self) -> Mapping[str, int]:
        """The number given last in each table that has numbers."""

    def changes(self) -> int:
        """How far it was when a node could see it last (`CHANGES`); 0: it never was where nodes share it."""

    def kept(self, name: str) -> int:
        """How many rows of a table that go along there are, or events, by no number or index that they are read by."""

    def least(self) -> Mapping[str, int]:
        """How many there have to be at least, by what lies beside rows: of tables, of `events`, `bodies` and `open`."""

    @property
    def moved(self) -> str:
        """The sentence that bars it; empty: it may be used."""

    def is_left_by(self, token: str) -> bool:
        """Whether it is barred, and by this move."""

    def bar(self, sentence: str, journey: Journey) -> Leave:
        """Nobody can use it any more; looked at and done in one step, so that of two moves one alone leaves it."""

    def close(self) -> None:
        """Lets go of it."""


class Target(Readable, Protocol):
    """Where the store will be."""

    where: str

    def journey(self) -> Journey | None:
        """The move that is not finished there; None: there is nothing at all. StoreBroken: something else is there."""

    def begin(self, journey: Journey, found: Journey | None, run: str) -> None:
        """Empties what an earlier move left, and bars it until this one is finished; then as `go_on`."""

    def go_on(self, journey: Journey, run: str) -> None:
        """This run alone writes from here on. StoreUnavailable, here and later: another run has begun meanwhile."""

    def note(self, journey: Journey) -> None:
        """Remembers of the move what is another now."""

    def position(self, table: str) -> str:
        """Behind which position the next rows of a table come; empty: from the start."""

    def take(self, table: str, page: Page) -> None:
        """Takes rows, and notes the position."""

    def take_events(self, page: Page) -> None:
        """Takes events, and notes the position."""

    def wake(self, moment: Callable[[], int], numbers: Mapping[str, int], /) -> None:
        """Numbers, clock and schedule go on from where they were; harmless when repeated. `moment`: what time it is."""

    def ready(self) -> int | None:
        """How much its schedule has ready; None: it is made at the start, from the rows."""

    def finish(self, moment: Callable[[], int], changes: int, /) -> None:
        """It may be used from now on, and is as far as it was. StoreUnavailable: another run goes on with this move."""
