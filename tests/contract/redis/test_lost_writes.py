"""After a failover that lost the last writes a node's memory says no more than the server does."""

import pytest

from relay.store.redis.rowkeys import STATE, table_key
from tests.contract.harness import run
from tests.contract.redis.harness import RedisHarness
from tests.contract.scene import A, Scene, account

pytestmark = pytest.mark.needs("redis-server")


def test_a_pause_that_the_server_lost_is_none() -> None:
    async def scenario() -> None:
        scene = Scene(RedisHarness)
        harness = scene.harness
        assert isinstance(harness, RedisHarness)
        await scene.route(account(A))
        server = harness.beside()
        before = server.hget(STATE, "revision")
        await scene.books.control.pause(A, why="he moves house")
        assert scene.store.pause_of(A) is not None
        server.delete(table_key("paused_accounts"))
        server.hset(STATE, "revision", before)
        await scene.store.heartbeat("node-1")
        assert scene.store.pause_of(A) is None
        await harness.close()

    run(scenario)
