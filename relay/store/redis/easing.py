"""What makes room in a Redis whose memory is nearly full: history goes at once, a little at a time.

Law: each go is an operation by itself, and after it others have their turn, of this node and of the others.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from relay.errors import StoreError
from relay.store.engine.errands import Errands

BETWEEN: float = 0.05
"""Seconds between two goes: a go holds the pen for some 50 ms, so that half of the time is left to what else is judged,
and still history goes as fast as one Redis takes mail in; what is hot goes on all the time."""


class Easing:
    """Goes on while there is more, and ends by itself."""

    def __init__(self, go: Callable[[], Awaitable[bool]], errands: Errands) -> None:
        """`go` lets a little go, and says whether there is more that has to."""
        self._go = go
        self._errands = errands
        self._is_running = False
        self._over = asyncio.Event()

    def begin(self) -> None:
        """There is more; harmless while it runs."""
        if not self._is_running and not self._over.is_set():
            self._is_running = True
            self._errands.start(self._run())

    def stop(self) -> None:
        """The store closes: no further go is begun."""
        self._over.set()

    async def _run(self) -> None:
        try:
            while not self._over.is_set() and await self._go():
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._over.wait(), BETWEEN)
        except StoreError:
            return  # the next heartbeat begins again
        finally:
            self._is_running = False
