"""The machine: clocks that tell what the limiter relies on, pools that are bounded, threads that hold up nothing."""

import asyncio
import os
import resource
import signal
import subprocess
import sys
import threading

import pytest

from relay.app.machine import MachineClock, RunIn, Threads, crash_point_of, private_files, raise_open_files

PATIENCE = 60.0
"""Seconds that a thread may need to end on a machine that has much else to do."""


def test_boottime_never_goes_back_and_wall_time_is_of_this_century():
    clock = MachineClock()
    before, reading, after = clock.boottime(), clock.reading(), clock.boottime()
    assert before <= reading.boottime <= after
    assert reading.wall > 1_750_000_000_000_000
    assert reading.boot_id


def test_a_kernel_that_says_nothing_of_its_clock_has_no_synchronised_one(monkeypatch):
    clock = MachineClock()
    monkeypatch.setattr(clock, "_adjtimex", None)
    assert clock.reading().is_synchronised is False


@pytest.mark.parametrize(
    ("state", "status", "synchronised"), [(0, 0, True), (0, 0x40, False), (5, 0, False), (-1, 0, False)]
)
def test_the_kernel_says_whether_its_clock_is_synchronised(monkeypatch, state, status, synchronised):
    clock = MachineClock()

    def adjtimex(timex):
        timex._obj.status = status
        return state

    monkeypatch.setattr(clock, "_adjtimex", adjtimex)
    assert clock.reading().is_synchronised is synchronised


async def test_blocking_work_runs_beside_the_loop_and_its_error_comes_back():
    threads = Threads()
    run = RunIn(threads.pool("test", 1))
    assert await run(threading.current_thread) is not threading.current_thread()
    with pytest.raises(ZeroDivisionError):
        await run(lambda: 1 // 0)
    threads.close()
    assert threads.are_done(PATIENCE)


async def test_a_pool_never_has_more_threads_than_its_bound():
    threads, release = Threads(), threading.Event()
    run = RunIn(threads.pool("bounded", 2))
    work = [asyncio.ensure_future(run(release.wait)) for _ in range(6)]
    await asyncio.sleep(0)
    assert sum(thread.name.startswith("bounded") for thread in threading.enumerate()) <= 2
    release.set()
    await asyncio.gather(*work)
    threads.close()
    assert threads.are_done(PATIENCE)


def test_a_thread_that_hangs_is_not_waited_for():
    threads, release = Threads(), threading.Event()
    threads.pool("hangs", 1).submit(release.wait)
    threads.close()
    assert threads.are_done(0.01) is False
    release.set()
    assert threads.are_done(PATIENCE) is True


def test_the_limit_of_open_files_is_raised_as_far_as_allowed_and_never_lowered():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
        assert raise_open_files(512) == 512
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == 512
        assert raise_open_files(300) == 512
        assert raise_open_files(2**40) <= 2**40
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_what_is_made_meanwhile_is_private(tmp_path):
    before = os.umask(0o022)
    try:
        with private_files():
            (tmp_path / "inside").write_text("x")
        (tmp_path / "outside").write_text("x")
    finally:
        os.umask(before)
    assert (tmp_path / "inside").stat().st_mode & 0o077 == 0
    assert (tmp_path / "outside").stat().st_mode & 0o077 != 0


def test_a_test_chooses_where_the_process_dies(monkeypatch):
    killed = []
    monkeypatch.setattr("os.kill", lambda pid, how: killed.append(how))
    passed = crash_point_of({"RELAY_CRASH_AT": "after-commit:2"})
    for name in ("before-commit", "after-commit", "before-commit"):
        passed(name)
    assert killed == []
    passed("after-commit")
    passed("after-commit")
    assert killed == [signal.SIGKILL]


def test_without_a_wish_the_process_dies_nowhere(monkeypatch):
    monkeypatch.setattr("os.kill", lambda pid, how: pytest.fail("died"))
    crash_point_of({})("after-commit")


def test_a_relay_leaves_no_core_and_lets_nobody_look_into_it():
    """In a process of its own, because there is no way back."""
    script = (
        "import ctypes, resource; from relay.app.machine import keep_memory_private as keep;"
        "keep(); keep(); print(resource.getrlimit(resource.RLIMIT_CORE), ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=PATIENCE, check=True)
    assert done.stdout == "(0, 0) 0\n"
