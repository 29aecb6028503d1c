"""`relay queue check` of a store on Redis: each kind of damage is found and named, and what rows say is made anew."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any, cast

import msgpack
import pytest

from relay.cli.frame import run
from relay.store.redis.keys import BUSY
from relay.store.redis.rowkeys import (
    META,
    NODES_SEEN,
    OURS,
    OWNERS,
    PENDING,
    body_key,
    group_key,
    index_key,
    number_key,
    table_key,
)
from tests.fakes.redisservers import Server, binary
from tests.integration.ports import free_ports
from tests.integration.relay_process import HASTY, Folder, RelayProcess
from tests.integration.sandbox_peer import SandboxProcess

pytestmark = pytest.mark.needs("redis-server")
PATIENT = "paziente"


class World:
    """A relay on Redis that has sent some mail, and has some to send; its provider is away."""

    def __init__(self, path: Path, server: Server, stack: ExitStack) -> None:
        self._stack = stack
        self.client: Any = cast("Any", server.client())
        (self._port,) = free_ports(1)
        self.folder = Folder(path, provider=self._port, store=server.address, health=HASTY)
        provider = self.start_provider()
        relay = self.start()
        for ident in relay.send(2):
            relay.wait_for("delivered", id=ident)
        provider.kill()
        self.waiting = relay.send(2)
        self.while_running = self.check(), self.check("--repair")
        assert relay.stop() == 0
        for node, at in self.client.zrange(NODES_SEEN, 0, -1, withscores=True):  # a minute goes by
            self.client.zadd(NODES_SEEN, {node: at - 61_000_000})
        self.whole = self.keys()

    def start_provider(self) -> SandboxProcess:
        provider = SandboxProcess(listen=f"127.0.0.1:{self._port}")
        self._stack.callback(provider.kill)
        return provider

    def start(self) -> RelayProcess:
        relay = RelayProcess(self.folder.config)
        self._stack.callback(relay.kill)
        return relay.wait_until_ready()

    def keys(self) -> dict[bytes, bytes]:
        return {key: self.client.dump(key) for key in self.client.scan_iter(OURS)}

    def heal(self) -> "World":
        """As it was when it was stopped."""
        self.client.flushall()
        for key, value in self.whole.items():
            self.client.restore(key, 0, value)
        return self

    def check(self, *options: str) -> tuple[int, str]:
        said = StringIO()
        with redirect_stdout(said), redirect_stderr(said):
            code = run(["queue", "check", "--config", str(self.folder.config), *options])
        assert PATIENT not in said.getvalue().lower()
        return int(code), said.getvalue()

    def queue(self) -> bytes:
        """One with mail that waits."""
        return next(key for key in self.whole if b"}:ready:" in key)

    def line(self) -> bytes:
        """What a mailbox counts."""
        return next(key for key in self.whole if b"}:line:" in key)

    def mailbox(self) -> str:
        provider, _, username = self.line().decode().partition("}:line:")
        return f"{provider.partition('{')[2]} {username}"

    def count_sessions(self, many: int) -> None:
        express, bulk, _, *rest = msgpack.unpackb(self.client.hget(self.line(), "state"), raw=True)
        self.client.hset(self.line(), "state", msgpack.packb([express, bulk, many, *rest]))


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with ExitStack() as stack:
        made = Server(binary("redis-7"), is_tcp=True)
        stack.callback(made.close)
        yield World(tmp_path_factory.mktemp("node"), made.start(), stack)


@pytest.fixture
def world(stopped: World) -> World:
    return stopped.heal()


def delivery(world: World) -> bytes:
    """One that waits."""
    found: list[bytes] = world.client.zrange(index_key("deliveries", "expiry", ()), 0, 0)
    return found[0]


Break = Callable[[World], object]

MENDED: dict[str, Break] = {
    "index expiry of deliveries lacks a row": lambda it: it.client.zrem(
        index_key("deliveries", "expiry", ()), delivery(it)
    ),
    "index expiry of deliveries has what no row says": lambda it: it.client.zadd(
        index_key("deliveries", "expiry", ()), {"999": 5}
    ),
    "group ids of messages lacks a row": lambda it: it.client.hdel(
        group_key("messages", "ids"), *it.client.hkeys(group_key("messages", "ids"))
    ),
    "group holders of claims has what no row says": lambda it: it.client.hset(
        group_key("claims", "holders"), "998", "9"
    ),
    "the number of the next row of deliveries was given before": lambda it: it.client.set(number_key("deliveries"), 1),
    "an account with mail is not among those that have some": lambda it: it.client.delete(PENDING),
    "a body is left over": lambda it: it.client.set(body_key(997), b"sealed"),
    "a delivery that is ready is in no queue": lambda it: it.client.delete(it.queue()),
    "a queue has what is not ready, or goes another way": lambda it: it.client.zadd(it.queue(), {"996": 996}),
    "a mailbox counts what is ready wrongly": lambda it: it.client.delete(BUSY),
    "a node has sessions of a mailbox that counts none": lambda it: it.client.hset(OWNERS, it.mailbox(), "5e" * 8),
}
LEFT: dict[str, Break] = {
    "the body of a message that is not finished is missing": lambda it: it.client.delete(
        *[body_key(int(key.rpartition(b":")[2])) for key in it.client.scan_iter(OURS) if b":body:" in key][:1]
    ),
    "what limits count of a mailbox is not what it tried": lambda it: it.client.delete(
        *[key for key in it.client.scan_iter(OURS) if b"}:ends:" in key]
    ),
    "a mailbox counts sessions, and no node has them": lambda it: it.count_sessions(1),
    "a mailbox counts fewer sessions than none": lambda it: it.count_sessions(-2),
    "a delivery belongs to no message": lambda it: it.client.hdel(
        table_key("messages"), *it.client.hkeys(table_key("messages"))[:1]
    ),
}


def test_whole_store_is_whole_while_its_nodes_run_and_when_they_are_stopped(world: World) -> None:
    (code, said), (refused, why) = world.while_running
    assert (code, "problem" in said, "running" in said) == (0, False, True), said
    assert (refused, "another relay uses" in why) == (1, True), why
    before = world.keys()
    code, said = world.check()
    assert code == 0, said
    assert "2 deliveries wait, 0 are held, 2 are finished" in said
    assert world.keys() == before, "it only looks"


def test_nothing_is_mended_beside_a_node_that_lives(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("relay.cli.queue_check.AGAIN", 0.01)
    world.client.delete(PENDING)
    broken = world.keys()
    seconds, _ = world.client.time()
    world.client.zadd(NODES_SEEN, {"another": seconds * 1_000_000})
    code, said = world.check("--repair")
    assert (code, "nothing is changed" in said) == (1, True), said
    world.client.zrem(NODES_SEEN, "another")
    assert world.keys() == broken


@pytest.mark.parametrize("kind", MENDED)
def test_what_does_not_follow_from_rows_is_named(world: World, kind: str) -> None:
    MENDED[kind](world)
    code, said = world.check()
    assert (code, f"problem: {kind}" in said) == (1, True), said


def test_what_rows_say_is_made_anew_and_mail_leaves(world: World) -> None:
    for damage in MENDED.values():
        damage(world)
    code, said = world.check("--repair")
    assert (code, "problem" in said) == (0, False), said
    assert said.count("repaired: ") >= len(MENDED) - 2, "a queue that is gone has nothing in it that is not ready"
    world.start_provider()
    relay = world.start()
    for ident in world.waiting:
        relay.wait_for("delivered", id=ident)
    relay.kill()


def test_what_no_row_says_is_named_and_left(world: World) -> None:
    for kind, damage in LEFT.items():
        damage(world)
        code, said = world.check("--repair")
        assert (code, f"problem: {kind}" in said) == (1, True), (kind, said)
    world.client.hset(META, "store_id", "5e" * 16)
    world.client.config_set("appendfsync", "everysec")
    try:
        code, said = world.check()
    finally:
        world.client.config_set("appendfsync", "always")
    assert code == 1
    assert "`store` leads elsewhere" in said
    assert "write `appendfsync always`" in said


@pytest.mark.parametrize("table", ["messages", "deliveries", "accounts", "attempts"])
def test_row_that_cannot_be_read_is_named_and_takes_no_body_with_it(world: World, table: str) -> None:
    for name in world.client.hkeys(table_key(table)):
        world.client.hset(table_key(table), name, b"\xc1")
    code, said = world.check()
    assert (code, f"problem: a row of {table} cannot be read" in said) == (1, True), said
    world.check("--repair")
    bodies = {key for key in world.whole if b":body:" in key}
    assert bodies <= set(world.keys())


def test_nothing_there_is_said(world: World) -> None:
    world.client.flushall()
    code, said = world.check()
    assert code == 1
    assert "there is no store in" in said
