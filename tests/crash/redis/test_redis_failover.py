"""The primary dies under load and a replica takes its place: what was answered 250 was confirmed by the replica before.

Windows are those of one relay all the time, because the limiter's memory went with the mail.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
import redis

from tests.crash.redis.world import World, chance, pause, seeds_of
from tests.fakes.redisservers import Watched, binary, until, watched

ROUNDS = 1


@dataclass(frozen=True)
class Group:
    """A primary, its replicas and three sentinels, set as docs/nodes.md says; the test reads where the primary is."""

    watched: Watched

    @property
    def address(self) -> str:
        return self.watched.address

    def client(self) -> redis.Redis:
        return self.watched.primary().client()


@pytest.fixture
def group() -> Iterator[Group]:
    with watched(binary("redis-7"), "min-replicas-to-write 1", replicas=2) as made:
        yield Group(made)


def test_a_failover_under_load_loses_nothing(tmp_path: Path, group: Group, request: pytest.FixtureRequest) -> None:
    with ExitStack() as stack:
        world = World(tmp_path, group, stack, nodes=2)
        for seed in seeds_of(request.config.getoption("--seeds"), ROUNDS):
            lot, old = chance(seed), group.watched.primary()
            with world.load(name=f"r{seed}-"):
                pause(lot.uniform(0.5, 2.0))
                old.kill9()
                new = group.watched.fail_over(old)
                before = len(world.accepted.ids)
                until(lambda before=before: len(world.accepted.ids) > before, "mail is accepted again")  # type: ignore[misc]
            world.until_all_arrived()
            world.judge()
            old.start()
            old.follow(new)
        until(lambda: all(node.get("/readyz")[0] == 200 for node in world.nodes), "both are ready")
        assert world.failures() == ""
