"""A Redis with many accounts and a deep queue: its memory for each, what passes at that depth, starts and edits.

Law: every octet is read from the server (`used_memory_dataset`), every pause from its own log of slow commands. Filling
is done without fsync, measuring with it; what passes is measured in turns at a deep server and at one without depth.
Run: python -m bench.deep [--accounts N] [--queued N] [--size N] [--rounds N] [--ask]
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from bench.disk import fsync_ms
from bench.nodes import Child, all_do
from bench.processes import peak_memory, stop
from bench.server import Measured, redis_server

BODIES = (4096, 20)
MESSAGES = 5_000
"""Of which the memory of one is worked out."""

FILLING = 2
"""Nodes that hand in the depth: more than one Redis serves are no faster."""

SECONDS = 4.0
TAKES = 500
"""That find nothing, one after another."""


class Deep:
    """One server, and nodes that come and go."""

    def __init__(self, server: Measured, folder: Path, stack: ExitStack, *, accounts: int) -> None:
        self.server = server
        self._folder = folder
        self._stack = stack
        self._accounts = accounts
        self._count = 0

    def node(self, *, size: int, accounts: int | None = None) -> Child:
        """Another one."""
        self._count += 1
        shut = self._accounts if accounts is None else accounts
        made = Child(self.server.address, self._folder / f"n{self._count}", size=size, shut=shut)
        self._stack.callback(stop, made.process)
        return made

    def octets_each(self, many: int, node: Child, *words: object) -> float:
        """By how much the server grew for each of so many."""
        before = self.server.memory()
        node.do(*words)
        return (self.server.memory() - before) / many

    def slowly(self, node: Child, *words: object) -> tuple[float, float]:
        """Seconds that it took, and the longest that the server did nothing else, milliseconds."""
        self.server.forget_slow()
        seconds = node.do(*words)["seconds"]
        return seconds, self.server.slowest_ms()

    def passing(self, node: Child) -> tuple[float, float, float]:
        """Messages a second that pass, CPU of the server for one (ms), and for a take that finds nothing (ms)."""
        node.do("put", MESSAGES * 3)
        node.do("send", 1.5)
        before = self.server.ran()
        said = node.do("send", SECONDS)
        sent = said["done"]["sent"]
        each = self.server.ran().since(before).cpu / sent * 1000
        node.do("rest")
        before = self.server.ran()
        node.do("idle_takes", TAKES)
        return sent / said["seconds"], each, self.server.ran().since(before).script_seconds / TAKES * 1000


def memory_of_messages(deep: Deep) -> list[str]:
    """Rows: octets of a message that waits, and of one that was delivered and is history."""
    rows = []
    for size in BODIES:
        node = deep.node(size=size, accounts=0)
        node.do("apply")
        waiting = deep.octets_each(MESSAGES, node, "put", MESSAGES)
        before, sent = deep.server.memory(), 0
        while sent < MESSAGES:
            sent += node.do("send", 1.0)["done"]["sent"]
        kept = waiting + (deep.server.memory() - before) / MESSAGES
        node.do("rest")
        rows += [
            f"| a message of {size:,} B that waits | {waiting:,.0f} B |",
            f"| the same, delivered | {kept:,.0f} B |",
        ]
    return rows


def measure(folder: Path, *, accounts: int, queued: int, size: int, rounds: int, is_asked: bool) -> list[str]:
    """All of it, as rows; `is_asked` waits for a line of input between filling and measuring."""
    with ExitStack() as stack:
        few = Deep(stack.enter_context(redis_server()), folder / "few", stack, accounts=0)
        deep = Deep(stack.enter_context(redis_server()), folder / "deep", stack, accounts=accounts)
        rows = memory_of_messages(few)
        shallow, node = few.node(size=size), deep.node(size=size)
        shallow.do("apply")
        rows += fill(deep, node, accounts=accounts, queued=queued)
        if is_asked:
            print("filled; measuring begins with the next line of input", flush=True)
            sys.stdin.readline()
        found: dict[str, list[tuple[float, float, float]]] = {"few": [], "deep": []}
        for _ in range(rounds):
            found["few"].append(few.passing(shallow))
            found["deep"].append(deep.passing(node))
        again = deep.node(size=size)
        edits = [deep.slowly(node, "edit", number) for number in range(rounds)]
        known = deep.slowly(again, "know")
        peak = max(peak_memory(each.process.pid) for each in (node, again))
        rows += [
            f"| an edit of one account | {_slow(*_median(edits))} |",
            f"| another node starts | {again.opened:.2f} s; knows the routing after {_slow(*known)} |",
            f"| memory of a node at most | {peak / 1e6:.0f} MB |",
            *_passing(found),
            *_of_files(deep.server),
        ]
    return rows


def fill(deep: Deep, node: Child, *, accounts: int, queued: int) -> list[str]:
    """Rows: the first routing, and the depth, handed in by several nodes without fsync."""
    before = deep.server.memory()
    first = deep.slowly(node, "apply")
    rows = [
        f"| an account known to the routing | {(deep.server.memory() - before) / accounts:,.0f} B |",
        f"| first routing of {accounts:,} accounts | {_slow(*first)} |",
    ]
    nodes = [node, *(deep.node(size=node.size) for _ in range(FILLING - 1))]
    for other in nodes[1:]:
        other.do("know")
    deep.server.client.config_set("appendfsync", "no")
    deep.server.forget_slow()
    seconds = max(each["seconds"] for each in all_do(nodes, "fill", queued // FILLING))
    worst = deep.server.slowest_ms()
    deep.server.client.config_set("appendfsync", "always")
    for other in nodes[1:]:
        stop(other.process)
    return [
        *rows,
        f"| putting {queued:,} of {node.size:,} B, no fsync | {queued / seconds:,.0f}/s; {_slow(seconds, worst)} |",
        f"| all of it | {deep.server.memory() / 1e9:.2f} GB |",
    ]


def _of_files(server: Measured) -> list[str]:
    """What writing the append-only file anew costs, and how long a start from it takes."""
    before, client = time.monotonic(), server.client
    client.bgrewriteaof()
    while _persistence(server)["aof_rewrite_in_progress"] or _persistence(server)["aof_rewrite_scheduled"]:
        time.sleep(0.05)
    wrote = time.monotonic() - before
    stats: Any = client.info("stats")
    size = _persistence(server)["aof_current_size"]
    before = time.monotonic()
    server.server.restart()
    fork = stats["latest_fork_usec"] / 1000
    return [
        f"| the append-only file written anew | {wrote:.1f} s, {size / 1e9:.2f} GB; stops Redis for {fork:.0f} ms |",
        f"| Redis restarted | answers after {time.monotonic() - before:.1f} s |",
    ]


def _persistence(server: Measured) -> dict[str, Any]:
    found: dict[str, Any] = server.client.info("persistence")
    return found


def _median(found: Sequence[tuple[float, float]]) -> tuple[float, float]:
    return statistics.median(each[0] for each in found), max(each[1] for each in found)


def _slow(seconds: float, worst: float) -> str:
    return f"{seconds:.2f} s, Redis does nothing else for {worst:.0f} ms at most"


def _passing(found: dict[str, list[tuple[float, float, float]]]) -> list[str]:
    few, deep = ([statistics.median(each) for each in zip(*found[which], strict=True)] for which in ("few", "deep"))
    what: Any = ("messages/s through one node", "CPU of Redis for one message, ms", "a take that finds nothing, ms")
    return [
        f"| {name}: nothing waits, then all of it | {one:,.2f}, {other:,.2f}; ratio {other / one:.2f} |"
        for name, one, other in zip(what, few, deep, strict=True)
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=100_000)
    parser.add_argument("--queued", type=int, default=200_000)
    parser.add_argument("--size", type=int, default=4096)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--ask", action="store_true", help="fill, then wait for a line of input before measuring")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="relay-bench-") as name:
        folder = Path(name)
        print(f"fdatasync {fsync_ms(folder):.2f} ms; load average {os.getloadavg()[0]:.1f}")
        print(f"{chosen.accounts:,} accounts, {chosen.queued:,} queued\n\n| what | result |\n|---|---|", flush=True)
        rows = measure(
            folder,
            accounts=chosen.accounts,
            queued=chosen.queued,
            size=chosen.size,
            rounds=chosen.rounds,
            is_asked=chosen.ask,
        )
        print("\n".join(rows))
        print(f"\nfdatasync {fsync_ms(folder):.2f} ms; load average {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
