"""The worst closed rolling window against its limit under a flood, and how much of the limit is used.

Law: the provider's log is the only witness; a window is closed, and everything tried counts.
"""

import time
from dataclasses import dataclass
from pathlib import Path

from bench import provider, relay
from relay.sandbox import judge

SENDER = "a@d.test"


@dataclass(frozen=True, slots=True)
class Window:
    """One limit, as configured and as judged."""

    count: int
    seconds: float

    def __str__(self) -> str:
        return f"{self.count}/{self.seconds:g}s"


def measure(folder: Path, *, seconds: float = 40) -> list[str]:
    """Rows: limit, worst closed window / limit, use of the limit while mail was queued, time of the first burst."""
    windows = (Window(20, 2), Window(60, 10))
    with provider.running(folder / "p") as peer:
        table = relay.routing(peer.port, [SENDER], limits=[str(window) for window in windows], connections=4)
        with relay.running(folder / "relay", table) as ours:
            provider.submit(ours.port, SENDER, messages=int(6.5 * seconds) + 100, at_once=20)
            time.sleep(seconds)
        instants = judge.sent(peer.records())[SENDER]
    return [_row(window, instants) for window in windows]


def _row(window: Window, instants: list[float]) -> str:
    worst = judge.worst_window(instants, window.seconds)
    whole = int((instants[-1] - instants[0]) // 10) * 10
    inside = sum(1 for instant in instants if instant < instants[0] + whole)
    use = inside / (6 * whole)
    burst = instants[min(window.count, 20) - 1] - instants[0]
    return f"| {window} | {worst / window.count:.2f} | {use:.3f} (of 60/10s) | first 20 in {burst:.2f} s |"
