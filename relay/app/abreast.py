"""Whether this node works with what is in force, where other nodes may change it.

Law: who is behind takes no mail until it has taken over; the news of a change is never lost.
"""

import asyncio

from relay.errors import StaleRouting

PATIENCE: float = 1.0
"""Seconds that delivery waits for the routing of others to be taken over; then it looks whether it is to stop."""


class Abreast:
    """Knows it; behind, until it is first told otherwise."""

    def __init__(self) -> None:
        self._news = asyncio.Event()
        self._is_now = asyncio.Event()

    @property
    def is_now(self) -> bool:
        """Whether it does."""
        return self._is_now.is_set()

    def now(self) -> None:
        """It does."""
        self._is_now.set()

    def behind(self) -> None:
        """It does not: another routing is in force."""
        self._is_now.clear()
        self.wake()

    def wake(self) -> None:
        """Another node may have changed what is in force."""
        self._news.set()

    async def news(self) -> None:
        """Returns when it was woken since the last time."""
        await self._news.wait()
        self._news.clear()

    async def wait(self) -> None:
        """Returns at once while it does; waits a moment for it. StaleRouting: not yet."""
        if self.is_now:
            return
        try:
            async with asyncio.timeout(PATIENCE):
                await self._is_now.wait()
        except TimeoutError:
            raise StaleRouting from None
