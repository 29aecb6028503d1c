"""What runs in the background of a store and nobody waits for.

Law: each of them is over before the store closes; one that fails ends the process, for nobody else would hear of it.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any

from relay.errors import RelayError, StoreBroken
from relay.store.needs import Fatal


class Errands:
    """Those of one store."""

    def __init__(self, fatal: Fatal) -> None:
        self._fatal = fatal
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Runs it beside everything else."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._over)

    async def finish(self) -> None:
        """Waits until all are over, and what they started too."""
        while self._tasks:
            await asyncio.wait(list(self._tasks))

    def _over(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._fatal(error if isinstance(error, RelayError) else StoreBroken(f"the store failed: {error!r}"))
