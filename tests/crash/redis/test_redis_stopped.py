"""A node that stood still beyond its lease (SIGSTOP, a paused virtual machine) and goes on sends nothing more of
what another node has taken over meanwhile.

Its connections stay open for as long as it stands still, for nobody else can close them: the provider sees those beside
the new ones. The lease is some seconds here, and a minute in production.
"""

import signal
from contextlib import ExitStack
from pathlib import Path

import pytest

from relay.sandbox import judge
from tests.crash.redis.world import SESSIONS, World, chance, pause, seeds_of
from tests.fakes.redisservers import Server, binary, until
from tests.integration.relay_process import PROGRAM, RelayProcess

ROUNDS = 1
MAILS = 30
"""More than are sent before it stands still."""

HASTY_LEASE = """
from dataclasses import replace
from relay.app import settings
stores, deliveries = settings.store_settings, settings.dispatcher_settings
settings.store_settings = lambda config: replace(stores(config), lease=8_000_000)
settings.dispatcher_settings = lambda config: replace(deliveries(config), heartbeat=1_000_000)
"""
SLOW = ("--fault", "slow:1", "--slow", "0.2")
"""Every reply takes a while: wherever it is stopped, a node has mail under way."""


def test_a_node_that_stood_still_beyond_its_lease_sends_nothing_of_what_another_has(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    with ExitStack() as stack:
        redis = Server(binary("redis-7"), is_tcp=True)
        stack.callback(redis.close)
        redis.start()
        world = World(
            tmp_path, redis, stack, nodes=2, provider=SLOW, program=HASTY_LEASE + PROGRAM, timeouts={"final": "2s"}
        )
        for seed in seeds_of(request.config.getoption("--seeds"), ROUNDS):
            world.hand_in(MAILS, name=f"r{seed}", is_again=True)
            many = [node.count("delivered") for node in world.nodes]
            until(lambda many=many: bool(delivering(world, many)), "one of them delivers")  # type: ignore[misc]
            still = delivering(world, many)[0]
            pause(chance(seed).uniform(0, 0.5))
            still.tell(signal.SIGSTOP)
            try:
                world.until_all_arrived()
                before = judge.copies(world.seen())
            finally:
                still.tell(signal.SIGCONT)
            world.hand_in(6, name=f"after{seed}", is_again=True)
            world.until_all_arrived()
            still.wait_for("claim_lost")
            after = judge.copies(world.seen())
            assert {key: after[key] for key in before} == before, "it sent what another node had sent"
        world.judge(sessions=2 * SESSIONS)
        assert world.failures() == ""


def delivering(world: World, since: list[int]) -> list[RelayProcess]:
    """The nodes that have delivered more than `since`: they have the sessions, and by now the next mail."""
    return [node for node, many in zip(world.nodes, since, strict=True) if node.count("delivered") > many]
