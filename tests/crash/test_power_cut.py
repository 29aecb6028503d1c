"""The whole relay, its power cut under load: nothing that was answered 250 is lost with what the disk had not synced.

With syncing switched off the same test must find losses, or it would prove nothing; the provider's log alone decides.
"""

import smtplib
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from relay.sandbox import judge, read_log
from relay.sandbox.journal import Record
from tests.crash.power import Power, built
from tests.integration.relay_process import HASTY, PATIENCE, Folder, RelayProcess
from tests.integration.sandbox_peer import SandboxProcess

pytestmark = pytest.mark.needs("gcc")

CLIENTS = 4
TO = "patient@example.org"


@dataclass
class Machine:
    """A relay, its disk and its provider."""

    path: Path
    folder: Folder
    power: Power
    stack: ExitStack
    accepted: set[str] = field(default_factory=set)
    relays: list[RelayProcess] = field(default_factory=list)

    def start(self) -> RelayProcess:
        relay = RelayProcess(self.folder.config, environ=self.power.environ)
        self.stack.callback(relay.kill)
        self.relays.append(relay)
        return relay.wait_until_ready()

    def load(self, relay: RelayProcess, *, until: int) -> None:
        """Hands in mails over several connections and cuts the power at the `until`-th that was answered 250."""
        port, reached, lock = relay.smtp, threading.Event(), threading.Lock()

        def client(number: int) -> None:
            with (
                suppress(OSError, smtplib.SMTPException),
                smtplib.SMTP("127.0.0.1", port, timeout=PATIENCE) as session,
            ):
                for mail in range(10_000):
                    name = f"<{len(self.relays)}-{number}-{mail}@d.test>"
                    text = f"From: anna@d.test\r\nMessage-ID: {name}\r\nSubject: x\r\n\r\n{'body' * 200}\r\n"
                    session.sendmail("anna@d.test", [TO], text)
                    with lock:
                        self.accepted.add(name)
                        if len(self.accepted) >= before + until:
                            reached.set()

        before = len(self.accepted)
        threads = [threading.Thread(target=client, args=(number,)) for number in range(CLIENTS)]
        for thread in threads:
            thread.start()
        assert reached.wait(PATIENCE)
        self.power.cut(relay.process)
        for thread in threads:
            thread.join(PATIENCE)

    def submit(self, relay: RelayProcess, many: int) -> None:
        """Hands in mails one after the other, until one is refused."""
        with smtplib.SMTP("127.0.0.1", relay.smtp, timeout=PATIENCE) as session:
            for _ in range(many):
                name = f"<{len(self.accepted)}@d.test>"
                session.sendmail("anna@d.test", [TO], f"From: anna@d.test\r\nMessage-ID: {name}\r\n\r\nbody\r\n")
                self.accepted.add(name)

    def finish(self) -> None:
        """A last life, until nothing waits."""
        relay, ends = self.start(), time.monotonic() + PATIENCE
        while any(float(line.split()[-1]) for line in _queued(relay)):
            assert time.monotonic() < ends, "".join(relay.lines[-20:])
            threading.Event().wait(0.1)
        relay.stop()

    def lost(self) -> int:
        return len(judge.lost(self._seen(), {(name, TO) for name in self.accepted}))

    def doubled(self) -> int:
        return sum(many - 1 for many in judge.doubled(self._seen()).values())

    def doubts(self) -> int:
        return sum(relay.count("left_in_doubt") for relay in self.relays)

    def held(self) -> int:
        return sum(relay.count("delivery_held", reason="in-doubt") for relay in self.relays)

    def _seen(self) -> list[Record]:
        return read_log(self.path / "sandbox.jsonl")


def _queued(relay: RelayProcess) -> list[str]:
    lines = relay.get("/metrics")[1].splitlines()
    return [line for line in lines if line.startswith("relay_queue_deliveries{") and '"held"' not in line]


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    disk = tmp_path / "disk"
    disk.mkdir()
    with ExitStack() as stack:
        provider = SandboxProcess("--log", str(tmp_path / "sandbox.jsonl"))
        stack.callback(provider.kill)
        folder = Folder(tmp_path, provider=provider.port, data_dir="disk/var", keys_dir="disk/keys", health=HASTY)
        folder.routing["providers"]["lab"] |= {"linger": "1s", "login_limit": "1000/1m", "limits": ["100/1s"]}
        folder.write()
        yield Machine(tmp_path, folder, Power(disk, built(tmp_path)), stack)


def test_a_power_cut_under_load_loses_nothing_that_was_accepted(machine: Machine) -> None:
    for until in (60, 90):
        machine.load(machine.start(), until=until)
    machine.finish()
    assert machine.lost() <= machine.held(), "only what was in doubt twice may be held instead"
    assert machine.doubled() <= machine.doubts()


@pytest.mark.parametrize("what", ["/", ".seg", ".db"])
def test_with_syncing_switched_off_the_same_is_found_to_lose_mail(machine: Machine, what: str) -> None:
    relay = machine.start()
    machine.power.switch_syncing_off(what)
    machine.load(relay, until=150)
    machine.power.switch_syncing_on()
    machine.finish()
    assert machine.lost() > machine.held() or machine.doubled() > machine.doubts()


@pytest.mark.parametrize("what", [".seg", ".db"])
def test_a_disk_that_fails_to_sync_ends_the_relay_and_the_next_start_loses_nothing(machine: Machine, what: str) -> None:
    relay = machine.start()
    machine.submit(relay, 5)
    machine.power.break_syncing(what)
    with pytest.raises((smtplib.SMTPException, OSError)):
        machine.submit(relay, 1)
    assert relay.wait() == 1
    assert relay.count("failed", what="store") == 1
    machine.power.switch_syncing_on()
    machine.finish()
    assert machine.lost() == 0
    assert machine.doubled() <= machine.doubts()
