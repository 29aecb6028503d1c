"""The promises hold wherever the process dies: a small scenario is killed at every step that it takes.

Law: every durable step and every round of the event loop has its run; none is left out, and a run that does not die
where it should is a failure too.
"""

from collections.abc import Callable, Iterable

import pytest

from tests.simulation import bugs as planted_in_store
from tests.simulation.wire import bugs as planted_on_wire
from tests.simulation.wire.every_step import Death, SmallWorld
from tests.simulation.wire.invariants import findings

pytestmark = [
    pytest.mark.timeout(1800),
    pytest.mark.filterwarnings("ignore::RuntimeWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="module")
def whole() -> SmallWorld:
    """The scenario as it goes without a death."""
    world = SmallWorld(Death())
    world.run()
    assert not findings(world)
    return world


def test_the_scenario_meets_its_fault(whole: SmallWorld) -> None:
    assert len(whole.told.accepted) == 3
    assert sum(whole.books.doubts().values()) == 1
    assert whole.steps_passed[0] > 80
    assert whole.rounds_made[0] > 300


def test_it_may_die_at_every_durable_step(whole: SmallWorld, capsys: pytest.CaptureFixture[str]) -> None:
    many = _walk(Death(durable_step=step) for step in range(1, whole.steps_passed[0] + 1))
    with capsys.disabled():
        print(f"\nthe process died at each of {many} durable steps")


def test_it_may_die_before_every_round_of_its_loop(whole: SmallWorld, capsys: pytest.CaptureFixture[str]) -> None:
    many = _walk(Death(round=round_) for round_ in range(1, whole.rounds_made[0] + 1))
    with capsys.disabled():
        print(f"\nthe process died before each of {many} rounds of its loop")


def test_it_may_die_again_while_it_recovers(
    whole: SmallWorld, pytestconfig: pytest.Config, capsys: pytest.CaptureFixture[str]
) -> None:
    """One second death for each first one; with `make simulate` each of the first 40 steps of the second life."""
    steps = range(1, whole.steps_passed[0] + 1)
    has_time = pytestconfig.getoption("--seeds") is not None
    many = _walk(
        Death(durable_step=step, again=again)
        for step in steps
        for again in (range(1, 41) if has_time else [step % 23 + 1])
    )
    with capsys.disabled():
        print(f"\nthe process died twice in each of {many} ways")


def _walk(deaths: Iterable[Death]) -> int:
    """Runs each, drained and judged; how many."""
    many = 0
    for death in deaths:
        world = SmallWorld(death)
        broken = findings(world.run())
        assert world.died_at, f"{death}: it lived on"
        assert not broken, f"{death}, died at {world.died_at}: {broken}"
        many += 1
    return many


@pytest.mark.parametrize(
    "plant",
    [
        planted_in_store.no_gate,
        planted_in_store.answered_before_the_commit,
        planted_in_store.gated_is_sent_again_unreported,
        planted_in_store.body_outlives_nothing,
        planted_on_wire.dot_before_gate,
    ],
)
def test_the_walk_sees_what_a_death_at_the_wrong_step_would_do(
    plant: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(monkeypatch)
    with pytest.raises(AssertionError, match="died at"):
        _walk(Death(durable_step=step) for step in range(1, 120))
