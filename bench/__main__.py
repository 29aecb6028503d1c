"""`make bench`: the figures of the project, side by side with Postfix where it is installed.

Law: bounded in time and count, 127.0.0.1 only, and it prints what was measured, on what, how often.
"""

import argparse
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from bench import abuse, accounts, depth, fairness, nodes, postfix, sick, throughput, windows
from bench.disk import fsync_ms


def _nodes(folder: Path, rounds: int) -> list[str]:
    return [*nodes.HEAD, *nodes.measure(folder, rounds=rounds)]


def _nodes_windows(folder: Path, _: int) -> list[str]:
    head = ["| limit | worst closed window / limit | use | burst from idle | by |", "|---|---|---|---|---|"]
    return [*head, *windows.measure_nodes(folder)]


def _redis(folder: Path, rounds: int) -> list[str]:
    found = throughput.measure(folder, size=4096, messages=3000, rounds=rounds, is_on_redis=True)
    load = f"fdatasync of 4 kB afterwards: {fsync_ms(folder):.2f} ms; load average {os.getloadavg()[0]:.1f}"
    return [*THROUGHPUT_HEAD, *throughput.report(4096, found), "", load]


THROUGHPUT_HEAD = [
    "| size | who | messages/s (range) | CPU ms per message | ratio to Postfix |",
    "|---|---|---|---|---|",
]


def _throughput(folder: Path, rounds: int) -> list[str]:
    rows = list(THROUGHPUT_HEAD)
    for size, messages in ((4096, 4000), (100_000, 1500)):
        rows += throughput.report(
            size, throughput.measure(folder / str(size), size=size, messages=messages, rounds=rounds)
        )
    return rows


def _fairness(folder: Path, _: int) -> list[str]:
    return ["| who | A has queued | B waited | A's mails before it |", "|---|---|---|---|", *fairness.measure(folder)]


def _windows(folder: Path, _: int) -> list[str]:
    head = ["| limit | worst closed window / limit | use | burst from idle |", "|---|---|---|---|"]
    return [*head, *windows.measure(folder)]


def _sick(folder: Path, rounds: int) -> list[str]:
    head = ["| what | median or result | p99 (range of rounds) |", "|---|---|---|"]
    return [*head, *sick.measure(folder, rounds=rounds)]


def _accounts(folder: Path, _: int) -> list[str]:
    return ["| 100,000 accounts | took | longest wait of a client |", "|---|---|---|", *accounts.measure(folder)]


def _abuse(folder: Path, rounds: int) -> list[str]:
    head = ["| beside the honest clients | their mails accepted a second (range) | ratio |", "|---|---|---|"]
    return [*head, *abuse.measure(folder, rounds=rounds)]


def _depth(folder: Path, rounds: int) -> list[str]:
    head = (
        "| waiting | messages/s (range) | CPU ms per message | ratio to the first | peak memory | ready after a kill |"
    )
    return [head, "|---|---|---|---|---|---|", *depth.measure(folder, rounds=rounds)]


BENCHES: dict[str, tuple[str, Callable[[Path, int], list[str]]]] = {
    "throughput": ("Accepted durable to delivered, 40 clients, a connection per mail, upstream AUTH", _throughput),
    "windows": ("Worst rolling window under a flood, judged by the provider's log", _windows),
    "sick": ("Others at a provider while one doctor has a wrong password", _sick),
    "accounts": ("100,000 accounts in a folder of 100 files", _accounts),
    "depth": ("The same above a deep queue", _depth),
    "abuse": ("Honest clients while strangers hold connections or do their worst", _abuse),
    "nodes": ("Take, gate and settle by 1, 2 and 4 nodes on one Redis, without SMTP", _nodes),
    "redis": ("The whole chain with the store on Redis", _redis),
    "nodes-windows": ("Worst rolling window of four flooded nodes on one Redis, by the provider's log", _nodes_windows),
    "fairness": ("One mail of doctor B behind doctor A, 1 mail/s through one provider", _fairness),
}


def main() -> int:
    """Runs what was asked for and prints tables in Markdown."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("which", nargs="*", help="default: all")
    parser.add_argument("--rounds", type=int, default=3, help="alternating rounds (default 3)")
    options = parser.parse_args()
    if shutil.which("smtp-source") is None:
        print("smtp-source is not installed; `make tools` installs Postfix's test programs", file=sys.stderr)
        return 1
    folder = Path(tempfile.mkdtemp(prefix="relay-bench-"))
    try:
        print(f"{os.cpu_count()} cores, Python {platform.python_version()}, {platform.system()} {platform.release()}")
        print(f"fdatasync of 4 kB: {fsync_ms(folder):.2f} ms; Postfix: {'yes' if postfix.is_installed() else 'no'}\n")
        for name in options.which or BENCHES:
            title, bench = BENCHES[name]
            print(f"## {title}", flush=True)
            print("\n".join(bench(folder / name, options.rounds)), end="\n\n", flush=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
