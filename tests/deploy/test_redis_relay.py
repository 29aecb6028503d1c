"""Real relays on a real Redis with the shipped file: they share it, and refuse one that could lose mail."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.deploy.test_redis_files import OF_THE_MACHINE, REDIS, lines
from tests.fakes.redisservers import Server, binary, until
from tests.integration.relay_process import Folder, RelayProcess
from tests.integration.sandbox_peer import SandboxProcess

PASSWORD = "xyzzy-xyzzy"


class World:
    """A Redis with the shipped file and a password, a provider, and nodes that share a key."""

    def __init__(self, path: Path, stack: ExitStack) -> None:
        self.path = path
        self._stack = stack
        provider = SandboxProcess()
        stack.callback(provider.kill)
        self.provider = provider.port
        self.redis = Server(binary("redis-7"), is_durable=False, is_tcp=True)
        shipped = [f"{name} {value}" for name, value in lines(REDIS).items() if name not in OF_THE_MACHINE]
        self.redis.config = [*shipped, f"requirepass {PASSWORD}"]
        stack.callback(self.redis.close)
        self.redis.start()

    def node(self, name: str, **service: str) -> RelayProcess:
        """Starts one, which finds the address of its store in a file."""
        path = self.path / name
        path.mkdir()
        address = path / "store.url"
        address.write_text(f"redis://:{PASSWORD}@127.0.0.1:{self.redis.port}/0\n")
        address.chmod(0o600)
        keys = str(self.path / "keys")
        folder = Folder(path, provider=self.provider, store="file:store.url", keys_dir=keys, **service)
        for account, known in folder.routing["accounts"].items():
            secret = self.path / f"{account}.password"
            secret.write_text("pw")
            known["password"] = f"file:{secret}"  # the same file on every node, as the same path would be on machines
        folder.write()
        relay = RelayProcess(folder.config)
        self._stack.callback(relay.kill)
        return relay

    def loosen(self) -> None:
        """Redis answers before it has written."""
        with self.redis.client(password=PASSWORD) as client:
            client.config_set("appendfsync", "everysec")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with ExitStack() as stack:
        yield World(tmp_path, stack)


def test_two_nodes_share_the_mail_and_see_each_other(world: World) -> None:
    nodes = [world.node("one").wait_until_ready(), world.node("two").wait_until_ready()]
    for node in nodes:
        node.send(2)
    until(lambda: sum(node.count("delivered") for node in nodes) == 4, "all four are delivered, each once")
    for node in nodes:
        assert node.get("/readyz") == (200, '{"ready":true,"problems":[]}')
        assert node.metric("relay_store_up") == 1
    first, second = nodes
    until(lambda: first.metric('relay_nodes{role="all",state="running"}') == 2, "both are there")
    said = "".join(line for node in nodes for line in node.lines)
    assert PASSWORD not in said
    for node in nodes:
        assert PASSWORD not in Path(f"/proc/{node.process.pid}/cmdline").read_text()
    assert second.stop() == 0
    assert second.count("failed") == 0
    until(lambda: first.metric('relay_nodes{role="all",state="stopped"}') == 1, "it has said that it is gone")


def test_a_redis_that_could_lose_mail_is_refused_with_the_line_to_change(world: World) -> None:
    world.loosen()
    node = world.node("one")
    assert node.wait() == 1
    (refused,) = [line for line in node.lines if "CONFIG SET" in line]
    assert "appendfsync is everysec" in refused
    assert "write `appendfsync always` in its redis.conf, or now: CONFIG SET appendfsync always" in refused
    assert PASSWORD not in "".join(node.lines)


def test_whoever_lets_it_is_told_for_as_long_as_it_is_so(world: World) -> None:
    world.loosen()
    node = world.node("one", durability="relaxed").wait_until_ready()
    code, answer = node.get("/readyz")
    assert code == 200
    (problem,) = json.loads(answer)["problems"]
    assert problem["what"] == "durability"
    assert "CONFIG SET appendfsync always" in problem["text"]
    assert node.metric('relay_store_warnings{what="durability"}') == 1
    node.wait_for("trouble", what="durability")
