"""What is behind `store:` is not the store any more: empty, another one, of another key, or one that could lose mail.

Nobody goes on with it or writes into it; when the right one is back, mail goes on.
"""

import json
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from relay.store.redis.rowkeys import META
from tests.crash.redis.world import ACCOUNTS, World
from tests.fakes.redisservers import Server, binary, until
from tests.fakes.wires import Wire
from tests.integration.relay_process import RelayProcess
from tests.misfortune.test_redis_troubles import Wired

MAILS = 6
OTHER = "0123456789abcdef" * 2


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as made:
        yield made


def started(stack: ExitStack, *config: str, is_durable: bool = True) -> Server:
    server = Server(binary("redis-7"), *config, is_tcp=True, is_durable=is_durable)
    stack.callback(server.close)
    return server.start()


def wired(stack: ExitStack, server: Server) -> Wired:
    wire = Wire(server.port)
    stack.callback(wire.close)
    return Wired(server, wire)


def content(server: Server) -> dict[bytes, bytes]:
    """Every key with what it holds."""
    with server.client() as client:
        return {key: client.dump(key) for key in client.scan_iter(count=1000)}


def problem(node: RelayProcess) -> str:
    """What a node that is not ready says of its store."""
    status, text = node.get("/readyz")
    return "".join(each["text"] for each in json.loads(text)["problems"] if each["what"] == "store" and status == 503)


def check_refused(world: World, text: str) -> None:
    """Nodes that run do not go on with it, and one that starts ends at once."""
    running = [node for node in world.nodes if node.process.poll() is None]  # all but who was refused before
    for number, node in enumerate(running):
        until(lambda node=node: text in problem(node), f"{text} is said")  # type: ignore[misc]
        code, reply = world.submit(node, f"<refused-{number}@d.test>", ACCOUNTS[0])
        assert (code, reply[:5]) == (451, b"4.3.0")
    assert all(node.process.poll() is None for node in running)
    if len(running) > 1:
        world.kill(1)
    starting = world.start(1)
    assert starting.wait() == 1
    assert text in "".join(starting.lines)


def check_goes_on(world: World) -> None:
    world.start(1).wait_until_ready()
    until(lambda: all(node.get("/readyz")[0] == 200 for node in world.nodes), "all are ready")
    world.hand_in(MAILS, name="after", is_again=True)
    world.until_all_arrived()
    world.judge()
    assert world.failures() == ""


def test_a_redis_that_came_back_empty_or_as_another_store_is_not_written_to(tmp_path: Path, stack: ExitStack) -> None:
    redis, other = started(stack), started(stack)
    way = wired(stack, redis)
    world = World(tmp_path, way, stack, nodes=2)
    world.hand_in(MAILS, is_again=True)
    world.until_all_arrived()
    lose_files(redis, tmp_path / "aside")
    check_refused(world, "has no store in it")
    assert content(redis) == {}
    pretend(redis, other, tmp_path / "aside")
    there = content(other)
    way.wire.lead_to(other.port)
    check_refused(world, f"has store {OTHER} in it, and this relay has mail of store")
    assert content(other) == there
    way.wire.lead_to(redis.port)
    check_goes_on(world)


def lose_files(redis: Server, aside: Path) -> None:
    """It comes up without its files, which lie somewhere else."""
    redis.stop()
    aside.mkdir()
    for path in [each for each in redis.folder.iterdir() if each.name.startswith("appendonly")]:
        shutil.move(path, aside)
    redis.start()


def pretend(redis: Server, other: Server, aside: Path) -> None:
    """Brings the files back, and makes another store of a copy."""
    redis.stop()
    redis.forget()
    for path in aside.iterdir():
        shutil.move(path, redis.folder)
    redis.start()
    with other.client() as client:
        for key, value in content(redis).items():
            client.restore(key, 0, value)
        client.hset(META, "store_id", OTHER)


def test_a_node_with_another_key_does_not_start(tmp_path: Path, stack: ExitStack) -> None:
    world = World(tmp_path, started(stack), stack, nodes=1)
    world.hand_in(1)
    world.kill(0)
    node = world.start(0, RELAY_KEY="A" * 43 + "=")
    assert node.wait() == 1
    assert "this is not the key of this store" in "".join(node.lines)
    shutil.move(tmp_path / "keys", tmp_path / "elsewhere")
    node = world.start(0)
    assert node.wait() == 1
    assert "the key of this store is missing" in "".join(node.lines)
    shutil.move(tmp_path / "elsewhere", tmp_path / "keys")
    world.start(0).wait_until_ready()
    world.until_all_arrived()


def test_a_redis_that_could_lose_mail_is_refused_with_every_line_to_change(tmp_path: Path, stack: ExitStack) -> None:
    wrong = ("appendonly no", "appendfsync everysec", "no-appendfsync-on-rewrite yes", "maxmemory-policy allkeys-lru")
    right = ("appendonly yes", "appendfsync always", "no-appendfsync-on-rewrite no", "maxmemory-policy noeviction")
    redis = started(stack, *wrong, is_durable=False)
    node = World(tmp_path, redis, stack, nodes=0).join()
    assert node.wait() == 1
    said = "".join(node.lines)
    for line in right:
        assert f"write `{line}` in its redis.conf" in said, said
    assert content(redis) == {}
