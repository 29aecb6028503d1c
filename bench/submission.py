"""Figures of submission alone: messages a second and CPU per message, into a store that only counts.

Law: bounded, on 127.0.0.1; the load comes from a process of its own, so that the CPU printed is the relay's.
Run: python -m bench.submission [--messages N] [--clients N] [--size BYTES] [--reuse] [--profile]
"""

import argparse
import asyncio
import base64
import cProfile
import itertools
import os
import pstats
import resource
import socket
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import cast

import uvloop

from relay.core.envelope import NewMessage
from relay.core.refusal import Reason
from relay.core.routing import Account, Client, Provider, Routing, SecretKind, SecretReference
from relay.core.words import MailboxId, Plan, Stage
from relay.submission import Authenticator, ListenerSettings, SubmissionServer, SubmissionSettings

HEADER = (
    b"From: Dr. M. Rossi <m.rossi@d.test>\r\nTo: p@x.test\r\nSubject: Ricetta\r\n"
    b"Date: Mon, 02 Nov 2026 10:00:00 +0100\r\n"
    b"Message-ID: <1@d.test>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
    b"Content-Transfer-Encoding: quoted-printable\r\n\r\n"
)
LINE = b"x" * 76 + b"\r\n"


class CountingIntake:
    """A store that keeps nothing."""

    def __init__(self) -> None:
        self.count = 0

    async def put(self, message: NewMessage) -> None:
        """Counts."""
        self.count += 1

    def has_space(self) -> bool:
        """Always."""
        return True


class Silent:
    """An observer that hears nothing."""

    def connected(self, listener: str, *, peer: str) -> None: ...
    def disconnected(self, listener: str, *, peer: str) -> None: ...
    def turned_away(self, listener: str, *, peer: str, reason: Reason) -> None: ...
    def handshake_failed(self, listener: str, *, peer: str, cause: str) -> None: ...
    def logged_in(self, client: str, *, peer: str) -> None: ...
    def accepted(self, message: NewMessage, *, size: int, seconds: float, is_mended: bool) -> None: ...
    def accepted_before(self, message: str, *, client: str, account: str) -> None: ...
    def renamed(self, message: NewMessage, *, old: str) -> None: ...
    def refused(
        self,
        client: str | None,
        *,
        account: str | None,
        peer: str,
        stage: Stage,
        reason: Reason,
        reply: str,
        sender: str | None = None,
        cause: str | None = None,
    ) -> None: ...

    def failed(self, error: BaseException) -> None:
        """Nothing may fail in a measurement."""
        raise error


class LoadClient(asyncio.Protocol):
    """Sends mails one command at a time, as most clients do."""

    def __init__(self, mail: bytes, mails: int, ended: asyncio.Future[None]) -> None:
        login = b"AUTH PLAIN " + base64.b64encode(b"\0studio\0secret") + b"\r\n"
        one = [b"MAIL FROM:<m.rossi@d.test> SIZE=4000\r\n", b"RCPT TO:<p@x.test>\r\n", b"DATA\r\n", mail]
        self._steps = iter([b"EHLO pc\r\n", login, *(one * mails), b"QUIT\r\n"])
        self._ended = ended

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        if data[:1] in b"45":
            raise SystemExit(f"refused: {data!r}")
        step = next(self._steps, None)
        if step is None:
            self._transport.close()
        else:
            self._transport.write(step)

    def connection_lost(self, error: Exception | None) -> None:
        self._ended.set_result(None)


async def load(port: int, arguments: argparse.Namespace) -> None:
    """The client's process."""
    loop = asyncio.get_running_loop()
    mail = HEADER + LINE * max(1, (arguments.size - len(HEADER)) // len(LINE)) + b".\r\n"
    each = 20 if arguments.reuse else 1
    left = iter(range(arguments.messages // each))

    async def work() -> None:
        for _ in left:
            ended: asyncio.Future[None] = loop.create_future()
            await loop.create_connection(partial(LoadClient, mail, each, ended), "127.0.0.1", port)
            await ended

    await asyncio.gather(*(work() for _ in range(arguments.clients)))


def routing() -> Routing:
    """One practice with one account."""
    account = Account("m.rossi@d.test", Plan.BUSINESS, MailboxId("lab", "m.rossi@d.test"))
    client = Client("studio", ("*@d.test",), SecretReference(SecretKind.LITERAL, "secret"))
    return Routing({"studio": client}, {"lab": Provider("lab", "127.0.0.1", 2526)}, {account.sender: account})


async def measure(arguments: argparse.Namespace) -> None:
    """Serves the load and prints the figures."""
    bound = socket.create_server(("127.0.0.1", 0))
    port = bound.getsockname()[1]
    force, intake, ids = routing(), CountingIntake(), itertools.count()
    with ThreadPoolExecutor(2) as executor:
        authenticator = Authenticator(
            lambda: force, lambda kept: kept.value, executor=executor, key=os.urandom(32), clock=time.monotonic
        )
        server = SubmissionServer(
            intake,
            lambda: force,
            settings=SubmissionSettings("relay.example.it", (ListenerSettings(f"127.0.0.1:{port}"),)),
            authenticator=authenticator,
            new_id=lambda: f"m-{next(ids)}",
            wall_clock=time.time,
            observe=Silent(),
        )
        await server.start([bound])
        profile = cProfile.Profile()
        command = [sys.executable, "-m", "bench.submission", *sys.argv[1:], "--port", str(port)]
        began, before = time.perf_counter(), _cpu()
        if arguments.profile:
            profile.enable()
        process = await asyncio.create_subprocess_exec(*command)
        status = await process.wait()
        profile.disable()
        seconds, after = time.perf_counter() - began, _cpu()
        await server.close()
    if status or not intake.count:
        raise SystemExit("the load failed")
    cpu = (after[0] - before[0], after[1] - before[1])
    kind = "20 mails a connection" if arguments.reuse else "a connection per mail"
    print(
        f"submission, {arguments.size} bytes, {arguments.clients} clients, {kind}: {intake.count} messages, "
        f"{intake.count / seconds:,.0f}/s, CPU per message {1000 * sum(cpu) / intake.count:.3f} ms "
        f"({1000 * cpu[0] / intake.count:.3f} user, {1000 * cpu[1] / intake.count:.3f} system)"
    )
    if arguments.profile:
        pstats.Stats(profile).sort_stats("tottime").print_stats(35)


def _cpu() -> tuple[float, float]:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime, used.ru_stime


def main() -> None:
    """Both processes start here."""
    parser = argparse.ArgumentParser(prog="python -m bench.submission", description=__doc__)
    parser.add_argument("--messages", type=int, default=8000)
    parser.add_argument("--clients", type=int, default=40)
    parser.add_argument("--size", type=int, default=4096)
    parser.add_argument("--reuse", action="store_true", help="20 mails a connection")
    parser.add_argument("--profile", action="store_true", help="show where the time goes")
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    uvloop.run(load(arguments.port, arguments) if arguments.port else measure(arguments))


if __name__ == "__main__":
    main()
