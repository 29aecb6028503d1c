"""The promises hold on the wire: lines that break at any octet, providers that lie, clients that hang up, crashes."""

import pytest

from tests.simulation.wire.invariants import findings
from tests.simulation.wire.world import WireWorld

DEFAULT_SEEDS = 60
"""About ten seconds; `make simulate` runs as many as you like."""


@pytest.mark.timeout(600)
@pytest.mark.filterwarnings("ignore::RuntimeWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_the_promises_hold_on_the_wire(seeds: range) -> None:
    for seed in seeds:
        world = WireWorld(seed)
        broken = findings(world.run())
        assert not broken, f"{world.replay()}: {broken}"


@pytest.mark.parametrize("seed", [0, 5, 11, 27])
def test_the_same_seed_gives_the_same_trace_on_the_wire(seed: int) -> None:
    assert WireWorld(seed).run().trace_hash() == WireWorld(seed).run().trace_hash()
