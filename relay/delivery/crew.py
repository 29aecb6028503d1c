"""The tasks of the dispatcher: none is forgotten, none dies silently.

Law: what escapes a task is told; if it means that the store is beyond repair, everything ends.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from relay.core.limits import SECOND
from relay.delivery.observer import Observer
from relay.errors import StoreBroken

_LAST_MOMENT: float = 1.0
"""Seconds for a cancelled task to clean up before it is cancelled again."""


class Crew:
    """Starts tasks and knows them until they are done; `on_fatal` is told once what makes going on impossible."""

    def __init__(self, observe: Observer, on_fatal: Callable[[BaseException], None]) -> None:
        self._observe = observe
        self._on_fatal = on_fatal
        self._tasks: dict[asyncio.Task[None], None] = {}

    def spawn(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        """Starts a task."""
        task = asyncio.create_task(work)
        self._tasks[task] = None
        task.add_done_callback(self._ended)
        return task

    async def until_done(self, within: int) -> None:
        """Until all are done, and those that they start, but no longer than so many microseconds.

        Not by `asyncio.timeout`: where the caller was cancelled, its end is one more cancellation in Python 3.11.2.
        """
        loop = asyncio.get_running_loop()
        ends, is_over = loop.time() + within / SECOND, False
        while self._tasks and not is_over:  # who was just started has his first turn, however little time there is
            await asyncio.wait(list(self._tasks), timeout=max(0.0, ends - loop.time()))
            is_over = loop.time() >= ends

    async def dismiss(self) -> None:
        """Cancels whatever is left, until nothing is."""
        while self._tasks:
            for task in self._tasks:
                task.cancel()
            await asyncio.wait(list(self._tasks), timeout=_LAST_MOMENT)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        del self._tasks[task]
        error = None if task.cancelled() else task.exception()
        if isinstance(error, StoreBroken) or (error is not None and not isinstance(error, Exception)):
            self._on_fatal(error)
        elif error is not None:
            self._observe.broken("task", error)
