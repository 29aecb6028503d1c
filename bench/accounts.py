"""100,000 accounts in a folder of 100 files: how long they take to load, an edit of one to be in force, and who waits.

Law: the real process; one client says NOOP all the time, and the longest that it waits for an answer is what an edit
costs everybody else.
"""

import json
import os
import smtplib
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from bench import provider, relay
from bench.ready import wait_until_ready

FILES = 100
PER_FILE = 1000
EDITS = 5
PATIENCE = 120.0
"""Seconds for anything measured here; longer is a failure."""


@dataclass
class Asking:
    """A client that says NOOP every 5 ms; `worst` is the longest wait in seconds since it was last reset."""

    port: int
    worst: float = 0.0
    _stop: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        with smtplib.SMTP("127.0.0.1", self.port, timeout=PATIENCE) as client:
            client.ehlo("bench")
            for count in range(1_000_000):
                if self._stop.wait(0.005):
                    return
                start = time.monotonic()
                client.noop()
                self.worst = max(self.worst, time.monotonic() - start)
                if count % 500 == 499:
                    client.close()
                    client.connect("127.0.0.1", self.port)
                    client.ehlo("bench")

    def stop(self) -> None:
        self._stop.set()


def measure(folder: Path) -> list[str]:
    """Rows: what, seconds, longest wait of the client meanwhile."""
    os.environ |= {"BENCH_OLD": "old", "BENCH_NEW": "new"}
    with provider.running(folder / "p") as peer:
        table = relay.routing(peer.port, [])
        routing = folder / "routing"
        _write(routing, table)
        start = time.monotonic()
        with relay.running(folder / "relay", {}, routing=str(routing)) as ours:
            wait_until_ready(ours)
            rows = [f"| load and first start | {time.monotonic() - start:.1f} s | - |"]
            asking = Asking(ours.port)
            thread = threading.Thread(target=asking.run, daemon=True)
            thread.start()
            time.sleep(1)
            rows.append(f"| nothing, for a second | - | {asking.worst * 1000:.0f} ms |")
            rows += [_edit(ours, asking, routing, count) for count in range(EDITS)]
            asking.stop()
            thread.join(PATIENCE)
            rows.append(f"| peak memory | {ours.peak_memory() / 1e6:.0f} MB | - |")
        start = time.monotonic()
        with relay.running(folder / "relay", {}, routing=str(routing)) as ours:
            wait_until_ready(ours)
            rows.append(f"| start with all of them known | {time.monotonic() - start:.1f} s | - |")
    return rows


def _write(routing: Path, table: dict[str, object]) -> None:
    routing.mkdir(parents=True)
    (routing / "00-service.yaml").write_text(json.dumps({key: table[key] for key in ("clients", "providers")}))
    for file in range(FILES):
        _write_accounts(routing, file, password="BENCH_OLD")


def _write_accounts(routing: Path, file: int, *, password: str) -> None:
    """One file, as an admin would type it; the first account's password is this environment variable."""
    names = [f"dr{file:03}.{number:04}@studio{file:03}.example" for number in range(PER_FILE)]
    lines = [f"  {name}: {{plan: personal, provider: peer, password: env:BENCH_OLD}}\n" for name in names]
    lines[0] = lines[0].replace("env:BENCH_OLD", f"env:{password}")
    path = routing / f"accounts-{file:03}.yaml"
    new = path.with_suffix(".new")
    new.write_text("accounts:\n" + "".join(lines))
    new.rename(path)


def _edit(ours: relay.Relay, asking: Asking, routing: Path, count: int) -> str:
    """One password of one account is edited; over when the relay says that the new routing is in force."""
    log = ours.folder / "relay.log"
    before = log.read_text().count("routing_applied")
    asking.worst = 0.0
    start = time.monotonic()
    _write_accounts(routing, count, password="BENCH_NEW")
    while log.read_text().count("routing_applied") == before:
        if time.monotonic() - start > PATIENCE:
            raise RuntimeError("the edit was never in force")
        time.sleep(0.01)
    passed = time.monotonic() - start
    time.sleep(0.5)
    return f"| edit {count + 1} of one account's password | {passed:.2f} s | {asking.worst * 1000:.0f} ms |"
