"""Each planted bug is found within a few hundred seeds, so the world is known to see what it is there to see."""

import pytest

from tests.simulation.bugs import BUGS
from tests.simulation.hunting import is_found_by
from tests.simulation.invariants import findings
from tests.simulation.world import World

FOUND_BY = {
    "no_linger": 23,
    "doubted_for_ever": 26,
    "bounce_done_before_it_is_made": 29,
    "window_half_open": 12,
    "any_clock_is_right": 56,
}
"""Seeds that found a bug of late are tried first; any of 300 will do."""


@pytest.mark.timeout(300)
@pytest.mark.filterwarnings("ignore::RuntimeWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("name", BUGS)
def test_a_planted_bug_is_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    BUGS[name](monkeypatch)
    found = is_found_by(lambda seed: findings(World(seed).run()), first=FOUND_BY.get(name, 0))
    assert found, f"{name}: nobody noticed"
