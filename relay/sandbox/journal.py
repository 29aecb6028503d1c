"""The log of what the provider saw and did: the judge's eye.

Law: a line is in the kernel before the reply that it reports leaves, so it survives `kill -9` of the sandbox, and
nobody was ever told what the log does not know.
"""

import asyncio
import json
import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NotRequired, TypedDict

Record = TypedDict(
    "Record",
    {
        "t": float,
        "m": float,
        "event": str,
        "session": int,
        "stage": str | None,
        "user": str | None,
        "from": str | None,
        "rcpt": str | None,
        "size": int | None,
        "reply": str | None,
        "id": str | None,
        "counted": NotRequired[int],
        "fault": NotRequired[str],
        "file": NotRequired[str | None],
    },
)
"""One line: `t` seconds since the epoch, `m` steady seconds of this boot, `size` bytes, `id` the header Message-ID."""

_encode = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode


@dataclass(slots=True)
class _Waiter:
    event: str
    missing: int
    where: Callable[[Record], bool]
    done: asyncio.Future[None]


class Journal:
    """Writes records to a file, keeps them where told to, and wakes whoever waits for one."""

    def __init__(self, path: Path | None, *, remember: bool) -> None:
        self.records: list[Record] = []
        self.counts: Counter[str] = Counter()
        self._remembers = remember
        self._unwritten: list[str] = []
        self._waiters: list[_Waiter] = []
        self._file = _open(path) if path else None

    def note(self, record: Record) -> None:
        """Takes a record; it is in the file after the next `flush`."""
        if self._file is not None:
            self._unwritten.append(_encode(record))
        if self._remembers:
            self.records.append(record)
        self.counts[record["event"]] += 1
        if self._waiters:
            self._wake(record)

    def flush(self) -> None:
        """Hands all records to the kernel; must come before the replies that they report."""
        if self._unwritten and self._file is not None:
            left = memoryview(("\n".join(self._unwritten) + "\n").encode())
            self._unwritten.clear()
            while left:
                left = left[os.write(self._file, left) :]

    def close(self) -> None:
        """Writes what is left and closes the file; a second call does nothing."""
        self.flush()
        if self._file is not None:
            os.close(self._file)
            self._file = None

    async def wait_for(self, event: str, count: int, where: Callable[[Record], bool]) -> None:
        """Returns once `count` records of `event` fulfil `where`, those already written included."""
        missing = count - sum(record["event"] == event and where(record) for record in self.records)
        if missing <= 0:
            return
        waiter = _Waiter(event, missing, where, asyncio.get_running_loop().create_future())
        self._waiters.append(waiter)
        try:
            await waiter.done
        finally:
            self._waiters.remove(waiter)

    def _wake(self, record: Record) -> None:
        for waiter in self._waiters:
            if waiter.event == record["event"] and waiter.where(record):
                waiter.missing -= 1
                if waiter.missing <= 0 and not waiter.done.done():
                    waiter.done.set_result(None)


def _open(path: Path) -> int:
    """Opens a log to go on behind its last whole line; half a line reports what nobody was told."""
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    os.ftruncate(file, path.read_bytes().rfind(b"\n") + 1)
    return file


def read_log(path: Path) -> list[Record]:
    """Reads a log file, also while it is being written: a last line that is not yet whole is left out."""
    whole, newline, _ = path.read_bytes().rpartition(b"\n")
    return [json.loads(line) for line in whole.split(b"\n")] if newline else []
