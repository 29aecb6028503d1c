"""Take, gate and settle by 1, 2 and 4 nodes on one Redis, beside one node on SQLite; no SMTP, nodes in processes.

Law: one real server with `appendfsync always`; rounds of all kinds alternate in one run, and what is compared is their
ratio. All processes share the machine's cores, and the table says how many those are.
"""

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.disk import fsync_ms
from bench.processes import stop
from bench.server import Measured, Ran, redis_server

COUNTS = (1, 2, 4)
SIZE = 4096
SECONDS = 2.0
"""Of one round of taking, gating and settling; half of it on SQLite, where more is sent in it."""

PUTS = 2000
"""Messages of one round of putting, over all its nodes."""

WARM = 1.0
"""Seconds in which sessions are opened, before the clock runs."""

DEEP = 40_000
DEEP_ALONE = 40_000
"""Messages put before each round, so that no node runs dry."""

ALONE = "SQLite, 1 node"
PUT, SEND, GREY = "put", "take + gate + settle", "the same, greylisted (judged; one round)"


class Child:
    """A node in a process of its own."""

    def __init__(self, address: str, folder: Path, *, size: int = SIZE, shut: int = 0) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.size = size
        self.process = subprocess.Popen(
            [sys.executable, "-m", "bench.node", address, str(folder), str(size), str(shut)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parent.parent)},
        )  # fmt: skip
        self.opened: float = self.said()["opened"]

    def tell(self, *words: object) -> None:
        """Begins something."""
        assert self.process.stdin is not None
        self.process.stdin.write(" ".join(map(str, words)).encode() + b"\n")
        self.process.stdin.flush()

    def said(self) -> dict[str, Any]:
        """What came of it. RuntimeError: it died."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"the node ended with {self.process.wait()}")
        found: dict[str, Any] = json.loads(line)
        return found

    def do(self, *words: object) -> dict[str, Any]:
        """Both."""
        self.tell(*words)
        return self.said()


def all_do(nodes: Sequence[Child], *words: object) -> list[dict[str, Any]]:
    """All at once."""
    for node in nodes:
        node.tell(*words)
    return [node.said() for node in nodes]


@contextmanager
def children(address: str, folder: Path, many: int, **options: int) -> Iterator[list[Child]]:
    """So many nodes on one store, with the bench's routing in force."""
    with ExitStack() as stack:
        nodes = []
        for number in range(many):
            nodes.append(Child(address, folder / f"node-{number}", **options))
            stack.callback(stop, nodes[-1].process)
            nodes[-1].do("know" if number else "apply")
        yield nodes


@dataclass(frozen=True, slots=True)
class Round:
    """What one round came to."""

    per_second: float
    node_ms: float
    """CPU of all nodes for one message."""
    ran: Ran | None
    """What the server did for all of them."""
    messages: int


def measure(folder: Path, *, rounds: int) -> list[str]:
    """Rows of puts and of take, gate and settle, for each number of nodes and for SQLite."""
    found: dict[tuple[str, str], list[Round]] = {}
    with ExitStack() as stack:
        server = stack.enter_context(redis_server())
        kinds: dict[str, tuple[list[Child], Measured | None]] = {}
        kinds[ALONE] = stack.enter_context(children("sqlite", folder / "sqlite", 1)), None
        nodes = stack.enter_context(children(server.address, folder / "redis", max(COUNTS)))
        kinds |= {f"Redis, {many} node{'s' * (many > 1)}": (nodes[:many], server) for many in COUNTS}
        for _ in range(rounds):
            for kind, (chosen, measured) in kinds.items():
                found.setdefault((PUT, kind), []).append(_round_of_work(chosen, measured, PUTS, "put"))
                found.setdefault((SEND, kind), []).append(_round_of_sending(chosen, measured))
        for kind, (chosen, measured) in kinds.items():  # once and last: mailboxes that are refused so often are slowed
            found[GREY, kind] = [_round_of_sending(chosen, measured, "greylisted")]
    rows = [_row(what, kind, found[what, kind], found[what, ALONE]) for what in (PUT, SEND, GREY) for kind in kinds]
    return [*rows, "", f"fdatasync of 4 kB: {fsync_ms(folder):.2f} ms; load average {os.getloadavg()[0]:.1f}"]


def _round_of_work(nodes: Sequence[Child], server: Measured | None, many: int, word: str, *options: object) -> Round:
    """So many of something, in equal parts."""
    before = server.ran() if server else None
    said = all_do(nodes, word, many // len(nodes), *options)
    return _round(said, sum(each["done"] for each in said), max(each["seconds"] for each in said), before, server)


def _round_of_sending(nodes: Sequence[Child], server: Measured | None, how: str = "delivered") -> Round:
    """Fills the queue, opens the sessions, and then lets all of them send."""
    deep = DEEP if server else DEEP_ALONE
    all_do(nodes, "put", deep // len(nodes))
    warm = all_do(nodes, "send", WARM if server else WARM / 2)
    before = server.ran() if server else None
    said = all_do(nodes, "send", SECONDS if server else SECONDS / 2, how)
    messages = sum(each["done"]["sent"] for each in said)
    if messages + sum(each["done"]["sent"] for each in warm) > deep:
        raise RuntimeError("the queue ran dry: make it deeper")
    done = _round(said, messages, max(each["seconds"] for each in said), before, server)
    all_do(nodes, "rest")
    return done


def _round(
    said: Sequence[dict[str, Any]], messages: int, seconds: float, before: Ran | None, server: Measured | None
) -> Round:
    ran = server.ran().since(before) if server and before else None
    cpu = sum(each["cpu"] for each in said)
    return Round(messages / seconds, cpu / max(messages, 1) * 1000, ran, max(messages, 1))


def _row(what: str, kind: str, rounds: Sequence[Round], base: Sequence[Round]) -> str:
    speeds = [one.per_second for one in rounds]
    ratio = statistics.median(speeds) / max(statistics.median(one.per_second for one in base), 1)
    speed = f"{statistics.median(speeds):,.0f} ({min(speeds):,.0f}-{max(speeds):,.0f})"
    cpu = statistics.median(one.node_ms for one in rounds)
    return f"| {what} | {kind} | {speed} | {ratio:.2f} | {cpu:.2f} | {_server_cells(rounds)} |"


def _server_cells(rounds: Sequence[Round]) -> str:
    """Of the server, for one message: CPU, scripts, milliseconds in scripts, commands."""
    cells = [
        (one.ran.cpu * 1000, one.ran.scripts, one.ran.script_seconds * 1000, one.ran.commands, one.messages)
        for one in rounds
        if one.ran is not None
    ]
    if not cells:
        return "- | - | -"
    cpu, scripts, inside, commands = (statistics.median(each[place] / each[4] for each in cells) for place in range(4))
    return f"{cpu:.2f} (scripts {inside:.2f}) | {scripts:.1f} | {commands:.0f}"


HEAD = [
    "| what | store | messages/s (range) | ratio | CPU of the nodes, ms | CPU of Redis, ms | scripts | commands |",
    "|---|---|---|---|---|---|---|---|",
]
