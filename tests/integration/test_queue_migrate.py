"""`relay queue migrate` as an operator runs it: killed on the way, and every mail is sent once all the same."""

import json
import os
import smtplib
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from relay.core.limits import SECOND
from relay.store.redis.keys import CLOCK
from relay.store.redis.rowkeys import LEASES, NODES_SEEN, STATE
from relay.store.redis.scripts import load_script
from tests.fakes.redisservers import Server, binary
from tests.integration.ports import free_ports
from tests.integration.relay_process import HASTY, PATIENCE, PROGRAM, Folder, RelayProcess
from tests.integration.sandbox_peer import SandboxProcess

KILLED = -9

TRIES = 1_000


class World:
    """A relay that can be started on either store, a provider, and a Redis."""

    def __init__(self, path: Path, stack: ExitStack) -> None:
        self.path, self._stack = path, stack
        self.redis = Server(binary("redis-7"), is_tcp=True)
        stack.callback(self.redis.close)
        self.redis.start()
        self.inbox = path / "inbox"
        (self.port,) = free_ports(1)

    def start_provider(self) -> None:
        provider = SandboxProcess("--inbox", str(self.inbox), listen=f"127.0.0.1:{self.port}")
        self._stack.callback(provider.kill)

    def folder(self, name: str, *, store: str) -> Folder:
        path = self.path / name
        path.mkdir(exist_ok=True)
        return Folder(path, provider=self.port, store=store, keys_dir=str(self.path / "keys"), health=HASTY)

    def start(self, folder: Folder) -> RelayProcess:
        relay = RelayProcess(folder.config)
        self._stack.callback(relay.kill)
        return relay.wait_until_ready()

    def migrate(self, folder: Folder, to: str, *, dies_at: str = "") -> "subprocess.CompletedProcess[str]":
        command = [
            sys.executable,
            "-c",
            PROGRAM,
            "queue",
            "migrate",
            "--config",
            str(folder.config),
            "--to",
            to,
            "--json",
        ]
        environ = {**os.environ, "RELAY_CRASH_AT": dies_at}
        return subprocess.run(command, env=environ, capture_output=True, text=True, timeout=PATIENCE, check=False)

    def arrived(self) -> Counter[str]:
        """How often each mail came to the provider, by what it says."""
        texts = (path.read_text() for path in self.inbox.rglob("*.eml"))
        return Counter(text.rpartition("Buongiorno ")[2].strip() for text in texts)

    def bar(self) -> None:
        """Bars the store on Redis, as a move does at its end; again, while a node writes to it."""
        client, script = self.redis.client(), load_script("moved_away")
        for _ in range(TRIES):
            last = client.hget(CLOCK, "last"), client.hget(STATE, "revision")
            args = ("it was moved to elsewhere on a day", *(each or b"0" for each in last), "barred_by", "a move")
            if client.eval(script.text, 0, *args) == b"left":
                return
        raise AssertionError("somebody always wrote in between")

    def let_pass(self, while_: int) -> None:
        """As if every node had been silent for another while, and Redis had gone on."""
        client = self.redis.client()
        for key in (NODES_SEEN, LEASES):
            for node in client.zrange(key, 0, -1):
                assert isinstance(node, bytes)
                client.zincrby(key, -while_, node)
        for name in client.hkeys(CLOCK):
            if name != b"offset":
                client.hincrby(CLOCK, name, -while_)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with ExitStack() as stack:
        yield World(tmp_path, stack)


@pytest.mark.needs("redis-server")
def test_store_is_moved_to_redis_and_back_and_every_mail_leaves_once(world: World) -> None:
    here = world.folder("here", store="sqlite")
    relay = world.start(here)
    sent = relay.send(3)
    refused = world.migrate(here, world.redis.address)
    assert refused.returncode == 1
    assert "another relay uses" in refused.stderr
    assert relay.stop() == 0

    for point in ("move-page:9", "move-barred"):
        assert world.migrate(here, world.redis.address, dies_at=point).returncode == KILLED, point
    moved = world.migrate(here, world.redis.address)
    assert moved.returncode == 0, moved.stderr
    counted = {each["name"]: (each["from"], each["to"]) for each in json.loads(moved.stdout)["counted"]}
    assert (counted["messages"], counted["bodies"]) == ((3, 3), (3, 3))
    assert f"write `store: {world.redis.address}`" in moved.stderr
    old = RelayProcess(here.config)
    assert old.wait() == 1
    old.kill()

    world.start_provider()
    there = world.folder("here", store=world.redis.address)
    relay = world.start(there)
    for ident in sent:
        relay.wait_for("delivered", id=ident)
    other = world.folder("other", store=world.redis.address)
    (other.path / "var").mkdir()
    running = world.migrate(other, "sqlite")
    assert running.returncode == 1
    assert "stop every relay of this store" in running.stderr
    assert relay.stop() == 0

    for name in ("relay.db", "relay.db-wal", "segments"):
        if (there.path / "var" / name).exists():
            (there.path / "var" / name).rename(there.path / name)
    back = world.migrate(there, "sqlite")
    assert back.returncode == 0, back.stderr
    command = [sys.executable, "-c", PROGRAM, "queue", "check", "--config", str(there.config)]
    checked = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert checked.returncode == 0, checked.stdout
    relay = world.start(world.folder("here", store="sqlite"))
    sent += relay.send(1)
    relay.wait_for("delivered", id=sent[-1])
    token = (there.path / "var" / "admin.token").read_text().strip()
    for ident in sent:
        code, found = relay.get(f"/api/v1/messages/{ident}", token=token)
        assert (code, json.loads(found)["state"]) == (200, "delivered")
    assert relay.stop() == 0
    assert sum(world.arrived().values()) == len(sent)


@pytest.mark.needs("redis-server")
def test_node_that_was_connected_all_the_time_ends_and_says_where_the_store_went(world: World) -> None:
    relay = world.start(world.folder("here", store=world.redis.address))
    with smtplib.SMTP("127.0.0.1", relay.smtp, timeout=PATIENCE) as client:
        client.ehlo()
        world.bar()
        client.mail("anna@d.test")
        client.rcpt("paziente@example.org")
        code, _ = client.data("From: anna@d.test\r\nTo: paziente@example.org\r\nSubject: Ricetta\r\n\r\nBuongiorno\r\n")
        assert code // 100 == 4
    assert relay.wait() == 1
    assert "it was moved to elsewhere on a day" in "".join(relay.lines)


@pytest.mark.needs("redis-server")
def test_a_minute_after_the_last_node_its_store_moves_to_a_data_dir_that_never_was_a_node(world: World) -> None:
    relay = world.start(world.folder("here", store=world.redis.address))
    sent = relay.send(2)
    assert relay.stop() == 0
    other = world.folder("other", store=world.redis.address)
    (other.path / "var").mkdir(mode=0o700)
    early = world.migrate(other, "sqlite")
    assert (early.returncode, "stopped less than a minute ago" in early.stderr) == (1, True)
    world.let_pass(85 * SECOND)
    assert world.migrate(other, "sqlite", dies_at="move-prepared").returncode == KILLED
    moved = world.migrate(other, "sqlite")
    assert moved.returncode == 0, moved.stderr
    counted = {each["name"]: each["to"] for each in json.loads(moved.stdout)["counted"]}
    assert counted["bodies"] == len(sent)
