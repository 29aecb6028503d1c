"""The whole chain above a deep queue: what a million waiting messages cost the mail that passes them.

Law: two relays as they ship take turns in one run, one with a thousand messages that wait, one with a million; these
wait behind a provider that lets one a day through, so that what is measured is what passes, not what drains.
"""

import asyncio
import base64
import os
import signal
import statistics
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench import relay, store
from bench.processes import Sink, sink
from bench.ready import wait_until_ready
from bench.throughput import UNBOUND, Round, flood

DEPTHS = (1_000, 1_000_000)
ACCOUNTS = 1_000
"""The waiting messages belong to so many accounts."""

OCTETS = 200
"""Of each waiting message: the queue remembers where it is, not what it says."""

MESSAGES = 4_000
SIZE = 4_096
KEY = b"k" * 32


def measure(folder: Path, *, rounds: int) -> list[str]:
    """Rows: how many wait, messages a second, CPU, ratio to the least depth, peak memory, seconds until ready."""
    os.environ["RELAY_KEY"] = base64.b64encode(KEY).decode()
    for depth in DEPTHS:
        (folder / str(depth)).mkdir(parents=True)
        asyncio.run(_fill(folder / str(depth) / "var", depth))
    found: dict[int, list[Round]] = {depth: [] for depth in DEPTHS}
    memory: dict[int, int] = {}
    with sink() as peer, ExitStack() as stack:
        relays = {depth: stack.enter_context(_running(folder, depth, peer)) for depth in DEPTHS}
        for ours in relays.values():
            flood(ours, peer, size=SIZE, messages=MESSAGES // 10)
        for _ in range(rounds):
            for depth, ours in relays.items():
                found[depth].append(flood(ours, peer, size=SIZE, messages=MESSAGES))
        for depth, ours in relays.items():
            memory[depth] = ours.peak_memory()
            os.kill(ours.pid, signal.SIGKILL)
    with sink() as peer:
        return [_row(depth, found, memory[depth], _seconds_until_ready(folder, depth, peer)) for depth in DEPTHS]


async def _fill(data_dir: Path, many: int) -> None:
    """Real puts, into the store that the relay opens afterwards."""
    opened = store.open_at(data_dir)
    made = store.routing(ACCOUNTS)
    await opened.store.apply(made, dict.fromkeys(made.mailboxes(), "bench"))
    await store.Flow(opened.store, OCTETS, list(made.accounts)).put_many(many, min(many, 400))
    await opened.close()


@contextmanager
def _running(folder: Path, depth: int, peer: Sink) -> Iterator[relay.Relay]:
    table = relay.routing(peer.port, ["a@d.test"], **UNBOUND)
    table["providers"]["shut"] = table["providers"]["peer"] | {"total_limits": ["1/1d"]}
    waiting = {"plan": "personal", "provider": "shut", "password": "bench"}
    table["accounts"] |= dict.fromkeys(store.routing(ACCOUNTS).accounts, waiting)
    with relay.running(folder / str(depth), table) as ours:
        wait_until_ready(ours)
        yield ours


def _seconds_until_ready(folder: Path, depth: int, peer: Sink) -> float:
    """After a kill."""
    start = time.monotonic()
    with _running(folder, depth, peer):
        return time.monotonic() - start


def _row(depth: int, found: dict[int, list[Round]], memory: int, ready: float) -> str:
    speeds = [one.per_second for one in found[depth]]
    speed, cpu = statistics.median(speeds), statistics.median(one.cpu_ms for one in found[depth])
    ratio = speed / statistics.median(one.per_second for one in found[DEPTHS[0]])
    span = f"{speed:,.0f} ({min(speeds):,.0f}-{max(speeds):,.0f})"
    return f"| {depth:,} | {span} | {cpu:.2f} | {ratio:.2f} | {memory / 1e6:.0f} MB | {ready:.1f} s |"
