"""Processes under measurement: their ports, their CPU, and the ends of what the bench started.

Law: everything that is started here is stopped here, by its own id.
"""

import os
import re
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for_port(port: int, *, seconds: float = 30) -> None:
    """Returns when something listens; TimeoutError."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            if time.monotonic() > deadline:
                raise TimeoutError(f"nothing listens on port {port}") from None
            time.sleep(0.02)
        else:
            return


def cpu_seconds(pid: int) -> float:
    """User and system time of a process, with that of the children it waited for."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(int(field) for field in fields[11:15]) / _TICKS


def cpu_seconds_of_tree(pid: int) -> float:
    """The same, with all children that still run."""
    total = 0.0
    parents = _parents()
    family, todo = set(), [pid]
    while todo:
        member = todo.pop()
        family.add(member)
        todo += [child for child, parent in parents.items() if parent == member]
    for member in family:
        try:
            total += cpu_seconds(member)
        except (FileNotFoundError, ProcessLookupError):
            continue
    return total


def peak_memory(pid: int) -> int:
    """The most resident memory a process ever had, bytes."""
    status = Path(f"/proc/{pid}/status").read_text()
    match = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(match[1]) * 1024 if match else 0


def _parents() -> dict[int, int]:
    found = {}
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            try:
                text = Path(entry.path, "stat").read_text()
            except (FileNotFoundError, ProcessLookupError):
                continue
            found[int(entry.name)] = int(text.rpartition(")")[2].split()[1])
    return found


class Sink:
    """Postfix's smtp-sink: takes everything, announces AUTH, and counts."""

    def __init__(self) -> None:
        self.port = free_port()
        self._process = subprocess.Popen(
            ["smtp-sink", "-c", "-u", "root", f"127.0.0.1:{self.port}", "1024"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self._messages = 0
        self._changed = threading.Condition()
        threading.Thread(target=self._read, daemon=True).start()
        wait_for_port(self.port)

    def _read(self) -> None:
        assert self._process.stdout is not None
        tail = b""
        while chunk := os.read(self._process.stdout.fileno(), 65536):
            *lines, tail = re.split(rb"[\r\n]+", tail + chunk)
            for line in lines:
                match = re.search(rb"mesg=(\d+)", line)
                if match:
                    with self._changed:
                        self._messages = int(match[1])
                        self._changed.notify_all()

    @property
    def messages(self) -> int:
        """Accepted so far."""
        with self._changed:
            return self._messages

    def wait_for(self, messages: int, *, seconds: float) -> bool:
        """Returns when so many were accepted, or False."""
        with self._changed:
            return self._changed.wait_for(lambda: self._messages >= messages, seconds)

    def close(self) -> None:
        """Stops it."""
        stop(self._process)


@contextmanager
def sink() -> Iterator[Sink]:
    """A sink for the length of a block."""
    one = Sink()
    try:
        yield one
    finally:
        one.close()


def stop(process: "subprocess.Popen[bytes]", *, seconds: float = 15) -> None:
    """Ends a process that the bench started."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
