"""The worst closed rolling window against its limit under a flood, and how much of the limit is used.

Law: the provider's log is the only witness; a window is closed, and everything tried counts.
"""

import base64
import os
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import provider, relay
from bench.server import redis_server
from relay.sandbox import judge

SENDER = "a@d.test"


@dataclass(frozen=True, slots=True)
class Window:
    """One limit, as configured and as judged."""

    count: int
    seconds: float

    def __str__(self) -> str:
        return f"{self.count}/{self.seconds:g}s"


WINDOWS = (Window(20, 2), Window(60, 10))


def measure(folder: Path, *, seconds: float = 40) -> list[str]:
    """Rows: limit, worst closed window / limit, use of the limit while mail was queued, time of the first burst."""
    with provider.running(folder / "p") as peer:
        with relay.running(folder / "relay", _table(peer)) as ours:
            _flood([ours], seconds)
        instants = judge.sent(peer.records())[SENDER]
    return [_row(window, instants) for window in WINDOWS]


def measure_nodes(folder: Path, many: int = 4, *, seconds: float = 40) -> list[str]:
    """The same with so many nodes on one Redis, all of them flooded."""
    os.environ["RELAY_KEY"] = base64.b64encode(b"k" * 32).decode()
    with provider.running(folder / "p") as peer, redis_server() as redis, ExitStack() as stack:
        nodes = [
            stack.enter_context(relay.running(folder / str(number), _table(peer), store=redis.address))
            for number in range(many)
        ]
        _flood(nodes, seconds)
        instants = judge.sent(peer.records())[SENDER]
    return [f"{_row(window, instants)} {many} nodes |" for window in WINDOWS]


def _table(peer: provider.Provider) -> dict[str, Any]:
    return relay.routing(peer.port, [SENDER], limits=[str(window) for window in WINDOWS], connections=4)


def _flood(nodes: Sequence[relay.Relay], seconds: float) -> None:
    for node in nodes:
        provider.submit(node.port, SENDER, messages=(int(6.5 * seconds) + 100) // len(nodes), at_once=20)
    time.sleep(seconds)


def _row(window: Window, instants: list[float]) -> str:
    worst = judge.worst_window(instants, window.seconds)
    whole = int((instants[-1] - instants[0]) // 10) * 10
    inside = sum(1 for instant in instants if instant < instants[0] + whole)
    use = inside / (6 * whole)
    burst = instants[min(window.count, 20) - 1] - instants[0]
    return f"| {window} | {worst / window.count:.2f} | {use:.3f} (of 60/10s) | first 20 in {burst:.2f} s |"
