"""What a scrape of /metrics costs with many accounts and a deep queue: `python -m bench.scrape --queued 1000000`.

Printed: how long one takes, how late the event loop is meanwhile (what mail feels of it), and how long it is shown.
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench.store import Flow, open_at, routing
from relay.app.machine import MachineClock
from relay.app.scraping import Scrape
from relay.observe import Metrics, NodeState
from relay.store.alone import LoneNode

TICK = 0.001
ROUNDS = 5


class Lag:
    """How late a timer of a millisecond comes at worst."""

    def __init__(self) -> None:
        self.worst = 0.0

    async def run(self) -> None:
        while True:
            before = time.perf_counter()
            await asyncio.sleep(TICK)
            self.worst = max(self.worst, time.perf_counter() - before - TICK)


async def scrapes(folder: Path, *, accounts: int, queued: int, say: Callable[[str], None]) -> None:
    """Fills a store, and scrapes it."""
    opened = open_at(folder)
    made = routing(accounts)
    await opened.store.apply(made, dict.fromkeys(made.mailboxes(), "bench"))
    began = time.perf_counter()
    await Flow(opened.store, 200, list(made.accounts)).put_many(queued, 400)
    say(f"{accounts} accounts, {queued} queued in {time.perf_counter() - began:.0f} s")
    metrics = Metrics("bench")
    metrics.routing_applied(made, 0.0)

    async def look() -> NodeState:
        return NodeState()

    alone = LoneNode(MachineClock().wall)
    took, lags, size = [], [], 0
    for _ in range(ROUNDS):
        lag = Lag()
        watching = asyncio.create_task(lag.run())
        began = time.perf_counter()
        size = len(await Scrape(metrics, opened.store, time.perf_counter, look=look, nodes=alone)())
        took.append(time.perf_counter() - began)
        watching.cancel()
        lags.append(lag.worst)
    say(f"a scrape that counts: median {statistics.median(took) * 1000:.0f} ms, worst {max(took) * 1000:.0f} ms")
    say(f"loop lag meanwhile:   median {statistics.median(lags) * 1000:.0f} ms, worst {max(lags) * 1000:.0f} ms")
    scrape = Scrape(metrics, opened.store, time.perf_counter, look=look, nodes=alone)
    await scrape()
    began = time.perf_counter()
    await scrape()
    say(f"a scrape soon after:  {(time.perf_counter() - began) * 1000:.0f} ms, {size} bytes")
    await opened.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=100_000)
    parser.add_argument("--queued", type=int, default=100_000)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        asyncio.run(scrapes(Path(name), accounts=chosen.accounts, queued=chosen.queued, say=print))


if __name__ == "__main__":
    main()
