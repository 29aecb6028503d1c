"""Waiting for a change: nobody polls, and nobody misses what happened between a look and the wait.

Law: `wait` returns at once if the count has moved past the mark, else when it moves, or at its time.
"""

import asyncio
from collections.abc import Callable

from relay.core.limits import SECOND, Instant

LONGEST: int = 60 * SECOND
"""The loop's clock stands still while the machine sleeps; relay time does not. So it is looked at again."""


class Bell:
    """Counts changes and wakes who waits for one."""

    def __init__(self) -> None:
        self._count = 0
        self._waiters: dict[int, asyncio.Future[None]] = {}
        self._next = 0

    def ring(self, count: int) -> None:
        """The count is this now."""
        if count == self._count:
            return
        self._count = count
        waiters, self._waiters = self._waiters, {}
        for waiter in waiters.values():
            if not waiter.done():
                waiter.set_result(None)

    async def wait(self, mark: int, until: Instant | None, now: Callable[[], Instant]) -> None:
        """Returns when the count is not `mark`, or at `until`."""
        while self._count == mark and (until is None or now() < until):
            await self._sleep(None if until is None else min(until - now(), LONGEST))

    async def _sleep(self, longest: int | None) -> None:
        waiter = asyncio.get_running_loop().create_future()
        self._next += 1
        number = self._next
        self._waiters[number] = waiter
        try:
            async with asyncio.timeout(None if longest is None else max(0, longest) / SECOND):
                await waiter
        except TimeoutError:
            return
        finally:
            self._waiters.pop(number, None)
