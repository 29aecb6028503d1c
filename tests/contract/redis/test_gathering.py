"""Operations that go to Redis together come to the same as one after another, and none has to answer for another."""

import asyncio
from collections.abc import Sequence
from typing import Any

import msgpack
import pytest
import redis

from relay.errors import RelayError, StoreBroken, StoreFull
from relay.store.redis.gathering import TOGETHER, gathered
from relay.store.redis.keys import of_mailbox
from relay.store.redis.link import Call, Link
from relay.store.redis.rowkeys import EVENTS, STATE
from relay.store.redis.scripts import load_script
from tests.contract.harness import run
from tests.contract.redis.harness import RedisHarness, shared_server
from tests.contract.redis.recording import contents as kept
from tests.contract.redis.recording import plainly_kept, put_back
from tests.contract.scene import A, B, C, Scene, account, box, provider
from tests.fakes.redisservers import NAMES


def contents(client: redis.Redis) -> dict[Any, Any]:
    """All keys; of sets no order, of events what they say and not when, and all but how many changes there were."""
    events: Any = client.xrange(EVENTS) if client.exists(EVENTS) else []
    state: Any = client.hgetall(STATE)
    found: dict[Any, Any] = {**kept(client), EVENTS.encode(): [said for _, said in events]}
    found |= {key: client.smembers(key) for key in found if client.type(key) == b"set"}
    return found | {STATE.encode(): {name: value for name, value in state.items() if name != b"changes"}}


def answers(replies: Sequence[Any]) -> list[Any]:
    """What is answered to each; the last of three and more is how many changes there were."""
    said = [reply if isinstance(reply, RelayError) else msgpack.unpackb(reply, raw=True) for reply in replies]
    return [str(each) if isinstance(each, RelayError) else each[:4] if len(each) > 3 else each[:2] for each in said]


class Twice(Link):
    """A link that runs what may go together one after another first, and then, as if nothing had been, together."""

    compared = 0

    def run_many(self, calls: Sequence[Call], **options: Any) -> list[Any]:
        if len(list(gathered(calls))) == len(calls):
            return super().run_many(calls, **options)
        client = shared_server("redis-7").client(db=self.address.db)
        before = kept(client)
        alone = answers([reply for call in calls for reply in super(Twice, self).run_many([call], **options)])
        after = contents(client)
        put_back(client, before)
        replies = super().run_many(calls, **options)
        assert answers(replies) == alone
        assert contents(client) == after
        Twice.compared += len(calls)
        return replies


class TwiceHarness(RedisHarness):
    link_type = Twice


def test_together_comes_to_the_same_as_one_after_another() -> None:
    async def scenario() -> None:
        scene = Scene(TwiceHarness)
        strict = provider("p", "5/1m", "9/1h", totals=("40/1h",))
        await scene.route(account(A), account(B), account(C, "q"), providers=[strict])
        for first in (0, 40):
            senders = [(sender, number) for number in range(first, first + 12) for sender in (A, B, C)]
            await asyncio.gather(*(scene.mail(sender, f"{sender}{n}", client="one") for sender, n in senders))
            await asyncio.gather(*(scene.mail(A, f"{A}{n}", client="two") for n in (first, first + 1, first + 90)))
            while claims := await scene.work():
                await asyncio.gather(*(scene.store.gate(claim) for claim in (*claims, *claims[:3])))
                await asyncio.gather(*(scene.end(claim) for claim in claims))
            await scene.advance(90)
        await scene.harness.close()

    with plainly_kept(shared_server("redis-7").client()):
        run(scenario)
    assert Twice.compared > 100


@pytest.mark.parametrize("program", NAMES)
def test_one_that_meets_a_key_of_another_type_is_told_so_and_the_others_are_done(program: str) -> None:
    kind = type(program, (RedisHarness,), {"program": program})

    async def scenario() -> None:
        scene = Scene(kind)
        assert isinstance(scene.harness, RedisHarness)
        client, spoilt = scene.harness.beside(), of_mailbox(box(B), "line")
        await scene.route(account(A), account(B))
        client.delete(spoilt)
        client.rpush(spoilt, "something else")
        puts = [scene.mail(sender, n) for n, sender in enumerate((A, B, A, B, A))]
        outcomes = await asyncio.gather(*puts, return_exceptions=True)
        assert [isinstance(each, StoreBroken) and spoilt in str(each) for each in outcomes] == [0, 1, 0, 1, 0]
        assert [each for each in outcomes if each is None] == [None] * 3
        assert await scene.send_all() == ["m-0", "m-2", "m-4"]
        await scene.harness.close()

    run(scenario)


@pytest.mark.parametrize("program", NAMES)
def test_a_full_redis_refuses_all_that_come_in_and_lets_all_out(program: str) -> None:
    kind = type(program, (RedisHarness,), {"program": program})

    async def scenario() -> None:
        scene = Scene(kind)
        assert isinstance(scene.harness, RedisHarness)
        client = scene.harness.beside()
        await scene.route(account(A))
        await asyncio.gather(*(scene.mail(A, n) for n in range(5)))
        claims = await scene.work()
        assert len(claims) == 5
        client.config_set("maxmemory", 1)
        try:
            late = await asyncio.gather(*(scene.mail(A, n) for n in range(5, 9)), return_exceptions=True)
            assert [type(each) for each in late] == [StoreFull] * 4
            assert all(await asyncio.gather(*(scene.store.gate(claim) for claim in claims)))
            assert all(await asyncio.gather(*(scene.end(claim) for claim in claims)))
        finally:
            client.config_set("maxmemory", 0)
        assert await scene.send_all() == []
        await scene.harness.close()

    run(scenario)


def test_so_many_go_together_and_each_is_in_one_run() -> None:
    put, gate, take = load_script("put"), load_script("gate"), load_script("take")
    calls = []
    for number in range(TOGETHER + 2):
        calls += [Call(put, (), ("", "n", "", f"w{number}", "b", "e")), Call(gate, (), ("", "n", "", number))]
    calls.append(Call(take, (), ("", "n", "", "ask")))
    runs = list(gathered(calls))
    assert sorted(place for each in runs for place in each.places) == list(range(len(calls)))
    assert [len(each.places) for each in runs] == [TOGETHER, TOGETHER, 2, 2, 1]
    assert runs[3].args == ("", "n", "", TOGETHER, TOGETHER + 1)
