"""One node that takes mail and one that delivers it, on one Redis: each does its part, and both are listed."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.fakes.redisservers import Server, binary, until
from tests.integration.relay_process import Folder, RelayProcess
from tests.integration.sandbox_peer import SandboxProcess


class World:
    """A Redis, a provider, and nodes that share a key."""

    def __init__(self, path: Path, stack: ExitStack) -> None:
        self.path = path
        self._stack = stack
        provider = SandboxProcess("--inbox", str(path / "inbox"))
        stack.callback(provider.kill)
        self.provider = provider.port
        self.redis = Server(binary("redis-7"), is_tcp=True)
        stack.callback(self.redis.close)
        self.redis.start()

    def node(self, role: str) -> RelayProcess:
        path = self.path / role
        path.mkdir()
        folder = Folder(path, provider=self.provider, store=self.redis.address, keys_dir=str(self.path / "keys"))
        relay = RelayProcess(folder.config, "--role", role)
        self._stack.callback(relay.kill)
        return relay.wait_until_ready()

    def status(self, relay: RelayProcess, role: str) -> dict[str, object]:
        token = (self.path / role / "var" / "admin.token").read_text().strip()
        shown = json.loads(relay.get("/api/v1/status", token=token)[1])
        assert isinstance(shown, dict)
        return shown

    def roles(self, relay: RelayProcess, role: str) -> dict[str, str]:
        """The state of each node, by its role, as one of them says."""
        nodes = self.status(relay, role)["nodes"]
        assert isinstance(nodes, list)
        return {each["role"]: each["state"] for each in nodes}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with ExitStack() as stack:
        yield World(tmp_path, stack)


def test_what_one_node_takes_another_delivers(world: World) -> None:
    taking = world.node("submission")
    (ident,) = taking.send()
    assert taking.count("session_opened") == 0
    delivering = world.node("delivery")
    delivering.wait_for("delivered", id=ident)
    assert [line["what"] for line in delivering.records if line["event"] == "listening"] == ["http"]
    assert [line["what"] for line in taking.records if line["event"] == "listening"] == ["smtp", "http"]
    until(
        lambda: world.roles(taking, "submission") == {"submission": "running", "delivery": "running"},
        "each knows of the other",
    )
    assert world.status(delivering, "delivery")["role"] == "delivery"
    assert taking.count("delivered") == 0
    assert delivering.stop() == 0
    assert world.roles(taking, "submission")["delivery"] == "stopped", "it said so at its end"
    (ident,) = taking.send()
    assert taking.stop() == 0
    assert [taking.count("failed"), delivering.count("failed")] == [0, 0]
