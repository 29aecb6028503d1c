"""Delivery alone: take, gate and settle on a store in memory, SMTP to the sandbox in a process of its own.

Law: bounded in count, 127.0.0.1 only; the CPU that it prints is this process's alone, not the sandbox's. Usage:
`python -m bench.delivery [--messages N] [--size BYTES] [--sessions N] [--rounds N] [--loop LOOP] [--profile]`.
"""

import argparse
import asyncio
import cProfile
import platform
import pstats
import statistics
import subprocess
import sys
import time
from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import uvloop

from relay.core.envelope import Claim, Envelope, LoginFailure, Recipient, Result, Taken, Verdict
from relay.core.limits import MINUTE
from relay.core.routing import Provider, Tls
from relay.core.words import Lane, MailboxId
from relay.delivery.dispatcher import Dispatcher
from relay.delivery.fence import Fence
from relay.delivery.keeper import SessionTerms
from relay.delivery.resolver import ExecutorResolver
from relay.delivery.smtp import Route, SmtpUpstream
from relay.delivery.trust import SystemTrust
from relay.store.ports.sessions import SessionEvent

SANDBOX = """
import asyncio, uvloop
from relay.sandbox.sandbox import Sandbox
from relay.sandbox.settings import SandboxSettings
async def main():
    async with Sandbox(SandboxSettings(remember=False)) as sandbox:
        print(sandbox.port, flush=True)
        await asyncio.get_running_loop().run_in_executor(None, input)
uvloop.run(main())
"""


class MemoryStore:
    """Grants at once whatever a mailbox with an idle session has waiting."""

    def __init__(self, content: bytes, waiting: Mapping[MailboxId, int]) -> None:
        self._content = content
        self._waiting = {mailbox: deque(range(many)) for mailbox, many in waiting.items()}
        self._to_open = dict.fromkeys(waiting, 1)
        self._left = sum(waiting.values())
        self._serial = 0
        self._change = asyncio.Event()
        self._envelopes = {
            mailbox: Envelope(mailbox.username, (Recipient("paziente@example.org"),)) for mailbox in waiting
        }
        self.done = asyncio.Event()
        self.verdicts: dict[Verdict, int] = {}

    async def take(self, node: str, idle: Mapping[MailboxId, int], most: int) -> Taken:
        claims: list[Claim] = []
        for mailbox, many in idle.items():
            waiting = self._waiting[mailbox]
            claims += [self._claim(mailbox, waiting.popleft(), node) for _ in range(min(many, len(waiting)))]
        to_open, self._to_open = self._to_open, {}
        self._change.clear()
        return Taken(tuple(claims), to_open, {}, None, self._serial)

    def _claim(self, mailbox: MailboxId, number: int, node: str) -> Claim:
        self._serial += 1
        return Claim(
            self._serial, self._serial, f"m{number}", mailbox, mailbox.username, Lane.BULK, node,
            self._envelopes[mailbox], len(self._content), 0, 0,
        )  # fmt: skip

    async def content(self, claim: Claim) -> bytes:
        return self._content

    async def gate(self, claim: Claim) -> bool:
        await asyncio.sleep(0)
        return True

    async def settle(self, claim: Claim, result: Result) -> Verdict:
        await asyncio.sleep(0)
        self.verdicts[result.verdict] = self.verdicts.get(result.verdict, 0) + 1
        self._left -= 1
        if not self._left:
            self.done.set()
        return result.verdict

    async def wait(self, mark: int, until: int | None) -> None:
        await self._change.wait()

    async def heartbeat(self, node: str) -> Sequence[Claim]:
        return ()

    async def recover(self, node: str) -> int:
        return 0

    def now(self) -> int:
        return 0

    async def session(self, mailbox: MailboxId, event: SessionEvent) -> None:
        if event is SessionEvent.CLOSED and self._waiting[mailbox]:
            self._to_open[mailbox] = self._to_open.get(mailbox, 0) + 1
            self._change.set()

    async def refused(self, mailbox: MailboxId, failure: LoginFailure) -> None:
        raise SystemExit(f"login refused: {failure}")


class Silence:
    """An observer that costs nothing."""

    def attempted(self, claim: Claim, result: Result, *, seconds: float, is_recorded: bool) -> None: ...
    def session_opened(self, mailbox: MailboxId, *, seconds: float) -> None: ...
    def session_closed(self, mailbox: MailboxId, *, messages: int) -> None: ...
    def login_failed(self, mailbox: MailboxId, failure: LoginFailure) -> None: ...
    def claim_lost(self, claim: Claim) -> None: ...
    def store_failed(self, operation: str, error: Exception) -> None: ...

    def broken(self, what: str, error: Exception, claim: Claim | None = None) -> None:
        raise error


def body_of(size: int) -> bytes:
    """A message of about so many bytes, as a mail program writes it."""
    line = b"Gentile paziente, in allegato trova la ricetta richiesta questa mattina.\r\n"
    return b"Subject: ricetta\r\nFrom: dottore@example.it\r\n\r\n" + line * max(1, (size - 50) // len(line))


async def deliver(port: int, options: argparse.Namespace, pool: ThreadPoolExecutor) -> tuple[float, float]:
    """One round: seconds of CPU and of the wall for all messages."""
    provider = Provider("sandbox", "127.0.0.1", port, tls=Tls.NONE)
    mailboxes = [MailboxId("sandbox", f"doctor{number}@example.it") for number in range(options.sessions)]
    store = MemoryStore(body_of(options.size), dict.fromkeys(mailboxes, options.messages // options.sessions))
    upstream = SmtpUpstream(
        "relay.example.it",
        lambda mailbox: Route(provider, "secret"),
        resolve=ExecutorResolver(lambda name: pool),
        trust=SystemTrust(),
    )
    dispatcher = Dispatcher(
        store,
        upstream,
        node="bench",
        observe=Silence(),
        terms_of=lambda name: SessionTerms(messages=100),
        fence=Fence(lambda: time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1000, lease=MINUTE),
    )
    running = asyncio.create_task(dispatcher.run())
    cpu, wall = time.process_time(), time.perf_counter()
    await store.done.wait()
    spent = time.process_time() - cpu, time.perf_counter() - wall
    await dispatcher.stop()
    await running
    if set(store.verdicts) != {Verdict.DELIVERED}:
        raise SystemExit(f"not everything was delivered: {store.verdicts}")
    return spent


def main() -> None:
    """Runs the rounds and prints one line each, then the medians."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--messages", type=int, default=4000)
    parser.add_argument("--size", type=int, default=4000)
    parser.add_argument("--sessions", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--loop", choices=("uvloop", "asyncio"), default="uvloop")
    parser.add_argument("--profile", action="store_true")
    options = parser.parse_args()
    run = uvloop.run if options.loop == "uvloop" else asyncio.run
    many = options.messages // options.sessions * options.sessions
    print(f"Python {platform.python_version()}, {options.loop}, {options.size} bytes", end=", ")
    print(f"{options.sessions} sessions, {many} messages")
    profile = cProfile.Profile() if options.profile else None
    cpus, rates = [], []
    sandbox = subprocess.Popen([sys.executable, "-c", SANDBOX], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert sandbox.stdout is not None
    try:
        port = int(sandbox.stdout.readline())
        with ThreadPoolExecutor(1) as pool:
            for number in range(options.rounds):
                if profile is not None:
                    profile.enable()
                cpu, wall = run(deliver(port, options, pool))
                if profile is not None:
                    profile.disable()
                cpus.append(1000 * cpu / many)
                rates.append(many / wall)
                print(f"round {number + 1}: {cpus[-1]:.3f} ms CPU per message, {rates[-1]:.0f} messages/s")
    finally:
        sandbox.kill()
        sandbox.wait()
    print(f"median: {statistics.median(cpus):.3f} ms CPU per message, {statistics.median(rates):.0f} messages/s")
    if profile is not None:
        pstats.Stats(profile).sort_stats("tottime").print_stats(35)


if __name__ == "__main__":
    main()
