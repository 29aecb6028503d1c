"""What the way to Redis costs: one node behind a proxy that delays, at several round-trip times.

Law: nothing of the machine's own network is changed; the proxy is a process of its own, and its own cost is the row
of 0 ms beside that without one. Run: python -m bench.network [--rounds N]
"""

import argparse
import os
import queue
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench.disk import fsync_ms
from bench.nodes import Child, children
from bench.processes import stop
from bench.server import Measured, redis_server

TRIPS = (0.0, 0.2, 1.0, 5.0)
"""Round-trip times, milliseconds: one machine, one room, one town, two towns."""

PUTS = 2_000
DEEP = 8_000
SECONDS = 3.0
WARMS = 12
ENOUGH = 250
"""Messages in a second: more than its first claims."""

ALONE = 100
"""Operations one after another."""


def pump(source: socket.socket, target: socket.socket, delay: float) -> None:
    """Hands on what comes, so many seconds later."""
    waiting: queue.Queue[tuple[float, bytes]] = queue.Queue()

    def hand_on() -> None:
        while True:
            due, data = waiting.get()
            if not data:
                break
            time.sleep(max(0.0, due - time.perf_counter()))
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)

    threading.Thread(target=hand_on, daemon=True).start()
    while data := source.recv(1 << 20):
        waiting.put((time.perf_counter() + delay, data))
    waiting.put((0.0, b""))


def serve(port: int, trip: float) -> None:
    """The proxy's process."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        print(listening.getsockname()[1], flush=True)
        while True:
            near, _ = listening.accept()
            far = socket.create_connection(("127.0.0.1", port))
            for one in (near, far):
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for source, target in ((near, far), (far, near)):
                threading.Thread(target=pump, args=(source, target, trip / 2000), daemon=True).start()


@contextmanager
def distant(server: Measured, trip: float) -> Iterator[str]:
    """The address of the server, that far away."""
    command = [sys.executable, "-m", "bench.network", "--proxy", str(server.server.port), "--trip", str(trip)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            yield f"redis://127.0.0.1:{int(process.stdout.readline())}/0"
        finally:
            stop(process)


def _round(server: Measured, node: Child) -> list[float]:
    """Puts and messages a second, reads of the server for one message, and ms of a take and of a judged operation."""
    put = node.do("put", PUTS)
    node.do("put", DEEP)
    _warm(node)
    before = server.ran()
    sent = node.do("send", SECONDS)
    many = sent["done"]["sent"]
    reads = server.ran().since(before).reads / many
    node.do("rest")
    take, judged = node.do("idle_takes", ALONE), node.do("judge", ALONE)
    return [
        PUTS / put["seconds"],
        many / sent["seconds"],
        reads,
        take["seconds"] * 1000 / ALONE,
        judged["seconds"] * 1000 / ALONE,
    ]


def _warm(node: Child) -> None:
    """Until its sessions are open: each of those is judged, and far away that takes seconds."""
    for _ in range(WARMS):
        if node.do("send", 1.0)["done"]["sent"] >= ENOUGH:
            return


def measure(folder: Path, *, rounds: int) -> list[str]:
    """A row for each way; rounds of all of them alternate."""
    found: dict[str, list[list[float]]] = {}
    with ExitStack() as stack:
        server, doubled = stack.enter_context(redis_server()), stack.enter_context(redis_server(replicas=1))
        ways = {"none": (server, server.address), "none, one replica": (doubled, doubled.address)}
        for trip in TRIPS:
            ways[f"{trip:g} ms"] = server, stack.enter_context(distant(server, trip))
        nodes: dict[str, tuple[Measured, Child]] = {}
        for way, (where, address) in ways.items():
            [node] = stack.enter_context(children(address, folder / way, 1))
            nodes[way] = where, node
        for _ in range(rounds):
            for way, (where, node) in nodes.items():
                found.setdefault(way, []).append(_round(where, node))
    rows = []
    for way, each in found.items():
        put, sent, reads, take, judged = (statistics.median(values) for values in zip(*each, strict=True))
        rows.append(f"| {way} | {put:,.0f} | {sent:,.0f} | {reads:.2f} | {take:.2f} ms | {judged:.2f} ms |")
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--proxy", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--trip", type=float, default=0.0, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.proxy:
        serve(chosen.proxy, chosen.trip)
    with tempfile.TemporaryDirectory(prefix="relay-bench-") as name:
        rows = measure(Path(name), rounds=chosen.rounds)
        print("| on the way | put/s | take + gate + settle/s | reads of Redis for one | a take | a judged operation |")
        print("|---|---|---|---|---|---|", *rows, sep="\n")
        print(f"\nfdatasync {fsync_ms(Path(name)):.2f} ms; load average {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
