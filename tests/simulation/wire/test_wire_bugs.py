"""Each bug planted on the wire is found within a few hundred seeds."""

import pytest

from tests.simulation.hunting import is_found_by
from tests.simulation.wire.bugs import BUGS
from tests.simulation.wire.invariants import findings
from tests.simulation.wire.world import WireWorld

FOUND_BY = {
    "hung_up_counts_as_ended": 72,
    "kept_after_a_time_out": 44,
    "size_ignored": 30,
    "doubt_taken_for_a_refusal": 25,
}
"""Seeds that found a bug of late are tried first; any of 300 will do."""


@pytest.mark.timeout(600)
@pytest.mark.filterwarnings("ignore::RuntimeWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("name", BUGS)
def test_a_bug_planted_on_the_wire_is_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    BUGS[name](monkeypatch)
    found = is_found_by(lambda seed: findings(WireWorld(seed).run()), first=FOUND_BY.get(name, 0))
    assert found, f"{name}: nobody noticed"
