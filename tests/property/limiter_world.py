"""A small world around one ledger: attempts arrive, run, end, hang up, and the relay dies and comes back.

Law: the provider counts an attempt once, at an instant between its start and its end that the ledger is never told;
after a hang-up or a crash it may still do so up to `linger` later. Instants are plain integers.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum, auto
from heapq import heappop, heappush

from relay.core.ledger import MailboxLedger


class Fate(Enum):
    """How an attempt ends."""

    REPLY = auto()
    HANG_UP = auto()
    BEFORE_MAIL = auto()


@dataclass(frozen=True, slots=True)
class Plan:
    """What is drawn for one attempt: when its mail arrives after the one before, and what happens to it."""

    gap: int
    latency: int
    fate: Fate
    counted: int
    """Where between start and last possible instant the provider counts, in percent."""
    crash: int | None = None
    """The relay dies at the arrival and is back so much later."""


@dataclass(frozen=True, slots=True)
class Flight:
    """An attempt under way."""

    ends: int
    number: int
    started: int
    plan: Plan

    def __lt__(self, other: "Flight") -> bool:
        return (self.ends, self.number) < (other.ends, other.number)


@dataclass
class World:
    """Plays plans against the ledger that `remake` gives, and keeps what the provider counted."""

    remake: Callable[[], MailboxLedger]
    plans: tuple[Plan, ...]
    linger: int
    now: int = 0
    believed_linger: int | None = None
    watch: Callable[[MailboxLedger, int], None] = lambda ledger, now: None
    counted: list[int] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    _past: list[tuple[int, int]] = field(default_factory=list)
    _flying: list[Flight] = field(default_factory=list)

    def play(self) -> "World":
        """Runs until every attempt has ended."""
        ledger, waiting, arrivals = self.remake(), 0, self._arrivals()
        arrival = next(arrivals, None)
        while arrival is not None or waiting or self._flying:
            at = ledger.opens_at(self.now) if waiting else None
            instants = [at, arrival[0] if arrival else None, self._flying[0].ends if self._flying else None]
            self.now = max(self.now, min(instant for instant in instants if instant is not None))
            self._end_due(ledger)
            while arrival is not None and arrival[0] <= self.now:
                if arrival[1] is not None:
                    ledger = self._crash(arrival[1])
                waiting += 1
                arrival = next(arrivals, None)
            while waiting and ledger.has_room(self.now):
                self._start(ledger)
                waiting -= 1
            if waiting:
                self.watch(ledger, self.now)
        return self

    def _arrivals(self) -> Iterator[tuple[int, int | None]]:
        at = self.now
        for plan in self.plans:
            at += plan.gap
            yield at, plan.crash

    def _start(self, ledger: MailboxLedger) -> None:
        plan = self.plans[len(self.starts)]
        heappush(self._flying, Flight(self.now + plan.latency, len(self.starts), self.now, plan))
        self.starts.append(self.now)
        ledger.start(self.now)

    def _end_due(self, ledger: MailboxLedger) -> None:
        while self._flying and self._flying[0].ends <= self.now:
            flight = heappop(self._flying)
            if flight.plan.fate is Fate.BEFORE_MAIL:
                ledger.give_back(flight.started)
                continue
            believed, really = self._lingers() if flight.plan.fate is Fate.HANG_UP else (0, 0)
            self._count(flight, self.now + really)
            ledger.end(flight.started, self.now + believed)
            self._past.append((flight.started, self.now + believed))

    def _crash(self, down: int) -> MailboxLedger:
        """Everything in memory is gone; what was under way ends at the recovery plus linger."""
        died = self.now
        self.now += down
        believed, really = self._lingers()
        while self._flying:
            flight = heappop(self._flying)
            self._count(flight, died + really)
            self._past.append((flight.started, self.now + believed))
        ledger = self.remake()
        for started, ended in self._past:
            ledger.remember(started, ended)
        return ledger

    def _lingers(self) -> tuple[int, int]:
        return (self.linger if self.believed_linger is None else self.believed_linger), self.linger

    def _count(self, flight: Flight, latest: int) -> None:
        self.counted.append(flight.started + (latest - flight.started) * flight.plan.counted // 100)
