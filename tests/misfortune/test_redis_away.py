"""A real Redis that is paused, killed and started again behind a real relay: clients are told, nothing ends, nothing is
lost or sent twice, and it goes on by itself.
"""

import json
import smtplib
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.fakes.redisservers import Server, binary, until
from tests.integration.relay_process import Folder, RelayProcess
from tests.integration.sandbox_peer import SandboxProcess

MAIL = "Message-ID: <{name}@studio.test>\r\nFrom: anna@d.test\r\nTo: p@example.org\r\nSubject: {name}\r\n\r\nCiao\r\n"


class World:
    """A Redis, a provider that keeps what it is given, and a relay between a client and them."""

    def __init__(self, path: Path, stack: ExitStack) -> None:
        self.inbox = path / "inbox"
        self._stack = stack
        sandbox = SandboxProcess("--inbox", str(self.inbox))
        stack.callback(sandbox.kill)
        self.redis = Server(binary("redis-7"), is_tcp=True)
        stack.callback(self.redis.close)
        self.redis.start()
        self._folder = Folder(path, provider=sandbox.port, store=self.redis.address)
        self.relay = self.start()

    def start(self) -> RelayProcess:
        self.relay = RelayProcess(self._folder.config)
        self._stack.callback(self.relay.kill)
        return self.relay.wait_until_ready()

    def submit(self, name: str) -> tuple[int, str]:
        """Hands in one mail as a client that retries would; what it is told last."""
        with smtplib.SMTP("127.0.0.1", self.relay.smtp, timeout=60) as client:
            client.ehlo()
            for say in (
                lambda: client.mail("anna@d.test"),
                lambda: client.rcpt("p@example.org"),
                lambda: client.data(MAIL.format(name=name).encode()),
            ):
                code, reply = say()
                if code >= 400:
                    break
            return code, reply.decode()

    def until_taken(self, name: str) -> None:
        until(lambda: self.submit(name)[0] == 250, f"{name} is accepted")

    def arrived(self) -> list[str]:
        """The subjects of what the provider has."""
        texts = [each.read_text() for each in self.inbox.glob("*.eml")]
        return sorted(
            line.removeprefix("Subject: ") for text in texts for line in text.splitlines() if "Subject: " in line
        )

    def is_ready(self) -> bool:
        return self.relay.get("/readyz")[0] == 200


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with ExitStack() as stack:
        yield World(tmp_path, stack)


@pytest.mark.parametrize("how", ["pause", "kill9"])
def test_a_redis_that_is_away_ends_nothing_and_mail_goes_on_when_it_is_back(world: World, how: str) -> None:
    relay = world.relay
    world.until_taken("before")
    until(lambda: world.arrived() == ["before"], "it is delivered")
    getattr(world.redis, how)()
    for name in ("first", "second"):
        code, reply = world.submit(name)
        assert (code, reply[:5]) == (451, "4.3.0")
    until(lambda: not world.is_ready(), "it is not ready")
    problems = json.loads(relay.get("/readyz")[1])["problems"]
    assert "store" in {each["what"] for each in problems}
    assert relay.process.poll() is None
    world.redis.go_on() if how == "pause" else world.redis.start()
    for name in ("first", "second", "third"):
        world.until_taken(name)
    until(lambda: world.arrived() == ["before", "first", "second", "third"], "each is delivered once")
    until(world.is_ready, "it is ready")

    def said() -> set[str]:
        return {line["event"] for line in relay.records if line.get("what") == "store"}

    until(lambda: said() == {"trouble", "trouble_over"}, "that it went and that it is back is in the log")
    assert relay.complaints == []
    assert relay.stop() == 0
    assert relay.count("failed") == 0


def test_a_relay_is_stopped_in_good_order_while_redis_is_away(world: World) -> None:
    relay = world.relay
    world.until_taken("before")
    until(lambda: world.arrived() == ["before"], "it is delivered")
    world.redis.pause()
    assert world.submit("first")[0] == 451
    assert relay.stop() == 0
    assert relay.complaints == []
    world.redis.go_on()
    world.start()
    world.until_taken("first")
    until(lambda: "first" in world.arrived(), "it is delivered")
    assert set(world.arrived()) == {"before", "first"}
    assert world.relay.count("left_in_doubt") == 0
