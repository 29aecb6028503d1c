"""Redis goes while a provider has the mail and has not answered yet: its answer is on this node's disk, and nothing is
sent twice or left in doubt, whatever becomes of the relay meanwhile.
"""

import signal
import socketserver
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.fakes.redisservers import Server, binary, until
from tests.integration.relay_process import Folder, RelayProcess

OFFER = b"250-slow.example\r\n250-AUTH PLAIN\r\n250 SIZE 1000000\r\n"


class SlowProvider(socketserver.ThreadingTCPServer):
    """Takes any login and any mail; answers the final dot when `may_answer` is set."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Dialogue)
        self.has_mail = threading.Event()
        self.may_answer = threading.Event()
        self.mails = 0

    @property
    def port(self) -> int:
        return int(self.server_address[1])


class Dialogue(socketserver.StreamRequestHandler):
    server: SlowProvider

    def handle(self) -> None:
        self.wfile.write(b"220 slow.example ESMTP\r\n")
        for line in self.rfile:
            verb = line.split()[0].upper() if line.split() else b""
            if verb == b"DATA":
                self._take()
            elif verb == b"QUIT":
                self.wfile.write(b"221 2.0.0 Bye\r\n")
                return
            else:
                self.wfile.write({b"EHLO": OFFER, b"AUTH": b"235 2.7.0 Ok\r\n"}.get(verb, b"250 2.0.0 Ok\r\n"))

    def _take(self) -> None:
        self.wfile.write(b"354 go\r\n")
        for line in self.rfile:
            if line == b".\r\n":
                self.server.mails += 1
                self.server.has_mail.set()
                self.server.may_answer.wait(120)
                self.wfile.write(b"250 2.0.0 Ok\r\n")
                return


class World:
    """A Redis, a slow provider and a relay."""

    def __init__(self, path: Path, stack: ExitStack) -> None:
        self._stack = stack
        self.provider = stack.enter_context(SlowProvider())
        threading.Thread(target=self.provider.serve_forever, daemon=True).start()
        stack.callback(self.provider.shutdown)
        stack.callback(self.provider.may_answer.set)
        self.redis = Server(binary("redis-7"), is_tcp=True)
        stack.callback(self.redis.close)
        self.redis.start()
        self._folder = Folder(path, provider=self.provider.port, store=self.redis.address)
        self.outcomes = path / "var" / "outcomes"
        self.relay = self.start()

    def start(self) -> RelayProcess:
        self.relay = RelayProcess(self._folder.config)
        self._stack.callback(self.relay.kill)
        return self.relay.wait_until_ready()

    def lose_redis_at_the_reply(self) -> str:
        """Returns when the outcome of the one mail is on this node's disk; its id."""
        (ident,) = self.relay.send()
        assert self.provider.has_mail.wait(60)
        self.redis.kill9()
        self.provider.may_answer.set()
        until(lambda: self.outcomes.stat().st_size > 0, "the outcome is on disk")
        assert b"paziente@example.org" not in self.outcomes.read_bytes()
        return ident

    def check(self, ident: str) -> None:
        """It is delivered, once, and nobody doubts it."""
        self.relay.wait_for("delivered", id=ident)
        until(lambda: self.outcomes.stat().st_size == 0, "the journal is empty")
        self.relay.send(sender="bruno@d.test")
        self.relay.wait_for("delivered", account="bruno@d.test")
        assert self.provider.mails == 2
        assert self.relay.count("left_in_doubt") == 0


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with ExitStack() as stack:
        yield World(tmp_path, stack)


def test_the_outcome_is_recorded_when_redis_is_back(world: World) -> None:
    ident = world.lose_redis_at_the_reply()
    world.redis.start()
    world.check(ident)


def test_a_relay_that_is_killed_meanwhile_records_it_at_its_next_start(world: World) -> None:
    ident = world.lose_redis_at_the_reply()
    world.relay.tell(signal.SIGKILL)
    world.relay.wait()
    world.redis.start()
    world.start()
    world.check(ident)
