"""The promise for limits of a whole provider: never exceeded over all mailboxes, and room for whoever comes new.

Law: what is held and what is free is counted here from the attempts themselves, not asked of the ledger.
"""

from dataclasses import dataclass

import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st

from relay.core.ledger import TotalLedger
from relay.core.limits import Limit
from tests.judge import worst_window

FINDS = settings(max_examples=3000, derandomize=True, database=None, phases=[Phase.generate])


@dataclass(frozen=True)
class Step:
    """After `gap` the holder wants to send so many; an attempt takes `latency`, or returns its slot after it."""

    gap: int
    holder: str
    latency: int
    is_sent: bool
    many: int


@dataclass
class Attempt:
    """One that was started."""

    holder: str
    started: int
    ends: int
    is_sent: bool


steps = st.lists(
    st.builds(
        Step,
        gap=st.integers(0, 6),
        holder=st.sampled_from("aaabc"),
        latency=st.integers(0, 9),
        is_sent=st.sampled_from([True, True, False]),
        many=st.sampled_from([1, 2, 10, 40]),
    ),
    max_size=20,
)
totals = st.lists(st.builds(Limit, st.integers(1, 45), st.integers(1, 40)), min_size=1, max_size=2).map(tuple)


class TotalWorld:
    """Grants whatever the ledger lets go, and counts for itself."""

    def __init__(self, limits: tuple[Limit, ...], ledger: TotalLedger) -> None:
        self.limits, self.ledger = limits, ledger
        self.attempts: list[Attempt] = []
        self.now = 0
        self.is_crowded = self.is_inexact = False

    def play(self, drawn: list[Step]) -> "TotalWorld":
        for step in drawn:
            self._advance(self.now + step.gap)
            self.is_inexact |= not self._is_exact(step.holder)
            for _ in range(step.many):
                if self.ledger.has_room(step.holder, self.now):
                    self.is_crowded |= not self._leaves_room(step.holder)
                    self.ledger.start(step.holder, self.now)
                    self.attempts.append(Attempt(step.holder, self.now, self.now + step.latency, step.is_sent))
        self._advance(self.now + 10)
        return self

    def counted(self) -> list[int]:
        """What the provider counted, as late as it may."""
        return [attempt.ends for attempt in self.attempts if attempt.is_sent]

    def _advance(self, now: int) -> None:
        for attempt in sorted(self.attempts, key=lambda one: one.ends):
            if self.now <= attempt.ends <= now and attempt.started <= attempt.ends:
                self._end(attempt)
        self.now = now + 1

    def _end(self, attempt: Attempt) -> None:
        if attempt.is_sent:
            self.ledger.end(attempt.holder, attempt.started, attempt.ends)
        else:
            self.ledger.give_back(attempt.holder, attempt.started)

    def _is_held(self, attempt: Attempt, width: int) -> bool:
        return attempt.ends >= self.now or (attempt.is_sent and attempt.ends >= self.now - width)

    def _leaves_room(self, holder: str) -> bool:
        """held + 1 <= 32 x free, counted before the take."""
        for limit in self.limits:
            holding = [attempt.holder for attempt in self.attempts if self._is_held(attempt, limit.width)]
            if holding.count(holder) + 1 > 32 * (limit.count - len(holding)):
                return False
        return True

    def _is_exact(self, holder: str) -> bool:
        at, ledger = self.ledger.opens_at(holder, self.now), self.ledger
        if at is None:
            return not any(ledger.has_room(holder, self.now + later) for later in range(120))
        return ledger.has_room(holder, at) and not any(ledger.has_room(holder, t) for t in range(self.now, at))


def is_exceeded(world: TotalWorld) -> bool:
    """Whether some closed window of all mailboxes together holds too many."""
    return any(worst_window(world.counted(), limit.width) > limit.count for limit in world.limits)


@given(totals, steps)
def test_totals_are_kept_and_leave_room_for_newcomers(limits: tuple[Limit, ...], drawn: list[Step]) -> None:
    world = TotalWorld(limits, TotalLedger(limits)).play(drawn)
    assert not is_exceeded(world)
    assert not world.is_crowded
    assert not world.is_inexact


@settings(max_examples=20)
@given(st.integers(33, 400), st.integers(10, 1000))
def test_one_mailbox_alone_gets_thirty_two_of_thirty_three(count: int, width: int) -> None:
    ledger = TotalLedger((Limit(count, width),))
    held = 0
    while ledger.has_room("a", 0):
        ledger.start("a", 0)
        held += 1
    assert held == -(-count * 32 // 33)
    assert ledger.has_room("newcomer", 0)


class Greedy(TotalLedger):
    """Asks the law alone."""

    __slots__ = ()

    def has_room(self, holder: object, now: int) -> bool:
        return self.whole.has_room(now)


class OwnOnly(TotalLedger):
    """Counts each mailbox for itself."""

    __slots__ = ()

    def has_room(self, holder: object, now: int) -> bool:
        return self._of(holder).has_room(now)


@pytest.mark.parametrize("ledger", [Greedy, OwnOnly])
def test_a_weakened_total_is_found(ledger: type[TotalLedger]) -> None:
    cases = st.tuples(totals, steps)
    find(
        cases,
        lambda case: is_exceeded(world := TotalWorld(case[0], ledger(case[0])).play(case[1])) or world.is_crowded,
        settings=FINDS,
    )
