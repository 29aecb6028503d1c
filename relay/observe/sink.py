"""Where log lines go: a file descriptor that is written by one worker, a batch at a time.

Law: a reader that does not read never holds up mail; lines beyond the bound are lost and their number is said.
Calls come from one thread; only the writing itself happens on the worker.
"""

from collections.abc import Callable
from concurrent.futures import Executor, Future, wait

MOST_WAITING: int = 8_000_000
"""Characters kept while nobody reads stderr: some 40,000 lines, which is minutes of a busy relay."""

LOST = '{{"event":"lines_lost","id":null,"lines":{lost}}}\n'

Write = Callable[[bytes], object]
"""Writes everything, or raises OSError."""

Later = Callable[[Callable[[], None]], object]
"""Calls back soon, from the thread that made the call: what arrives until then is written together."""


class LineSink:
    """Takes lines at the price of a list append and hands them to the worker in batches."""

    def __init__(self, write: Write, executor: Executor, later: Later, *, most: int = MOST_WAITING) -> None:
        self._write = write
        self._executor = executor
        self._later = later
        self._most = most
        self._lines: list[str] = []
        self._size = 0
        self._lost = 0
        self._is_due = False
        self._is_closed = False
        self._writing: Future[None] | None = None

    def __call__(self, line: str) -> None:
        """Takes one line that ends in a newline."""
        if self._size > self._most:
            self._lost += 1
            return
        self._lines.append(line)
        self._size += len(line)
        if self._is_closed:
            self._put(self._batch())
        elif not self._is_due:
            self._is_due = True
            self._later(self._flush)

    def close(self, timeout: float) -> None:
        """Writes what is left, within `timeout` seconds; later lines are written at once."""
        self._is_closed = True
        if self._writing is not None:
            wait([self._writing], timeout)
        if self._writing is not None and not self._writing.done():
            return
        try:
            self._executor.submit(self._put, self._batch()).result(timeout)
        except TimeoutError:
            return  # nobody reads, and the process must be able to end

    def _flush(self) -> None:
        if self._is_closed:
            return
        if self._writing is not None and not self._writing.done():
            self._later(self._flush)
            return
        self._is_due = False
        self._writing = self._executor.submit(self._put, self._batch())

    def _batch(self) -> bytes:
        text = "".join(self._lines)
        if self._lost:
            text += LOST.format(lost=self._lost)
        self._lines, self._size, self._lost = [], 0, 0
        return text.encode(errors="backslashreplace")

    def _put(self, batch: bytes) -> None:
        try:
            self._write(batch)
        except OSError:
            return  # stderr was closed by whoever started us: there is no other place to say anything
