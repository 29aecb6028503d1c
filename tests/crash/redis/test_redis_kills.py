"""`kill -9` of nodes and of Redis under load, at random: nothing answered 250 is lost, nothing goes over a limit,
and what arrived twice was in doubt.

A nightly run takes more rounds, and four nodes: `--seeds 20`.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.crash.redis.world import World, chance, pause, seeds_of
from tests.fakes.redisservers import Server, binary

ROUNDS = 1
"""Of each kind; each is a load, some kills and a judgement."""

KILLS = 3
"""In one round."""

SLOW = ("--fault", "slow:0.1", "--slow", "0.3")
"""Some replies of the provider take long, so that many a kill meets mail that is past the gate."""


@pytest.fixture
def redis() -> Iterator[Server]:
    server = Server(binary("redis-7"), is_tcp=True)
    try:
        yield server.start()
    finally:
        server.close()


@pytest.mark.parametrize("what", ["nodes", "redis", "both"])
def test_kills_at_random_under_load_lose_nothing(
    tmp_path: Path, redis: Server, request: pytest.FixtureRequest, what: str
) -> None:
    with ExitStack() as stack:
        wanted = request.config.getoption("--seeds")
        world = World(tmp_path, redis, stack, nodes=4 if wanted else 2, provider=SLOW)
        for seed in seeds_of(wanted, ROUNDS):
            lot = chance(seed)
            with world.load(is_again=seed % 2 == 0, name=f"r{seed}-"):
                for _ in range(KILLS):
                    pause(lot.uniform(0.2, 2.0))
                    target = lot.choice(["node", "redis"]) if what == "both" else what
                    if target == "redis":
                        redis.kill9()
                        pause(lot.uniform(0, 0.3))
                        redis.start()
                    else:
                        number = lot.randrange(len(world.nodes))
                        world.kill(number)
                        world.start(number).wait_until_ready()
            world.until_all_arrived()
            world.judge()
        assert world.failures() == ""
