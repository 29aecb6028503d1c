"""An event loop on virtual time: nobody waits, and "nothing is scheduled" is a deadlock found.

Law: time moves only when nothing is left to do at the present instant.
"""

import asyncio
import selectors
from collections.abc import Mapping
from typing import Any


class Deadlock(Exception):
    """Nothing is scheduled and the world is not done: somebody waits for what will never come."""


class Livelock(Exception):
    """The world goes round and round at one instant: somebody polls, or is woken for nothing."""


SPINS: int = 20_000
"""Rounds of the loop at one instant: no honest burst of a small world needs a tenth of it."""


class _VirtualSelector(selectors.SelectSelector):
    """Moves the clock where a real one would sleep."""

    loop: "VirtualLoop"
    spins = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise Deadlock("nothing is scheduled")
        if timeout > 0:
            self.spins = 0
            self.loop.advance(timeout)
        self.spins += 1
        if self.spins > SPINS:
            raise Livelock(f"{SPINS} rounds at {self.loop.time()} s")
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """Runs the shipped code in no time."""

    def __init__(self, start: float = 0.0) -> None:
        selector = _VirtualSelector()
        selector.loop = self
        self._virtual_now = start
        self.complaints: list[Mapping[str, Any]] = []
        super().__init__(selector)
        self._clock_resolution = 1e-9
        self.set_exception_handler(lambda _, context: self.complaints.append(context))

    def time(self) -> float:
        """Virtual seconds."""
        return self._virtual_now

    def advance(self, seconds: float) -> None:
        """Moves the clock to the next thing scheduled."""
        self._virtual_now += seconds

    def abandon(self) -> None:
        """Drops everything as a crash does: no task gets another step, not even to clean up."""
        self._ready.clear()  # type: ignore[attr-defined]
        self._scheduled.clear()  # type: ignore[attr-defined]
