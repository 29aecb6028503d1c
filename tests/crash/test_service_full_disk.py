"""The whole relay on a disk of 32 MB that mail alone fills: refused in time, drained, and healed by itself.

The provider's log alone decides what was delivered; nobody helps, and nothing is restarted but where a test kills it.
"""

import signal
import smtplib
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from relay.sandbox import judge, read_log
from tests.crash.small_disk import mounted
from tests.integration.relay_process import PATIENCE, Folder, RelayProcess
from tests.integration.sandbox_peer import SandboxProcess

MEGABYTES = 32
TO = "patient@example.org"
FULL = 452


@dataclass
class World:
    """A relay on a small disk, and a provider that sleeps until it is woken."""

    path: Path
    folder: Folder
    provider: SandboxProcess
    stack: ExitStack
    accepted: set[str] = field(default_factory=set)

    def start(self) -> RelayProcess:
        relay = RelayProcess(self.folder.config)
        self.stack.callback(relay.kill)
        return relay.wait_until_ready()

    def sleep(self) -> None:
        """The provider answers nothing, but its host still takes connections."""
        self.provider.process.send_signal(signal.SIGSTOP)

    def wake(self) -> None:
        self.provider.process.send_signal(signal.SIGCONT)

    def fill(self, relay: RelayProcess, size: int, *, most: int = 100_000) -> int:
        """Hands in mails of `size` octets until one is refused; how many were accepted before."""
        body = "x" * 70 + "\r\n"
        with smtplib.SMTP("127.0.0.1", relay.smtp, timeout=PATIENCE) as client:
            client.ehlo()
            for number in range(most):
                name = f"<{len(self.accepted)}@d.test>"
                text = f"From: anna@d.test\r\nMessage-ID: {name}\r\nSubject: x\r\n\r\n{body * (size // len(body))}"
                code = self._hand_in(client, text)
                if code != 250:
                    assert code == FULL
                    return number
                self.accepted.add(name)
        return most

    @staticmethod
    def _hand_in(client: smtplib.SMTP, text: str) -> int:
        code, _ = client.mail("anna@d.test")
        if code == 250:
            code, _ = client.rcpt(TO)
            assert code == 250
            code, _ = client.data(text)
        return code

    def judge(self) -> int:
        """Nothing that was accepted is lost; how many copies there are too many."""
        records = read_log(self.path / "sandbox.jsonl")
        assert not judge.lost(records, {(name, TO) for name in self.accepted})
        return sum(many - 1 for many in judge.doubled(records).values())


def until(has_come: Callable[[], bool]) -> None:
    """Asks until it is so: of what is seen over HTTP nothing tells."""
    ends = time.monotonic() + 2 * PATIENCE
    while not has_come():
        assert time.monotonic() < ends, "it never came"
        threading.Event().wait(0.1)


def is_drained(relay: RelayProcess) -> bool:
    lines = relay.get("/metrics")[1].splitlines()
    return not any(float(line.split()[-1]) for line in lines if line.startswith("relay_queue_deliveries{"))


def has_disk(relay: RelayProcess) -> bool:
    return relay.get("/readyz")[0] == 200


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with ExitStack() as stack:
        stack.enter_context(mounted(tmp_path / "disk", megabytes=MEGABYTES))
        provider = SandboxProcess("--log", str(tmp_path / "sandbox.jsonl"))
        stack.callback(provider.kill)
        folder = Folder(tmp_path, provider=provider.port, data_dir="disk/var")
        folder.routing["providers"]["lab"] |= {"linger": "1s", "login_limit": "1000/1m", "connections": 4}
        folder.write()
        yield World(tmp_path, folder, provider, stack)
        provider.process.send_signal(signal.SIGCONT)


@pytest.mark.parametrize("size", [1_000, 40_000])
def test_a_disk_filled_by_mail_alone_drains_and_takes_mail_again(world: World, size: int) -> None:
    relay = world.start()
    world.sleep()
    many = world.fill(relay, size)
    assert many * size > 5_000_000
    assert not has_disk(relay)
    world.wake()
    until(lambda: is_drained(relay))
    assert world.judge() == 0
    until(lambda: has_disk(relay))
    assert world.fill(relay, size, most=100) == 100
    until(lambda: is_drained(relay))
    assert world.judge() == 0
    assert relay.stop() == 0
