"""What a node hears of the others: before it logs in, at the bell, and after its memory was loaded anew."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from relay.core.routing import Routing
from relay.store.needs import StoreSettings
from relay.store.ports.events import EventKind, StoreEvent
from relay.store.redis.store import RedisStore
from tests.contract.harness import run
from tests.contract.redis.harness import RedisHarness
from tests.contract.scene import NODE, A, account, box, message, provider

pytestmark = [pytest.mark.needs("redis-server"), pytest.mark.timeout(120)]

ROUTING = Routing(providers={"p": provider("p")}, accounts={A: account(A)})


def on_two_nodes(work: Callable[[RedisStore, RedisStore], Awaitable[None]]) -> None:
    async def scenario() -> None:
        harness = RedisHarness(StoreSettings())
        one, two = harness.store, harness.other("node-2")
        assert isinstance(one, RedisStore)
        await work(one, two)
        await two.close()
        await harness.close()

    run(scenario)


def secret_of(store: RedisStore, name: str) -> str | None:
    """As this node has it in memory."""
    found = store.books.secrets.get(name)
    return None if found is None else found.value


def test_whoever_is_named_to_log_in_knows_the_password_that_another_node_was_given() -> None:
    async def work(one: RedisStore, two: RedisStore) -> None:
        await one.apply(ROUTING, {box(A): "first"})
        await one.put(message(1, A))
        await two.books.secrets.set("a", "parola")
        assert secret_of(one, "a") is None, "nobody has told it yet"
        assert (await one.take(NODE, {}, 10)).open == {box(A): 1}
        assert secret_of(one, "a") == "parola"

    on_two_nodes(work)


def test_what_was_written_while_the_memory_was_lost_is_heard_with_the_next_one() -> None:
    async def work(one: RedisStore, two: RedisStore) -> None:
        await one.books.secrets.set("a", "alt")
        one._worker._core = None  # as after an operation that failed half-way
        await two.books.secrets.set("a", "parola")
        await two.books.secrets.set("b", "altra")
        await one.applied()
        assert (secret_of(one, "a"), secret_of(one, "b")) == ("parola", "altra")
        one._worker._core = None
        await two.books.secrets.drop("a")
        await one.applied()
        assert secret_of(one, "a") is None

    on_two_nodes(work)


@pytest.mark.parametrize(
    "change",
    [
        lambda store: store.apply(Routing(providers={"p": provider("p")}), {}),
        lambda store: store.apply(ROUTING, {box(A): "second"}),
        lambda store: store.books.control.pause(A, why="prova", by="admin"),
        lambda store: store.books.secrets.set("a", "parola"),
    ],
    ids=["routing", "credential", "pause", "secret"],
)
def test_a_node_that_asks_for_nothing_is_told_at_the_bell(change: Callable[[RedisStore], Awaitable[object]]) -> None:
    async def work(one: RedisStore, two: RedisStore) -> None:
        await one.apply(ROUTING, {box(A): "first"})
        await two.applied()
        heard: asyncio.Queue[StoreEvent] = asyncio.Queue()
        object.__setattr__(two._ground.outside, "listener", heard.put_nowait)
        attending = asyncio.create_task(two.attend())
        await change(one)
        assert (await asyncio.wait_for(heard.get(), 60)).kind is EventKind.ROUTING
        attending.cancel()

    on_two_nodes(work)
