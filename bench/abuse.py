"""Honest clients while strangers hold 10,000 connections or do their worst: mails accepted a second, and memory.

Law: rounds without and with an attack alternate in one run, and what is compared is their ratio; attackers are a
process of their own, on the same two cores.
"""

import argparse
import asyncio
import smtplib
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench import relay
from bench.processes import free_port
from tests.misfortune.attackers import Attackers, allow_many_files

ROOM = 12_000
"""Connections that the relay has room for."""
IDLE = 10_000
EACH = 90
"""Connections of one address: less than `max_connections_per_ip`."""
CLIENTS = 4
SECONDS = 4.0
MESSAGE = b"From: a@d.test\r\nTo: p@x.test\r\nSubject: Ricetta\r\n\r\n" + b"x" * 76 * 52 + b"\r\n"

QUIET, HELD, WORST = (
    "nobody else",
    f"{IDLE} idle connections",
    "drip, endless lines, deaf, guesses, knocks, all at once",
)


def measure(folder: Path, *, rounds: int) -> list[str]:
    """Rows: mails a second without and with each attack, and the memory of an idle connection."""
    rates: dict[str, list[float]] = {QUIET: [], HELD: [], WORST: []}
    idle_bytes: list[float] = []
    peak = 0
    for number in range(rounds):
        for attack, found in rates.items():
            with _relay(folder / f"{number}-{len(attack)}") as ours:
                before = _resident(ours.pid)
                with _attack(attack, ours.port):
                    if attack == HELD:
                        idle_bytes.append((_resident(ours.pid) - before) / IDLE)
                    found.append(_honest(ours.port))
                peak = max(peak, ours.peak_memory())
    quiet = statistics.median(rates[QUIET])
    rows = [
        f"| {attack} | {statistics.median(found):.0f} ({min(found):.0f}-{max(found):.0f}) "
        f"| {statistics.median(found) / quiet:.2f} |"
        for attack, found in rates.items()
    ]
    memory = f"{statistics.median(idle_bytes) / 1000:.1f} kB for each idle connection; {peak / 1e6:.0f} MB at most"
    return [*rows, f"| memory | {memory} | |"]


@contextmanager
def _relay(folder: Path) -> Iterator[relay.Relay]:
    table = relay.routing(free_port(), ["a@d.test"])  # nobody listens there: what is accepted stays queued
    table["clients"] = {"bench": {"password": "bench", "may_send_as": ["*@d.test"]}}
    with relay.running(folder, table, submission={"max_connections": ROOM, "max_connections_per_ip": 100}) as ours:
        yield ours


@contextmanager
def _attack(name: str, port: int) -> Iterator[None]:
    """Runs attackers in a process of their own; returns when they have begun."""
    if name == QUIET:
        yield
        return
    kind = "idle" if name == HELD else "worst"
    command = [sys.executable, "-m", "bench.abuse", kind, str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"begun\n"
            yield
        finally:
            process.terminate()


def _honest(port: int) -> float:
    """Mails accepted a second: each over a connection of its own, with a login."""
    ends = time.monotonic() + SECONDS
    counts = [0] * CLIENTS
    threads = [threading.Thread(target=_client, args=(port, ends, counts, place)) for place in range(CLIENTS)]
    start = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / (time.monotonic() - start)


def _client(port: int, ends: float, counts: list[int], place: int) -> None:
    while time.monotonic() < ends:
        try:
            with smtplib.SMTP("127.0.0.1", port, local_hostname="pc", timeout=30) as client:
                client.login("bench", "bench")
                client.sendmail("a@d.test", ["p@x.test"], MESSAGE)
            counts[place] += 1
        except smtplib.SMTPResponseException as refused:
            if refused.smtp_code not in {421, 454}:
                raise


def _resident(pid: int) -> int:
    """Bytes of memory that a process has now."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) * 1024


async def _attackers(kind: str, port: int) -> None:
    allow_many_files(2 * IDLE)
    attackers = Attackers(port)
    begin = asyncio.get_running_loop().create_task
    if kind == "idle":
        tasks = [begin(attackers.hold("idle", attackers.idle, many=IDLE, each=EACH))]
        await attackers.until("idle", IDLE)
    else:
        several = {"drip": (attackers.drip, 200), "endless": (attackers.endless, 5), "deaf": (attackers.deaf, 20)}
        several |= {"guess": (attackers.guess, 20), "knock": (attackers.knock, 50)}
        tasks = [begin(attackers.hold(name, act, many=many, each=10)) for name, (act, many) in several.items()]
        for name, (_, many) in several.items():
            await attackers.until(name, many)
    print("begun", flush=True)
    await asyncio.gather(*tasks)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Attacks a port of 127.0.0.1 until it is stopped.")
    parser.add_argument("kind", choices=("idle", "worst"))
    parser.add_argument("port", type=int)
    chosen = parser.parse_args()
    asyncio.run(_attackers(chosen.kind, chosen.port))
