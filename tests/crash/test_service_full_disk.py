"""The whole relay on a disk of 32 MB that mail alone fills: refused in time, drained, and healed by itself.

The provider's log alone decides what was delivered; nobody helps, and nothing is restarted but where a test kills it.
"""

import signal
import smtplib
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from relay.sandbox import judge, read_log
from tests.crash.small_disk import mounted
from tests.integration.relay_process import HASTY, PATIENCE, Folder, RelayProcess
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
    with mounted(tmp_path / "disk", megabytes=MEGABYTES), world_on(tmp_path) as made:
        yield made


@contextmanager
def world_on(tmp_path: Path) -> Iterator[World]:
    with ExitStack() as stack:
        provider = SandboxProcess("--log", str(tmp_path / "sandbox.jsonl"))
        stack.callback(provider.kill)
        folder = Folder(tmp_path, provider=provider.port, data_dir="disk/var", health=HASTY)
        folder.routing["providers"]["lab"] |= {"linger": "1s", "login_limit": "1000/1m", "connections": 4}
        folder.write()
        yield World(tmp_path, folder, provider, stack)
        provider.process.send_signal(signal.SIGCONT)


@pytest.mark.parametrize("size", [6_000, 60_000])
def test_a_disk_filled_by_mail_alone_drains_and_takes_mail_again(world: World, size: int) -> None:
    relay = world.start()
    world.sleep()
    many = world.fill(relay, size)
    assert many * size > 5_000_000
    world.wake()
    until(lambda: is_drained(relay))
    assert world.judge() == 0
    until(lambda: has_disk(relay))
    assert world.fill(relay, size, most=100) == 100
    until(lambda: is_drained(relay))
    assert world.judge() == 0
    assert relay.stop() == 0


def doubts(*relays: RelayProcess) -> int:
    return sum(relay.count("left_in_doubt") for relay in relays)


def test_a_relay_killed_on_a_disk_that_mail_filled_starts_on_it_and_drains(world: World) -> None:
    first = world.start()
    world.fill(first, 20_000, most=20)
    world.sleep()
    world.fill(first, 20_000)
    first.kill()
    second = world.start()
    world.wake()
    until(lambda: is_drained(second))
    until(lambda: has_disk(second))
    assert world.fill(second, 20_000, most=50) == 50
    until(lambda: is_drained(second))
    assert world.judge() <= doubts(first, second)
    assert second.stop() == 0


def test_a_relay_that_starts_without_a_free_byte_drains_by_what_it_kept_back(world: World) -> None:
    first = world.start()
    world.sleep()
    world.fill(first, 20_000, most=300)
    first.kill()
    strange = world.path / "disk" / "strange"
    fill_to_the_last_byte(strange)
    second = world.start()
    assert world.fill(second, 20_000) == 0
    world.wake()
    until(lambda: is_drained(second))
    strange.unlink()
    until(lambda: has_disk(second))
    assert world.fill(second, 20_000, most=50) == 50
    until(lambda: is_drained(second))
    assert world.judge() <= doubts(first, second)
    assert second.stop() == 0


def test_a_disk_without_names_left_is_full_too(tmp_path: Path) -> None:
    with mounted(tmp_path / "disk", megabytes=MEGABYTES, inodes=200) as disk:
        names = [disk / f"strange{number}" for number in range(400)]
        with world_on(tmp_path) as world:
            relay = world.start()
            assert world.fill(relay, 3_000, most=10) == 10
            with suppress(OSError):
                for name in names:
                    name.touch()
            until(lambda: not has_disk(relay))
            assert world.fill(relay, 3_000) == 0
            for name in names:
                name.unlink(missing_ok=True)
            until(lambda: has_disk(relay))
            assert world.fill(relay, 3_000, most=10) == 10
            until(lambda: is_drained(relay))
            assert world.judge() == 0


def fill_to_the_last_byte(path: Path) -> None:
    with path.open("wb", buffering=0) as file, suppress(OSError):
        while file.write(b"x" * 4096):
            pass
