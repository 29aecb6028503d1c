"""The tasks that must not end while the service runs.

Law: one that ends ends the service: with a clear line and a non-zero exit rather than going on half.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any

from relay.errors import RelayError
from relay.observe import Log, where


class Supervisor:
    """Runs services until one of them ends or somebody asks for the end."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._tasks: dict[asyncio.Task[None], str] = {}
        self._is_over = asyncio.Event()
        self._cause: str | None = None
        self.failure: str | None = None
        """What died, and how; None: nothing did."""

    def start(self, what: str, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        """Starts a service that runs until it is told to stop."""
        task = asyncio.create_task(work, name=what)
        self._tasks[task] = what
        task.add_done_callback(self._ended)
        return task

    def fail(self, what: str, error: BaseException) -> None:
        """Something without a task of its own cannot go on."""
        if self.failure is None:
            text = str(error) if isinstance(error, RelayError) else where(error)
            self.failure = f"{what}: {text}"
            self._log.failed(what=what, error=error)
        self.end(self.failure)

    def end(self, cause: str) -> None:
        """The service is over, for this cause; the first one counts."""
        if self._cause is None:
            self._cause = cause
        self._is_over.set()

    @property
    def is_over(self) -> bool:
        """Whether somebody asked for the end, or something died."""
        return self._is_over.is_set()

    async def until_over(self) -> str:
        """Waits for the end; its cause."""
        await self._is_over.wait()
        assert self._cause is not None
        return self._cause

    async def cancel(self, what: str) -> None:
        """Ends a service that runs until it is cancelled; harmless when it is not there."""
        tasks = [task for task, name in self._tasks.items() if name == what]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    async def until_done(self, what: str, within: float) -> None:
        """Waits for a service that was told to stop; one that takes longer than so many seconds is cancelled."""
        tasks = [task for task, name in self._tasks.items() if name == what]
        if tasks:
            await asyncio.wait(tasks, timeout=within)
        await self.cancel(what)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        what = self._tasks.pop(task)
        if task.cancelled() or self._is_over.is_set():
            self._look_at(task, what)
        elif (error := task.exception()) is not None:
            self.fail(what, error)
        else:
            self.fail(what, RelayError("it ended by itself"))

    def _look_at(self, task: "asyncio.Task[None]", what: str) -> None:
        """A task that fails while everything stops is said, and changes nothing any more."""
        if not task.cancelled() and (error := task.exception()) is not None:
            self._log.failed(what=what, error=error)
