"""A store that was emptied or put back to an older copy is not taken for the one of before."""

from typing import Any

import pytest

from relay.errors import StoreReplaced, StoreUnavailable
from relay.store.redis.durability import Durability
from relay.store.redis.rowkeys import META
from relay.store.redis.seen import Seen
from tests.contract.harness import run
from tests.contract.redis.harness import RedisHarness
from tests.contract.scene import NODE, A, Scene, account, message

pytestmark = pytest.mark.needs("redis-server")


class DurableHarness(RedisHarness):
    """Of whose server somebody says that it keeps what it confirms."""

    durability = Durability.ASSERTED


def begun() -> tuple[Scene, RedisHarness]:
    scene = Scene(RedisHarness)
    assert isinstance(scene.harness, RedisHarness)
    return scene, scene.harness


def dumped(harness: RedisHarness) -> dict[bytes, bytes]:
    """All that is in the store."""
    client: Any = harness.beside()
    return {key: client.dump(key) for key in client.keys("*")}


def put_back(harness: RedisHarness, copy: dict[bytes, bytes]) -> None:
    """As somebody does who restores files; the node's connections do not outlive it."""
    client = harness.beside()
    client.flushdb()
    for key, value in copy.items():
        client.restore(key, 0, value)
    for link in harness.links:
        link.close()


async def healed(scene: Scene) -> None:
    """It looks again by itself."""
    while True:
        try:
            await scene.store.heartbeat(NODE)
        except StoreUnavailable:
            continue
        return


def test_a_store_that_was_emptied_while_a_node_runs_takes_no_mail() -> None:
    async def scenario() -> None:
        scene, harness = begun()
        await scene.route(account(A))
        await scene.mail(A, 1)
        harness.beside().flushdb()
        for number in range(2, 5):
            with pytest.raises(StoreUnavailable):
                await scene.store.put(message(number, A))
        with pytest.raises(StoreReplaced):
            await scene.store.heartbeat(NODE)
        assert not harness.beside().keys("relay:*body*")
        for link in harness.links:
            link.close()

    run(scenario)


def test_a_store_whose_mark_was_taken_away_is_refused_at_the_next_heartbeat() -> None:
    async def scenario() -> None:
        scene, harness = begun()
        await scene.route(account(A))
        harness.beside().delete(META)
        with pytest.raises(StoreReplaced, match="has no store in it"):
            await scene.store.heartbeat(NODE)
        with pytest.raises(StoreUnavailable):
            await scene.store.put(message(1, A))
        for link in harness.links:
            link.close()

    run(scenario)


def test_an_older_copy_that_is_put_in_place_while_a_node_runs_takes_no_mail_and_gives_none() -> None:
    async def scenario() -> None:
        scene, harness = begun()
        await scene.route(account(A))
        copy = dumped(harness)
        await scene.mail(A, 1, 2, 3)
        for _ in range(2):
            await scene.store.heartbeat(NODE)
        newest = dumped(harness)
        put_back(harness, copy)
        with pytest.raises(StoreReplaced, match="is older than what this node has worked with"):
            await scene.store.heartbeat(NODE)
        with pytest.raises(StoreUnavailable):
            await scene.store.put(message(4, A))
        with pytest.raises(StoreUnavailable):
            await scene.store.take(NODE, {}, 10)
        put_back(harness, newest)
        await healed(scene)
        assert len(await scene.work()) > 0
        await harness.close()

    run(scenario)


def test_what_is_written_down_is_what_the_heartbeat_before_the_last_saw() -> None:
    written: list[int] = []
    seen = Seen(7, written.append)
    for changes in (7, 9, 12):
        seen.beat("here", changes)
    assert written == [7, 7, 9]
    Seen(9).check("here", 9)
    with pytest.raises(StoreReplaced, match=r"change 8, and it was at 9"):
        Seen(9).check("here", 8)


def test_what_only_the_last_heartbeat_saw_may_be_lost_in_a_failover_without_a_word() -> None:
    seen = Seen()
    for changes in (5, 5, 8, 5, 6):
        seen.beat("here", changes)
    with pytest.raises(StoreReplaced):
        seen.beat("here", 4)


def test_a_data_dir_that_cannot_be_written_is_said_and_stops_nothing() -> None:
    is_full = True

    def write(_changes: int) -> None:
        if is_full:
            raise OSError(28, "No space left on device")

    seen = Seen(0, write)
    seen.beat("here", 1)
    assert [flaw.what for flaw in seen.flaws] == ["durability"]
    assert "no space left on device" in seen.flaws[0].text
    is_full = False
    seen.beat("here", 2)
    assert not seen.flaws


def test_what_was_confirmed_is_settled_at_once() -> None:
    seen = Seen()
    seen.confirm(12)
    with pytest.raises(StoreReplaced, match="it was at 12"):
        seen.check("here", 11)


def test_a_node_that_ends_writes_down_how_far_it_was() -> None:
    written: list[int] = []
    seen = Seen(0, written.append)
    seen.confirm(12)
    seen.keep()
    assert written == [12]


def test_a_relaxed_store_may_lose_its_last_second() -> None:
    async def scenario() -> None:
        scene, harness = begun()
        await scene.route(account(A))
        copy = dumped(harness)
        await scene.mail(A, 1)
        put_back(harness, copy)
        await healed(scene)
        assert not await scene.work()
        await harness.close()

    run(scenario)


def test_of_a_durable_store_not_one_confirmed_change_may_be_missing() -> None:
    async def scenario() -> None:
        scene = Scene(DurableHarness)
        harness = scene.harness
        assert isinstance(harness, DurableHarness)
        await scene.route(account(A))
        copy = dumped(harness)
        await scene.mail(A, 1)
        put_back(harness, copy)
        with pytest.raises(StoreReplaced, match="is older than what this node has worked with"):
            await scene.store.heartbeat(NODE)
        for link in harness.links:
            link.close()

    run(scenario)
