"""The limiter's promise, judged from the provider's side: in no window does it ever count more than the limit.

Law: the judge shares no code with the limiter, and each planted weakening of the law has to be found by it.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st

from relay.core.ledger import MailboxLedger
from relay.core.limits import HOUR, MINUTE, SECOND, Instant, Limit, RollingWindow
from tests.judge import worst_window
from tests.property.limiter_world import Fate, Plan, World

FINDS = settings(max_examples=3000, derandomize=True, database=None, phases=[Phase.generate])
"""How hard a planted fault is looked for."""

fates = st.sampled_from([Fate.REPLY, Fate.REPLY, Fate.HANG_UP, Fate.BEFORE_MAIL])
places = st.sampled_from([0, 50, 100])


def plans(longest: int, most: int, least: int = 1) -> st.SearchStrategy[tuple[Plan, ...]]:
    """Attempts with gaps and latencies up to `longest`."""
    times = st.integers(0, longest)
    crashes = st.none() | st.none() | st.none() | times
    plan = st.builds(Plan, gap=times | st.just(0), latency=times, fate=fates, counted=places, crash=crashes)
    return st.lists(plan, min_size=least, max_size=most).map(tuple)


@dataclass(frozen=True)
class Case:
    """What is drawn: limits, attempts and the linger of a provider."""

    limits: tuple[Limit, ...]
    plans: tuple[Plan, ...]
    linger: int
    runs: tuple[int, ...] = ()
    """Each attempt is the first of so many that arrive with it."""

    def world(self, window: type[RollingWindow] = RollingWindow, slow: int = 1) -> World:
        """The world in which these attempts run, under real or planted windows."""
        return World(lambda: ledger_of(self.limits, window, slow), self.all_plans(), self.linger)

    def all_plans(self) -> tuple[Plan, ...]:
        """The attempts, with the runs that they begin."""
        attempts: list[Plan] = []
        for plan, size in zip(self.plans, self.runs or (1,) * len(self.plans), strict=True):
            follower = replace(plan, gap=0, crash=None)
            attempts += [plan, *(replace(follower, latency=plan.latency + step % 7) for step in range(1, size))]
        return tuple(attempts)

    def is_exceeded(self, world: World) -> bool:
        """Whether some closed window of some limit holds more than its count."""
        return any(worst_window(world.counted, limit.width) > limit.count for limit in self.limits)


def ledger_of(limits: tuple[Limit, ...], window: type[RollingWindow] = RollingWindow, slow: int = 1) -> MailboxLedger:
    """A ledger with windows of this type."""
    ledger = MailboxLedger(())
    ledger.windows = [window(limit) for limit in limits]
    ledger.set_slow(slow)
    return ledger


def cases(counts: st.SearchStrategy[int], widths: st.SearchStrategy[int], many: int = 1) -> st.SearchStrategy[Case]:
    """Few slots and narrow windows, so that every boundary is met."""
    limits = st.lists(st.builds(Limit, counts, widths), min_size=1, max_size=many).map(tuple)
    return st.builds(Case, limits=limits, plans=plans(12, 14), linger=st.integers(0, 9))


small = cases(st.integers(1, 4), st.integers(1, 20))
several = cases(st.integers(1, 5), st.integers(1, 30), many=3)


@st.composite
def bursts(draw: st.DrawFn) -> Case:
    """Counts so large that ends share buckets; attempts come in runs with a few latencies each."""
    limit = Limit(draw(st.integers(257, 300)), draw(st.sampled_from([510, 1000, 5_000])))
    drawn = draw(plans(limit.width // 2, 8, least=3))
    runs = draw(st.lists(st.integers(60, 200), min_size=len(drawn), max_size=len(drawn)))
    return Case((limit,), drawn, draw(st.integers(0, limit.width // 4)), tuple(runs))


# the law


@given(small)
def test_no_closed_window_holds_more_than_the_limit(case: Case) -> None:
    assert not case.is_exceeded(case.world().play())


@given(several)
def test_all_limits_hold_together(case: Case) -> None:
    assert not case.is_exceeded(case.world().play())


@settings(max_examples=40)
@given(bursts())
def test_ends_that_share_buckets_exceed_nothing(case: Case) -> None:
    assert not case.is_exceeded(case.world().play())


@given(small, st.integers(1, 40))
def test_a_slowed_mailbox_keeps_the_divided_limit(case: Case, slow: int) -> None:
    world, limit = case.world(slow=slow).play(), case.limits[0]
    if slow <= limit.count:
        assert worst_window(world.counted, limit.width) <= limit.count // slow
    else:
        assert worst_window(world.counted, limit.width * slow // limit.count) <= 1


@given(small)
def test_every_mail_leaves(case: Case) -> None:
    assert len(case.world().play().starts) == len(case.plans)


# what it is planted with, and has to be found


class OneTooMany(RollingWindow):
    """The law off by one."""

    __slots__ = ()

    def ceiling(self, *share: object) -> int:
        return super().ceiling() + 1


class Greater(RollingWindow):
    """`end > now - width` instead of `>=`."""

    __slots__ = ()

    def __init__(self, limit: Limit) -> None:
        super().__init__(Limit(limit.count, max(1, limit.width - 1)) if limit.width > 1 else limit)


class EndsAtStart(RollingWindow):
    """A slot is counted from the start of the attempt, as if the provider counted there."""

    __slots__ = ()

    def end(self, started: Instant, at: Instant) -> None:
        super().end(started, started)


class NothingInFlight(RollingWindow):
    """Only what has ended is counted."""

    __slots__ = ()

    def used(self, now: Instant) -> int:
        return super().used(now) - self.in_flight


class ForgetsAtRestart(RollingWindow):
    """The memory starts empty."""

    __slots__ = ("_is_ending",)

    def __init__(self, limit: Limit) -> None:
        super().__init__(limit)
        self._is_ending = False

    def end(self, started: Instant, at: Instant) -> None:
        self._is_ending = True
        super().end(started, at)
        self._is_ending = False

    def remember(self, started: Instant, at: Instant, many: int = 1) -> None:
        if self._is_ending:
            super().remember(started, at, many)


class GivesAllBack(RollingWindow):
    """An attempt without a reply costs nothing."""

    __slots__ = ()

    def end(self, started: Instant, at: Instant) -> None:
        if at == started:
            self.give_back(started)
        else:
            super().end(started, at)


class BucketTooEarly(RollingWindow):
    """A bucket counts as ended at the beginning of its step."""

    __slots__ = ()

    def remember(self, started: Instant, at: Instant, many: int = 1) -> None:
        super().remember(started, at - self._step if self._step else at, many)


def replace_linger(case: Case, believed: int) -> World:
    """A relay that believes in another linger than the provider has."""
    world = case.world()
    world.believed_linger = believed
    return world


def first_limit_only(case: Case) -> World:
    """A relay that asks one of its limits."""
    return World(lambda: ledger_of(case.limits[:1]), case.plans, case.linger)


Weakening = Callable[[Case], World]

WEAKENINGS: dict[str, tuple[st.SearchStrategy[Case], Weakening]] = {
    "law off by one": (small, lambda case: case.world(OneTooMany)),
    "> instead of >=": (small, lambda case: case.world(Greater)),
    "end at start": (small, lambda case: case.world(EndsAtStart)),
    "no linger": (small, lambda case: replace_linger(case, 0)),
    "linger too short by one": (small, lambda case: replace_linger(case, max(0, case.linger - 1))),
    "attempts under way not counted": (small, lambda case: case.world(NothingInFlight)),
    "memory lost at restart": (small, lambda case: case.world(ForgetsAtRestart)),
    "slot given back though MAIL was written": (small, lambda case: case.world(GivesAllBack)),
    "only the first limit asked": (several, first_limit_only),
    "bucket ends too early": (bursts(), lambda case: case.world(BucketTooEarly)),
}


@pytest.mark.parametrize("name", WEAKENINGS)
def test_a_weakened_law_is_found(name: str) -> None:
    strategy, weaken = WEAKENINGS[name]
    found = find(strategy, lambda case: case.is_exceeded(weaken(case).play()), settings=FINDS)
    assert not found.is_exceeded(found.world().play()), "the real law holds where the weakened one broke"


# when a slot comes back


def is_exact(ledger: MailboxLedger, now: int) -> bool:
    """Nothing may start before `opens_at`, something may at it; None means that nothing ever may."""
    at = ledger.opens_at(now)
    if at is None:
        return not any(ledger.has_room(later) for later in range(now, now + 500))
    return ledger.has_room(at) and not any(ledger.has_room(earlier) for earlier in range(now, at))


def watched(case: Case, window: type[RollingWindow] = RollingWindow, slow: int = 1) -> list[bool]:
    """Plays a case and asks at every stop whether `opens_at` is exact."""
    seen: list[bool] = []
    world = case.world(window, slow)
    world.watch = lambda ledger, now: seen.append(is_exact(ledger, now))
    world.play()
    return seen


@given(several, st.sampled_from([1, 2, 3, 32]))
def test_opens_at_is_exact(case: Case, slow: int) -> None:
    assert all(watched(case, slow=slow))


class OpensLate(RollingWindow):
    """Looks one instant too late."""

    __slots__ = ()

    def openings(self, now: Instant) -> list[tuple[Instant, int]]:
        return [(at + 1, many) for at, many in super().openings(now)]


class OpensEarly(RollingWindow):
    """Looks one instant too early."""

    __slots__ = ()

    def openings(self, now: Instant) -> list[tuple[Instant, int]]:
        return [(at - 1, many) for at, many in super().openings(now)]


@pytest.mark.parametrize("window", [OpensLate, OpensEarly])
def test_an_inexact_opening_is_found(window: type[RollingWindow]) -> None:
    def is_found(case: Case) -> bool:
        ledger = ledger_of(case.limits, window)
        ledger.start(0)
        ledger.end(0, 0)
        return not is_exact(ledger, 0)

    find(small, is_found, settings=FINDS)


@given(several, st.integers(0, 60))
def test_room_is_how_many_may_start_at_once(case: Case, later: int) -> None:
    ledger = ledger_of(case.limits)
    for plan in case.plans[:6]:
        ledger.remember(0, plan.latency)
    room = max(0, ledger.room(later))
    for _ in range(room):
        assert ledger.has_room(later)
        ledger.start(later)
    assert not ledger.has_room(later)


@given(small, st.integers(0, 100), st.integers(0, 100))
def test_looking_ahead_forgets_nothing(case: Case, now: int, ahead: int) -> None:
    asked, left_alone = ledger_of(case.limits), ledger_of(case.limits)
    for plan in case.plans:
        asked.remember(0, plan.latency)
        left_alone.remember(0, plan.latency)
    asked.opens_at(now + ahead)
    asked.has_room(now + ahead)
    assert [window.used(now) for window in asked.windows] == [window.used(now) for window in left_alone.windows]


# how much of a limit is used


@pytest.mark.parametrize(
    ("limit", "latency"),
    [
        (Limit(150, 20 * MINUTE), 2 * SECOND),
        (Limit(8, MINUTE), 300_000),
        (Limit(300, 20 * MINUTE), 5 * SECOND),
        (Limit(1000, HOUR), SECOND),
        (Limit(5000, HOUR), 10 * SECOND),
    ],
)
def test_nearly_all_of_a_limit_is_used(limit: Limit, latency: int) -> None:
    rounds = 6
    plan = Plan(gap=0, latency=latency, fate=Fate.REPLY, counted=0)
    world = World(lambda: ledger_of((limit,)), (plan,) * (limit.count * rounds), linger=0).play()
    best = limit.width / (limit.width + latency)
    taken = world.starts[-1] - world.starts[0]
    assert limit.count * (rounds - 1) / (taken / limit.width) >= 0.99 * best * limit.count
    assert world.starts[limit.count - 1] == world.starts[0], "a burst of N from idle leaves at once"
