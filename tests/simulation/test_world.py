"""The promises hold in every simulated world: crashes at any durable step, lies, drops, stepped clocks, many limits."""

import pytest

from tests.simulation.invariants import findings
from tests.simulation.world import World

DEFAULT_SEEDS = 200
"""About half a minute: every promise is met in all its ways."""


@pytest.mark.timeout(600)
def test_the_promises_hold(seeds: range) -> None:
    for seed in seeds:
        world = World(seed)
        broken = findings(world.run())
        assert not broken, f"{world.replay()}: {broken}"


@pytest.mark.parametrize("seed", [0, 3, 9, 17])
def test_the_same_seed_gives_the_same_trace(seed: int) -> None:
    assert World(seed).run().trace_hash() == World(seed).run().trace_hash()
