"""Two processes of one node, as a copied data_dir makes them: the newer one speaks for it, the older one is refused.

Law: the older one is refused before it has written anything, and told why in a sentence; what it knows to be a fact is
taken all the same.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgpack
import pytest

from relay.core.envelope import Claim, Verdict
from relay.errors import NodeInUse, NodeOutlived
from relay.store.ports.nodes import NodeView, Role
from relay.store.ports.sessions import SessionEvent
from relay.store.redis.keys import member, of_mailbox
from relay.store.redis.lives import Lives
from relay.store.redis.rowkeys import DONE, OWNERS, STATE
from relay.store.redis.store import RedisStore
from tests.contract.harness import run
from tests.contract.redis.harness import RedisHarness
from tests.contract.scene import DEFERRED, DELIVERED, NODE, A, Scene, account, box, message

pytestmark = pytest.mark.needs("redis-server")

BOX = box(A)


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
        beside: Any = self.harness.beside()
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
        assert await copied.old.settle(claim, DEFERRED) is None
        assert await copied.old.settle(claim, DELIVERED) is Verdict.DELIVERED
        assert not copied.harness.fatal
        assert copied.harness.beside().hget(DONE, NODE) == done, "the newer one asks there for its own operations"
        seen = await copied.new.message(claim.message)
        assert seen is not None
        assert [each.state for each in seen.deliveries] == ["delivered"]
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
            copied.old.settle(claim, DELIVERED), copied.old.heartbeat(NODE), return_exceptions=True
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
        for _ in range(taken.open[BOX] + 1):
            await copied.new.session(BOX, SessionEvent.CLOSED)
        copied.harness.beside().hset(OWNERS, member(BOX), NODE)  # as an older relay may have left it
        await copied.new.session(BOX, SessionEvent.CLOSED)
        packed: Any = copied.harness.beside().hget(of_mailbox(BOX, "line"), "state")
        assert msgpack.unpackb(packed, raw=True)[2] == 0
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


def kept(*tokens: str) -> tuple[Lives, list[list[str]]]:
    """What a data_dir knows, and what is written there."""
    written: list[list[str]] = []
    return Lives(tokens, lambda tokens: written.append(list(tokens))), written


def test_a_process_that_is_started_again_beside_the_one_that_took_its_node_does_not_start() -> None:
    """Else each start of the one would end the other, for ever, and each time leave mail in doubt."""

    async def scenario() -> None:
        copied = Copied()
        await copied.begin()
        before, life = copied.all_keys(), copied.harness.beside().hget(STATE, f"life:{NODE}")
        lives, written = kept(f"{NODE}.1")
        again = copied.harness.other(NODE, lives)
        with pytest.raises(NodeInUse, match="once the copy has been stopped for a minute"):
            await again.recover(NODE)
        assert not written
        assert not copied.harness.fatal, "it has not begun: that it cannot start is its answer"
        changed = {key for key, value in copied.all_keys().items() if before.get(key) != value}
        assert changed <= {STATE.encode()}, "there the pen was taken, and let go"
        assert copied.harness.beside().hget(STATE, f"life:{NODE}") == life
        await copied.new.take(NODE, {}, 10)
        await copied.end()

    run(scenario)


def test_it_starts_when_the_other_one_has_been_silent_for_as_long_as_a_lease() -> None:
    async def scenario() -> None:
        copied = Copied()
        await copied.begin()
        await copied.new.heartbeat(NODE)
        await copied.harness.advance(61)
        lives, written = kept(f"{NODE}.1")
        again = copied.harness.other(NODE, lives)
        await again.recover(NODE)
        assert written == [[f"{NODE}.3", f"{NODE}.1"]]
        with pytest.raises(NodeOutlived):
            await copied.new.take(NODE, {}, 10)
        await copied.end()

    run(scenario)


def test_that_it_says_how_it_is_is_enough_to_be_heard_of() -> None:
    """A node that only takes mail has no lease."""

    async def scenario() -> None:
        copied = Copied()
        await copied.old.recover(NODE)
        copied.new = copied.harness.other(NODE)
        await copied.new.recover(NODE)
        await copied.new.nodes().announce(view())
        with pytest.raises(NodeInUse):
            await copied.harness.other(NODE, kept(f"{NODE}.1")[0]).recover(NODE)
        await copied.harness.advance(61)
        await copied.harness.other(NODE, kept(f"{NODE}.1")[0]).recover(NODE)
        await copied.end()

    run(scenario)


@pytest.mark.parametrize("known", [(f"{NODE}.2",), (f"{NODE}.9", f"{NODE}.2")])
def test_a_process_of_the_data_dir_that_spoke_last_starts_at_once(known: tuple[str, ...]) -> None:
    """As after `kill -9`; also where a start in between was killed before it spoke, or a failover lost that it had."""

    async def scenario() -> None:
        copied = Copied()
        await copied.begin()
        lives, written = kept(*known)
        again = copied.harness.other(NODE, lives)
        assert await again.recover(NODE) == 0
        assert written == [[f"{NODE}.3", *known]]
        await copied.end()

    run(scenario)


def test_a_data_dir_that_cannot_be_written_keeps_no_node_from_starting() -> None:
    async def scenario() -> None:
        copied = Copied()
        await copied.begin()

        def full(_tokens: object) -> None:
            raise OSError(28, "No space left on device")

        await copied.harness.other(NODE, Lives([f"{NODE}.2"], full)).recover(NODE)
        await copied.end()

    run(scenario)


def test_whoever_does_not_speak_for_the_node_neither_refuses_it_nor_is_refused() -> None:
    """`relay queue check` and `relay queue migrate` open the store under the name of their data_dir."""

    async def scenario() -> None:
        copied = Copied()
        await copied.begin()
        visitor = copied.harness.other(NODE)
        await visitor.heartbeat(NODE)
        await copied.new.heartbeat(NODE)
        await visitor.recover("node-3")
        assert not copied.harness.fatal
        await copied.end()

    run(scenario)


def test_a_node_that_nobody_has_heard_of_for_a_day_leaves_nothing() -> None:
    async def scenario() -> None:
        copied = Copied()
        await copied.begin()
        await copied.new.nodes().announce(view())
        await copied.harness.advance(25 * 3600)
        assert not await copied.new.nodes().nodes()
        assert not copied.harness.beside().hexists(STATE, f"life:{NODE}")
        await copied.new.heartbeat(NODE)
        await copied.end()

    run(scenario)
