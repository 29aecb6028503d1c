"""Each planted bug is found within a few hundred seeds, so the world is known to see what it is there to see."""

import pytest

from tests.simulation.bugs import BUGS
from tests.simulation.invariants import findings
from tests.simulation.world import World

MOST_SEEDS = 300


@pytest.mark.timeout(300)
@pytest.mark.filterwarnings("ignore::RuntimeWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("name", BUGS)
def test_a_planted_bug_is_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    BUGS[name](monkeypatch)
    assert any(_is_found(seed) for seed in range(MOST_SEEDS)), f"{name}: nobody noticed"


def _is_found(seed: int) -> bool:
    """A broken promise, a world that stands still or spins, an error that nobody foresaw: all are noticed."""
    world = World(seed)
    try:
        return bool(findings(world.run()))
    except Exception:  # noqa: BLE001 - a bug may break anything
        return True
