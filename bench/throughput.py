"""Accepted durable -> delivered, beside Postfix: messages per second and CPU per message, a connection per mail.

Law: rounds alternate between the two, the table shows medians, and the sink's count ends the clock.
"""

import statistics
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from bench import postfix, provider, relay
from bench.processes import Sink, cpu_seconds, sink
from bench.server import Measured, redis_server

CLIENTS = 40

UNBOUND = {
    "connections": CLIENTS,
    "total_connections": CLIENTS,
    "login_limit": "1000/1m",
    "session": {"messages": 1_000_000, "idle": "30s"},
}
"""One mailbox without limits, as Postfix has none: forty sessions, kept as long as there is mail."""


class Server(Protocol):
    """What is measured."""

    @property
    def port(self) -> int: ...
    def cpu_seconds(self) -> float: ...


@dataclass(frozen=True, slots=True)
class Round:
    """One flood: messages per second from the first byte to the last delivery, CPU of the server per message."""

    per_second: float
    cpu_ms: float


def flood(server: Server, peer: Sink, *, size: int, messages: int) -> Round:
    """Sends and waits until the sink has them all; RuntimeError if it never does."""
    before, cpu, start = peer.messages, server.cpu_seconds(), time.monotonic()
    provider.submit(server.port, "a@d.test", messages=messages, size=size, at_once=CLIENTS)
    if not peer.wait_for(before + messages, seconds=120):
        raise RuntimeError(f"{peer.messages - before} of {messages} arrived")
    passed = time.monotonic() - start
    return Round(messages / passed, (server.cpu_seconds() - cpu) / messages * 1000)


@dataclass(frozen=True, slots=True)
class OnRedis:
    """A relay and the Redis that is its store: the CPU is of both."""

    relay: relay.Relay
    redis: Measured

    @property
    def port(self) -> int:
        return self.relay.port

    def cpu_seconds(self) -> float:
        return self.relay.cpu_seconds() + cpu_seconds(self.redis.server.pid)


@contextmanager
def all_of_them(folder: Path, peer: Sink, *, is_on_redis: bool) -> Iterator[dict[str, Server]]:
    """Postfix (where it is installed) and the relay, relaying to the same sink with AUTH; one on Redis too if asked."""
    table = relay.routing(peer.port, ["a@d.test"], **UNBOUND)
    with ExitStack() as stack:
        servers: dict[str, Server] = {}
        if postfix.is_installed():
            servers["Postfix"] = stack.enter_context(
                postfix.running(folder / "postfix", peer.port, concurrency=CLIENTS)
            )
        servers["relay"] = stack.enter_context(relay.running(folder / "relay", table))
        if is_on_redis:
            redis = stack.enter_context(redis_server())
            ours = stack.enter_context(relay.running(folder / "on-redis", table, store=redis.address))
            servers["relay on Redis"] = OnRedis(ours, redis)
        yield servers


def measure(
    folder: Path, *, size: int, messages: int, rounds: int, is_on_redis: bool = False
) -> dict[str, list[Round]]:
    """Alternating rounds of one size."""
    found: dict[str, list[Round]] = {}
    with sink() as peer, all_of_them(folder, peer, is_on_redis=is_on_redis) as servers:
        for server in servers.values():
            flood(server, peer, size=size, messages=max(100, messages // 10))
        for _ in range(rounds):
            for name, server in servers.items():
                found.setdefault(name, []).append(flood(server, peer, size=size, messages=messages))
    return found


def report(size: int, found: dict[str, list[Round]]) -> list[str]:
    """Rows of the table: what, messages per second (median, range), CPU per message, ratio to Postfix."""
    rows = []
    base = statistics.median(one.per_second for one in found["Postfix"]) if "Postfix" in found else None
    for name, rounds in found.items():
        speed = statistics.median(one.per_second for one in rounds)
        low, high = min(one.per_second for one in rounds), max(one.per_second for one in rounds)
        cpu = statistics.median(one.cpu_ms for one in rounds)
        ratio = f"{speed / base:.2f}" if base else "-"
        rows.append(f"| {size:,} B | {name} | {speed:,.0f} ({low:,.0f}-{high:,.0f}) | {cpu:.2f} | {ratio} |")
    return rows
