"""The sandbox provider as a process of its own, and its log: what arrived when, seen from the other side.

Law: every figure about limits and waits is read here, never from the relay.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.processes import stop
from relay.sandbox import read_log
from relay.sandbox.journal import Record


@dataclass(frozen=True, slots=True)
class Provider:
    """A running sandbox."""

    port: int
    log: Path

    def records(self) -> list[Record]:
        """All that it wrote down so far."""
        return read_log(self.log)

    def delivered(self, sender: str | None = None) -> list[Record]:
        """The messages it took, of one sender or of all."""
        return [r for r in self.records() if r["event"] == "delivered" and sender in (None, r["from"])]

    def wait_until(self, is_done: Callable[[list[Record]], bool], *, seconds: float) -> bool:
        """Looks at the log until it satisfies, or the time is over."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.log.exists() and is_done(self.records()):
                return True
            time.sleep(0.2)
        return False


@contextmanager
def running(folder: Path, *options: str) -> Iterator[Provider]:
    """A sandbox with these options for the length of a block."""
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "sandbox.jsonl"
    process = subprocess.Popen(
        [sys.executable, "-m", "relay.cli.sandbox", "--listen", "127.0.0.1:0", "--log", str(log), *options],
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parent.parent)},
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline().decode()
        yield Provider(int(line.rpartition(":")[2]), log)
    finally:
        stop(process)


def submit(port: int, sender: str, *, messages: int, size: int = 2000, at_once: int = 1) -> None:
    """Submits mails with smtp-source."""
    options: Sequence[str] = ["-s", str(at_once), "-m", str(messages), "-l", str(size), "-f", sender, "-t", "p@r.test"]
    subprocess.run(["smtp-source", *options, f"127.0.0.1:{port}"], check=True, timeout=300)
