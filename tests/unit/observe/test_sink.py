"""Where log lines go: nobody waits for a slow reader, and what is lost is said."""

import threading
from concurrent.futures import Executor, Future, ThreadPoolExecutor

import pytest

from relay.observe import LineSink


class Worker(Executor):
    """An executor that works when it is told to."""

    def __init__(self):
        self.work = []

    def submit(self, fn, /, *args, **kwargs):
        future: Future = Future()
        self.work.append((future, lambda: fn(*args, **kwargs)))
        return future

    def run(self):
        while self.work:
            future, call = self.work.pop(0)
            future.set_result(call())


class World:
    def __init__(self, most=1000):
        self.written: list[bytes] = []
        self.later: list = []
        self.worker = Worker()
        self.sink = LineSink(self.written.append, self.worker, self.later.append, most=most)

    def turn(self):
        """One turn of the loop."""
        calls, self.later[:] = list(self.later), []
        for call in calls:
            call()


@pytest.fixture
def world():
    return World()


def test_lines_that_come_together_are_written_together_and_in_order(world):
    for line in ("a\n", "b\n", "c\n"):
        world.sink(line)
    assert len(world.later) == 1
    world.turn()
    world.worker.run()
    assert world.written == [b"a\nb\nc\n"]


def test_nothing_is_written_where_the_line_was_said(world):
    world.sink("a\n")
    world.turn()
    assert world.written == []


def test_a_slow_reader_delays_only_the_log(world):
    world.sink("a\n")
    world.turn()
    world.sink("b\n")
    world.turn()
    world.sink("c\n")
    assert len(world.worker.work) == 1, "one batch at a time"
    world.worker.run()
    world.turn()
    world.worker.run()
    assert world.written == [b"a\n", b"b\nc\n"]


def test_lines_beyond_the_bound_are_lost_and_counted():
    world = World(most=10)
    for number in range(5):
        world.sink(f"line {number}\n")
    world.turn()
    world.worker.run()
    assert world.written == [b'line 0\nline 1\n{"event":"lines_lost","id":null,"lines":3}\n']
    world.sink("again\n")
    world.turn()
    world.worker.run()
    assert world.written[-1] == b"again\n"


def test_a_line_that_is_no_text_does_not_stop_the_log(world):
    world.sink("\udce8\n")
    world.turn()
    world.worker.run()
    assert world.written == [b"\\udce8\n"]


def test_closing_writes_what_is_left():
    written: list[bytes] = []
    later: list = []
    with ThreadPoolExecutor(1) as executor:
        sink = LineSink(written.append, executor, later.append)
        sink("a\n")
        sink.close(60)
        assert written == [b"a\n"]
        sink("b\n")
        assert written == [b"a\n", b"b\n"]
        for call in later:
            call()
        assert written == [b"a\n", b"b\n"]


def test_closing_does_not_wait_for_a_reader_that_never_reads():
    read = threading.Event()
    later: list = []

    def write(batch):
        read.wait()

    with ThreadPoolExecutor(1) as executor:
        sink = LineSink(write, executor, later.append)
        sink("a\n")
        sink.close(0.01)
        later.pop()()
        sink.close(0.01)
        read.set()


def test_a_closed_stderr_stops_nothing():
    def write(batch):
        raise BrokenPipeError

    later: list = []
    with ThreadPoolExecutor(1) as executor:
        sink = LineSink(write, executor, later.append)
        sink("a\n")
        later.pop()()
        sink.close(60)
