"""An account that is moved while its mail waits: the queue follows it, once and in order, and nothing of it is lost."""

import smtplib
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from relay.sandbox import read_log
from tests.integration.relay_process import HASTY, PATIENCE, Folder, RelayProcess
from tests.integration.sandbox_peer import SandboxProcess

MAILS = 50
TO = "patient@example.org"


@dataclass
class Move:
    """Two providers: the one of today refuses the login, so everything waits there."""

    path: Path
    folder: Folder
    relay: RelayProcess

    def submit(self, first: int = 0, many: int = MAILS) -> None:
        with smtplib.SMTP("127.0.0.1", self.relay.smtp, timeout=PATIENCE) as client:
            for number in range(first, first + many):
                text = f"From: anna@d.test\r\nMessage-ID: <{number}@d.test>\r\nSubject: x\r\n\r\nbody\r\n"
                client.sendmail("anna@d.test", [TO], text)

    def edit(self) -> None:
        before = self.relay.count("routing_applied")
        self.folder.write()
        self.relay.wait_for("routing_applied", times=before + 1)

    def arrived(self, provider: str) -> list[int]:
        """The numbers of the mails that a provider took, in its order."""
        records = read_log(self.path / f"{provider}.jsonl")
        names = [str(record["id"]) for record in records if record["event"] == "delivered"]
        return [int(name.strip("<").partition("@")[0]) for name in names]


@pytest.fixture
def move(tmp_path: Path) -> Iterator[Move]:
    with ExitStack() as stack:
        ports = {}
        for name, options in {"old": ["--fault", "refuse-auth:1"], "new": []}.items():
            peer = SandboxProcess("--log", str(tmp_path / f"{name}.jsonl"), *options)
            stack.callback(peer.kill)
            ports[name] = peer.port
        folder = Folder(tmp_path, provider=ports["old"], health=HASTY)
        lab = folder.routing["providers"]["lab"]
        folder.routing["providers"]["new"] = {**lab, "port": ports["new"], "connections": 1, "limits": ["200/1s"]}
        folder.write()
        relay = RelayProcess(folder.config)
        stack.callback(relay.kill)
        yield Move(tmp_path, folder, relay.wait_until_ready())


def test_a_queue_follows_its_account_to_another_provider_once_and_in_order(move: Move) -> None:
    move.submit()
    move.relay.wait_for("login_failed")
    move.folder.routing["accounts"]["anna@d.test"]["provider"] = "new"
    move.edit()
    move.relay.wait_for("delivered", times=MAILS)
    lanes = {number: number < 3 for number in range(MAILS)}
    arrived = move.arrived("new")
    express = [number for number in arrived if lanes[number]]
    bulk = [number for number in arrived if not lanes[number]]
    assert express == sorted(express)
    assert bulk == list(range(3, MAILS))
    assert arrived[:3] == express, "what came in first came in express, and leaves first"
    assert move.arrived("old") == []


def test_mail_of_a_removed_account_is_kept_and_goes_when_it_is_back(move: Move) -> None:
    move.submit(many=5)
    kept = move.folder.routing["accounts"].pop("anna@d.test")
    move.edit()
    assert move.relay.metric('relay_queue_deliveries{provider="none",state="held"}') == 5
    move.folder.routing["accounts"]["anna@d.test"] = {**kept, "provider": "new"}
    move.edit()
    move.relay.wait_for("delivered", times=5)
    assert sorted(move.arrived("new")) == list(range(5))


def test_a_queue_follows_its_account_while_the_relay_is_stopped(move: Move) -> None:
    move.submit(many=5)
    move.relay.stop()
    move.folder.routing["accounts"]["anna@d.test"]["provider"] = "new"
    move.folder.write()
    again = RelayProcess(move.folder.config)
    try:
        again.wait_until_ready()
        again.wait_for("delivered", times=5)
    finally:
        again.kill()
    assert sorted(move.arrived("new")) == list(range(5))
    assert move.arrived("old") == []
