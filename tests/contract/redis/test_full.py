"""A Redis without memory left: it takes no new mail, and all that is there goes out."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import redis

from relay.core.words import AccountId
from relay.errors import StoreFull
from relay.store.ports.sessions import SessionEvent
from relay.store.redis.editing import MANY
from relay.store.redis.keys import CLOCK
from relay.store.redis.link import Call
from relay.store.redis.rowkeys import EVENTS, META, STATE, number_key
from relay.store.redis.scripts import load_script
from relay.store.redis.store import RedisStore
from tests.contract.harness import run
from tests.contract.redis.harness import RedisHarness, shared_server
from tests.contract.redis.recording import (
    Contents,
    Recorded,
    but_clock,
    contents,
    plainly_kept,
    put_back,
    recorded,
    run_again,
)
from tests.contract.redis.test_wrong_types import HALF, HOT_SCENES, MOVES, SCENES
from tests.contract.scene import AUTH_LATER, BOUNCED, DEFERRED, DELIVERED, NODE, OTHER, A, B, C, Scene, account, box
from tests.fakes.redisservers import NAMES

NOWHERE = AccountId("nowhere@studio.test")


@contextmanager
def full(client: redis.Redis) -> Iterator[None]:
    """It has no memory left, as it says itself."""
    client.config_set("maxmemory", 1)
    yield
    client.config_set("maxmemory", 0)


def but_when(client: redis.Redis) -> Contents:
    """All keys, but for what TIME says in them; of events, how many."""
    known = {key: value for key, value in contents(client).items() if key not in (CLOCK.encode(), EVENTS.encode())}
    return {**known, b"events": b"%d" % client.xlen(EVENTS)}


def but_counts(known: Contents) -> Contents:
    """What was decided and who had the pen is counted, also where nothing came of it."""
    return {key: value for key, value in but_clock(known).items() if key != STATE.encode()}


def brings_more(one: Recorded) -> bool:
    """Mail that comes in, or an account that never had any."""
    new = {"put": {"DONE"}, "act": {"bodies.keep"}}
    is_numbered = one.call.script.name in ("name", "number") and one.call.args[0] in (
        "accounts",
        number_key("deliveries"),
    )
    return is_numbered or bool(one.does & new.get(one.call.script.name, set()))


@pytest.mark.parametrize("program", NAMES)
def test_each_call_is_done_wholly_or_refused_wholly_and_only_what_is_new_is_refused(program: str) -> None:
    client, scenes = shared_server(program).client(db=15), SCENES if program == "redis-7" else HOT_SCENES
    with plainly_kept(client):
        calls = recorded(scenes, program)
        assert sum(map(brings_more, calls)) >= 2
        for one in calls:
            put_back(client, one.before)
            before = but_clock(contents(client))
            run_again(client, one.call)
            after = but_when(client)
            put_back(client, one.before)
            with full(client):
                if brings_more(one):
                    with pytest.raises(redis.ResponseError, match="used memory"):
                        run_again(client, one.call)
                    assert contents(client) == before | {CLOCK.encode(): one.before[CLOCK.encode()]}, one.name
                else:
                    run_again(client, one.call)
                    assert but_when(client) == after, one.name
    client.flushdb()


@pytest.mark.parametrize("program", NAMES)
def test_a_store_is_moved_away_from_a_full_redis_and_not_to_one(program: str) -> None:
    client = shared_server(program).client(db=15)
    client.flushdb()
    client.hset(META, mapping=HALF)
    before = contents(client)
    with full(client):
        with pytest.raises(redis.ResponseError, match="used memory"):
            run_again(client, Call(load_script("moved_in"), (), MOVES["moved_in"]))
        assert contents(client) == before
        run_again(client, Call(load_script("moved_here"), (), MOVES["moved_here"]))
        assert not client.exists(META), "it is free"
        assert run_again(client, Call(load_script("moved_away"), (), MOVES["moved_away"])) == b"left"
    client.flushdb()


class On(RedisHarness):
    """A harness that lends its server."""

    @property
    def client(self) -> redis.Redis:
        return self._server.client(db=self._db)


@pytest.mark.parametrize("program", NAMES)
def test_clients_are_told_that_it_is_full_and_what_is_queued_leaves(program: str) -> None:
    kind = type(program, (On,), {"program": program})

    async def scenario() -> None:
        scene = Scene(kind)
        assert isinstance(scene.harness, On)
        client, store = scene.harness.client, scene.store
        await scene.route(account(A), account(B))
        await scene.mail(A, *range(6))
        await scene.mail(B, "second")
        with full(client):
            before = contents(client)
            for sender in (A, NOWHERE):
                with pytest.raises(StoreFull):
                    await scene.mail(sender, f"more of {sender}")
            assert client.hget(STATE, "pen") in (None, b""), "nobody waits for a pen that was needed for nothing"
            assert but_counts(contents(client)) == but_counts(before)
            await scene.mail(A, 1)  # the answer to it was lost: it is in
            await the_queue_leaves(scene)
            await the_nodes_live(scene)
        await scene.mail(A, "later")
        assert await scene.send_all() != []
        assert isinstance(store, RedisStore)
        await scene.harness.close()

    run(scenario)


@pytest.mark.parametrize("program", NAMES)
def test_a_node_starts_on_a_full_redis_and_who_is_refused_takes_nobody_with_him(program: str) -> None:
    kind = type(program, (On,), {"program": program})

    async def scenario() -> None:
        scene = Scene(kind)
        assert isinstance(scene.harness, On)
        client = scene.harness.client
        await scene.route(account(A))
        await scene.mail(A, *range(3))
        lost, *_ = await scene.work()
        with full(client):
            assert await scene.store.gate(lost)
            assert await scene.restart() == 1
            assert await scene.store.applied() is not None
            await scene.route(account(A))  # as before
            await scene.harness.advance(600)
            claim = (await scene.work())[0]
            answers = await asyncio.gather(
                scene.mail(NOWHERE, "new"), scene.end(claim, DEFERRED), scene.mail(A, "too"), return_exceptions=True
            )
            assert [type(each) for each in answers] == [StoreFull, bool, StoreFull]
            assert answers[1] is True
        await scene.mail(A, "new")
        await scene.harness.close()

    run(scenario)


async def the_queue_leaves(scene: Scene) -> None:
    claims = {claim.message: claim for claim in await scene.work()}
    assert len(claims) == 7
    assert await scene.store.content(claims["m-0"])
    for number in range(4):
        assert await scene.send(claims[f"m-{number}"], DELIVERED)
    assert await scene.send(claims["m-4"], DEFERRED)
    assert await scene.send(claims["m-5"], BOUNCED)
    assert await scene.send(claims["m-second"])
    assert [entry.message for entry in await scene.store.outbox(9)] == ["m-5"]


async def the_nodes_live(scene: Scene) -> None:
    store, peer = scene.store, scene.harness.peer()
    assert peer is not None
    await peer.applied()
    assert await peer.heartbeat(OTHER) == []
    assert await store.heartbeat(NODE) == []
    await store.session(box(A), SessionEvent.CLOSED)
    scene.sessions[box(A)] -= 1
    await scene.advance(600)  # what was put off is due
    for mailbox, many in (await scene.take(0)).open.items():
        for _ in range(many):
            await store.refused(mailbox, AUTH_LATER)
    await scene.route(account(A), account(B), account(C), credentials={B: "mended"})
    known = await store.applied()
    with pytest.raises(StoreFull):
        await scene.route(*(account(AccountId(f"{number}@studio.test")) for number in range(2 * MANY)))
    assert await store.applied() == known
