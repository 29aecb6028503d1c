"""The machine: its clocks, its chance, its threads and its limits, which everything below gets handed in.

Law: this is the one place that reads a clock, draws chance or makes a thread; every pool of threads is bounded.
"""

import asyncio
import ctypes
import gc
import multiprocessing
import os
import resource
import signal
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from relay.core.relaytime import Reading
from relay.store.needs import CrashPoint, never_dies

T = TypeVar("T")

randomness = os.urandom
"""As many unpredictable bytes as asked for."""

CHILDREN: int = 4
"""More would each take 50 MB for a second's work."""

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_STA_UNSYNC = 0x0040
_TIME_ERROR = 5
_PR_SET_DUMPABLE = 4


class _Timex(ctypes.Structure):
    """`struct timex` of adjtimex(2), as far as it is read; the rest is room."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("room", ctypes.c_byte * 256),
    )


class MachineClock:
    """The machine's clocks, in microseconds."""

    def __init__(self) -> None:
        self._boot_id = _BOOT_ID.read_text().strip() if _BOOT_ID.exists() else ""
        self._adjtimex = getattr(ctypes.CDLL(None, use_errno=True), "adjtimex", None)

    def reading(self) -> Reading:
        """All that the machine's clocks say."""
        return Reading(self._boot_id, self.boottime(), self.wall(), self._is_synchronised())

    def boottime(self) -> int:
        """CLOCK_BOOTTIME: runs through suspend, and no step moves it."""
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1000

    def wall(self) -> int:
        """Wall time since 1970."""
        return time.time_ns() // 1000

    def wall_seconds(self) -> float:
        """Wall time since 1970, in seconds."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds from some moment on, for measuring."""
        return time.monotonic()

    def _is_synchronised(self) -> bool:
        """What the kernel says of its own clock (adjtimex(2)); where it says nothing, it is not."""
        if self._adjtimex is None:
            return False
        timex = _Timex()
        state: int = self._adjtimex(ctypes.byref(timex))
        return 0 <= state != _TIME_ERROR and not timex.status & _STA_UNSYNC


class Threads:
    """The pools of threads, each for one kind of blocking work and each with its bound."""

    def __init__(self) -> None:
        self._pools: list[ThreadPoolExecutor] = []
        self._older = frozenset(threading.enumerate())

    def pool(self, name: str, most: int) -> Executor:
        """A pool of at most `most` threads."""
        pool = ThreadPoolExecutor(most, thread_name_prefix=name)
        self._pools.append(pool)
        return pool

    def close(self) -> None:
        """No pool takes anything more; what is under way is not waited for."""
        for pool in self._pools:
            pool.shutdown(wait=False, cancel_futures=True)

    def are_done(self, within: float) -> bool:
        """Whether every thread ends within so many seconds; one that hangs in a call must not hold up the process."""
        ends = time.monotonic() + within
        for thread in self._begun_since():
            thread.join(max(0.0, ends - time.monotonic()))
        return not self._begun_since()

    def _begun_since(self) -> list[threading.Thread]:
        """Threads that would hold up the end of the process, but for those that were there before."""
        return [thread for thread in threading.enumerate() if not thread.daemon and thread not in self._older]


def children() -> ProcessPoolExecutor:
    """Processes for work that would hold the interpreter's lock; they start clean, because threads cannot be forked."""
    return ProcessPoolExecutor(min(CHILDREN, os.cpu_count() or 1), multiprocessing.get_context("spawn"))


@dataclass(frozen=True, slots=True)
class RunIn:
    """Runs one blocking call in a pool; part of the running loop."""

    executor: Executor

    def __call__(self, work: Callable[[], T], /) -> Awaitable[T]:
        """What `work` returns or raises."""
        return asyncio.get_running_loop().run_in_executor(self.executor, work)


def raise_open_files(wanted: int) -> int:
    """Raises the limit of open files as far as allowed, at most to `wanted`; how many there may be."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    reachable = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < reachable:
        resource.setrlimit(resource.RLIMIT_NOFILE, (reachable, hard))
        return reachable
    return wanted if soft == resource.RLIM_INFINITY else soft


def keep_memory_private() -> None:
    """No core is written of this process, and no other of the same user may look into it (prctl(2), PR_SET_DUMPABLE).

    Its memory has the key, passwords and mail in it. Root may still look; elsewhere than on Linux only cores are off.
    """
    if resource.getrlimit(resource.RLIMIT_CORE) != (0, 0):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    prctl = getattr(ctypes.CDLL(None, use_errno=True), "prctl", None)
    if prctl is not None:
        prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


@contextmanager
def private_files() -> Iterator[None]:
    """What is made meanwhile is readable for the relay's own user alone."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


@contextmanager
def lasting_memory() -> Iterator[None]:
    """What is made inside is kept for good: no search for cycles looks through it, neither meanwhile nor later.

    At 100,000 accounts each such search would stop the loop for a third of a second.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.freeze()


def crash_point_of(environ: Mapping[str, str]) -> CrashPoint:
    """Where a test wants this process to die: RELAY_CRASH_AT=NAME kills it at that step, NAME:3 at its third time."""
    wanted, _, count = environ.get("RELAY_CRASH_AT", "").partition(":")
    if not wanted:
        return never_dies
    left = [int(count or 1)]

    def passed(name: str) -> None:
        if name == wanted:
            left[0] -= 1
            if not left[0]:
                os.kill(os.getpid(), signal.SIGKILL)

    return passed
