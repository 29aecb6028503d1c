"""A store that was emptied or put back to an older copy is not taken for the one of before."""

import pytest

from relay.errors import StoreReplaced, StoreUnavailable
from relay.store.redis.rowkeys import STATE
from relay.store.redis.seen import Seen
from tests.contract.harness import run
from tests.contract.redis.harness import RedisHarness
from tests.contract.scene import NODE, A, Scene, account, message

pytestmark = pytest.mark.needs("redis-server")


def begun() -> tuple[Scene, RedisHarness]:
    scene = Scene(RedisHarness)
    assert isinstance(scene.harness, RedisHarness)
    return scene, scene.harness


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


def test_a_node_does_not_start_on_an_older_copy_of_its_store() -> None:
    async def scenario() -> None:
        scene, harness = begun()
        written: list[int] = []
        await scene.route(account(A))
        await scene.mail(A, 1, 2, 3)
        seen = Seen(0, written.append)
        for _ in range(2):
            seen.beat(harness.links[-1])
        at = int(harness.beside().hget(STATE, "changes") or 0)
        assert written[-1] == at
        Seen(at).check(harness.links[-1])
        harness.beside().hset(STATE, "changes", at - 1)
        with pytest.raises(StoreReplaced, match=f"change {at - 1}, and it was at {at}"):
            Seen(at).check(harness.links[-1])
        await harness.close()

    run(scenario)


def test_a_node_that_runs_says_that_its_store_went_back_and_starts_on_it_again() -> None:
    async def scenario() -> None:
        scene, harness = begun()
        written: list[int] = []
        await scene.route(account(A))
        await scene.mail(A, 1, 2, 3)
        seen = Seen(0, written.append)
        for _ in range(2):
            seen.beat(harness.links[-1])
        assert not seen.flaws
        at = int(harness.beside().hget(STATE, "changes") or 0)
        harness.beside().hset(STATE, "changes", at - 2)
        seen.beat(harness.links[-1])
        assert [flaw.what for flaw in seen.flaws] == ["durability"]
        assert f"went back from change {at} to {at - 2}" in seen.flaws[0].text
        Seen(written[-1]).check(harness.links[-1])
        await harness.close()

    run(scenario)


def test_what_only_the_last_heartbeat_saw_may_be_lost_in_a_failover_without_a_word() -> None:
    async def scenario() -> None:
        scene, harness = begun()
        await scene.route(account(A))
        seen = Seen()
        for _ in range(2):
            seen.beat(harness.links[-1])
        at = int(harness.beside().hget(STATE, "changes") or 0)
        await scene.mail(A, 1)
        seen.beat(harness.links[-1])
        harness.beside().hset(STATE, "changes", at)
        seen.beat(harness.links[-1])
        assert not seen.flaws
        await harness.close()

    run(scenario)


def test_a_data_dir_that_cannot_be_written_is_said_and_stops_nothing() -> None:
    async def scenario() -> None:
        _, harness = begun()

        def full(_changes: int) -> None:
            raise OSError(28, "No space left on device")

        seen = Seen(0, full)
        seen.beat(harness.links[-1])
        assert "no space left on device" in seen.flaws[0].text
        await harness.close()

    run(scenario)
