"""Two processes of one node, as a copied data_dir makes them: the newer one speaks for it, the older one decides no more.

Law: the older one is refused before it has written anything, and told why in a sentence; what it knows to be a fact is
taken all the same.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from relay.core.envelope import Claim, Verdict
from relay.core.limits import MINUTE, SECOND
from relay.core.words import MailboxId
from relay.errors import NodeInUse, NodeOutlived
from relay.store.ports.nodes import NodeView, Role
from relay.store.ports.sessions import SessionEvent
from relay.store.redis.keys import of_mailbox
from relay.store.redis.lives import Lives
from relay.store.redis.rowkeys import DONE, NODES, STATE
from relay.store.redis.store import RedisStore
from tests.contract.harness import run
from tests.contract.redis.harness import RedisHarness
from tests.contract.scene import NODE, A, Scene, account, message, result

pytestmark = pytest.mark.needs("redis-server")

BOX = MailboxId("p", A)


def delivered() -> Any:
    return result(Verdict.DELIVERED, is_mail_written=True, is_end_known=True)


def deferred() -> Any:
    return result(Verdict.DEFERRED, is_mail_written=True, is_end_known=True)


class Copied:
    """A node that has three mails, and its copy, which has started."""

    def __init__(self) -> None:
        self.scene = Scene(RedisHarness)
        assert isinstance(self.scene.harness, RedisHarness)
        self.harness = self.scene.harness
        assert isinstance(self.scene.store, RedisStore)
        self.old = self.scene.store

    async def begin(self, *, gated: bool = False) -> Claim:
        """The original works; one claim of it is under way, and then the copy starts."""
        await self.old.recover(NODE)
        await self.scene.route(account(A))
        await self.scene.mail(A, 1, 2, 3)
        (claim, *_) = await self.scene.work()
        if gated:
            assert await self.old.gate(claim)
        self.new = self.harness.other(NODE)
        self.doubts = await self.new.recover(NODE)
        return claim

    def all_keys(self) -> dict[bytes, bytes]:
        """All that the server has, but for its clock."""
        beside = self.harness.beside()
        return {key: beside.dump(key) for key in beside.keys("*") if not key.endswith(b":clock")}

    async def end(self) -> None:
        self.harness.fatal.clear()
        await self.new.close()
        await self.harness.close()


def view() -> NodeView:
    return NodeView(NODE, "host", Role.ALL, "5", 0)


REFUSED: dict[str, Callable[[RedisStore], Awaitable[Any]]] = {
    "take": lambda store: store.take(NODE, {}, 10),
    "heartbeat": lambda store: store.heartbeat(NODE),
    "a session that is closed": lambda store: store.session(BOX, SessionEvent.CLOSED),
    "what it says of itself": lambda store: store.nodes().announce(view()),
    "recovering another node": lambda store: store.recover("node-3"),
    "giving up a report": lambda store: store.give_up(1),
}


@pytest.mark.parametrize("what", REFUSED)
def test_the_older_process_of_a_node_is_refused_and_has_written_nothing(what: str) -> None:
    async def scenario() -> None:
        copied = Copied()
        await copied.begin()
        before = copied.all_keys()
        with pytest.raises(NodeOutlived, match=f"another process runs as this node \\({NODE}\\), started at 20"):
            await REFUSED[what](copied.old)
        assert copied.all_keys() == before
        await copied.end()

    run(scenario)


@pytest.mark.parametrize("what", REFUSED)
def test_the_newer_one_is_not(what: str) -> None:
    async def scenario() -> None:
        copied = Copied()
        await copied.begin()
        await REFUSED[what](copied.new)
        assert not copied.harness.fatal
        await copied.end()

    run(scenario)


def test_the_older_process_ends_as_soon_as_the_newer_one_speaks_though_it_asks_for_nothing() -> None:
    async def scenario() -> None:
        copied = Copied()
        attending = asyncio.create_task(copied.old.attend())
        await copied.begin()
        await asyncio.wait_for(attending, 60)
        (error,) = copied.harness.fatal
        assert isinstance(error, NodeOutlived)
        assert "remove the file `node`" in str(error)
        await copied.end()

    run(scenario)


def test_nothing_of_the_older_process_passes_the_gate() -> None:
    async def scenario() -> None:
        copied = Copied()
        claim = await copied.begin()
        assert copied.doubts == 0
        assert not await copied.old.gate(claim)
        await copied.end()

    run(scenario)


def test_a_delivery_that_passed_the_gate_before_is_a_fact_and_what_else_became_of_it_is_not() -> None:
    async def scenario() -> None:
        copied = Copied()
        claim = await copied.begin(gated=True)
        assert copied.doubts == 1
        done = copied.harness.beside().hget(DONE, NODE)
        assert await copied.old.settle(claim, deferred()) is None
        assert await copied.old.settle(claim, delivered()) is Verdict.DELIVERED
        assert not copied.harness.fatal
        assert copied.harness.beside().hget(DONE, NODE) == done, "the newer one asks there for its own operations"
        assert (await copied.new.message("m-1")).deliveries[0].state == "delivered"
        await copied.end()

    run(scenario)


def test_mail_that_the_older_process_is_handed_is_kept() -> None:
    async def scenario() -> None:
        copied = Copied()
        await copied.begin()
        await copied.old.put(message(9, A))
        assert await copied.new.message("m-9") is not None
        await copied.end()

    run(scenario)


def test_facts_are_taken_that_come_together_with_what_is_refused() -> None:
    async def scenario() -> None:
        copied = Copied()
        claim = await copied.begin(gated=True)
        settled, beaten = await asyncio.gather(
            copied.old.settle(claim, delivered()), copied.old.heartbeat(NODE), return_exceptions=True
        )
        assert settled is Verdict.DELIVERED
        assert isinstance(beaten, NodeOutlived)
        await copied.end()

    run(scenario)


def test_sessions_are_counted_for_the_newer_process_alone_and_never_below_none() -> None:
    async def scenario() -> None:
        copied = Copied()
        await copied.begin()
        taken = await copied.new.take(NODE, {}, 10)
        assert taken.open[BOX] > 0
        for _ in range(5):
            with pytest.raises(NodeOutlived):
                await copied.old.session(BOX, SessionEvent.CLOSED)
        for _ in range(taken.open[BOX]):
            await copied.new.session(BOX, SessionEvent.OPENED)
        for _ in range(taken.open[BOX] + 3):
            await copied.new.session(BOX, SessionEvent.CLOSED)
        assert {seen.sessions for seen in await copied.new.providers()} == {0}
        await copied.end()

    run(scenario)


def test_a_restart_is_not_hindered_and_the_life_before_is_refused_alone() -> None:
    async def scenario() -> None:
        copied = Copied()
        await copied.begin()
        third = copied.harness.other(NODE)
        assert await third.recover(NODE) == 0
        await third.take(NODE, {}, 10)
        with pytest.raises(NodeOutlived):
            await copied.new.take(NODE, {}, 10)
        await copied.end()

    run(scenario)


def test_a_server_that_took_over_without_the_last_start_refuses_nobody() -> None:
    async def scenario() -> None:
        copied = Copied()
        await copied.old.recover(NODE)
        before = copied.harness.beside().hget(STATE, f"life:{NODE}")
        assert before is not None
        await copied.scene.harness.advance(1)
        await copied.begin()
        copied.harness.beside().hset(STATE, f"life:{NODE}", before)
        await copied.new.heartbeat(NODE)
        await copied.end()

    run(scenario)
