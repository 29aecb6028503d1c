"""The machine of a simulated world: clocks, chance, a disk, and processes that die and start again.

Law: a crash takes all that a process had in memory and all that was not synced, and nothing else; whatever the seed
does not decide does not happen.
"""

import asyncio
import gc
import hashlib
import random
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from relay.core.limits import SECOND
from relay.core.relaytime import Reading
from relay.store.segments.memory import MemorySegments
from tests.fakes.database import in_memory
from tests.simulation.loop import VirtualLoop
from tests.simulation.scenario import Scenario

T = TypeVar("T")

WALL = 1_800_000_000 * SECOND


class Crash(SystemExit):
    """The process dies here: passes through everything, as SIGKILL does."""


class Machine:
    """Runs one life of the relay after another, until one ends by itself; a world says what a life is."""

    def __init__(self, seed: int, scenario: Scenario) -> None:
        self.seed = seed
        self.scenario = scenario
        self.lives = 0
        self.true_now = 0.0
        self.died_at: list[tuple[str, float]] = []
        """The crash points at which a process died, and when."""
        self.loop: VirtualLoop
        self.dice = random.Random(f"world/{seed}")
        self.connection = in_memory()
        self.segments = MemorySegments(limit=20_000)
        self.wall_step = 0
        self._boot = (0, 0.0)
        self.crash_in: int | None = None
        """How many crash points are still passed in this life; None: all."""
        self._random_count = 0

    # clocks and chance

    def reading(self) -> Reading:
        """All clocks."""
        is_right = self.wall_step == 0  # the kernel does not vouch for a clock that somebody set
        return Reading(f"boot-{self._boot[0]}", self.boottime(), self.wall(), is_synchronised=is_right)

    def boottime(self) -> int:
        """Since the machine started."""
        return round((self.loop.time() - self._boot[1]) * SECOND)

    def wall(self) -> int:
        """What the clock on the wall shows."""
        return WALL + round(self.loop.time() * SECOND) + self.wall_step

    def random_bytes(self, many: int) -> bytes:
        """Never the same twice, and the same for the same seed."""
        self._random_count += 1
        return hashlib.blake2b(f"{self.seed}/{self._random_count}".encode(), digest_size=min(many, 64)).digest()

    # the disk

    async def commit(self, work: Callable[[], T]) -> T:
        """Takes its time, and the process may die before, after, or inside."""
        await asyncio.sleep(self.dice.uniform(0, self.scenario.fsync))
        return work()

    async def read(self, work: Callable[[], T]) -> T:
        """Reading takes time too."""
        await asyncio.sleep(0.0001)
        return work()

    def crash_point(self, name: str) -> None:
        """Every durable step passes here; the seed says at which the process dies."""
        if self.crash_in is not None:
            self.crash_in -= 1
            if self.crash_in <= 0:
                self.crash_in = None
                raise Crash(name)

    # one life after another

    def live_on(self) -> None:
        """Until everything is final or the world stands still."""
        with _unheard():
            while not self._live():
                self._die()
                gc.collect()
            gc.collect()

    def new_loop(self, start: float) -> VirtualLoop:
        """The loop of a life."""
        return VirtualLoop(start)

    def fate(self) -> int | None:
        """At which crash point this life ends; None: it does not."""
        return self.dice.randint(1, 120) if self.lives <= self.scenario.crashes else None

    async def life(self) -> None:
        """From the start of the process to its end."""
        raise NotImplementedError

    def bury(self, now: float) -> None:
        """What the world outside sees of a crash."""

    def _live(self) -> bool:
        self.lives += 1
        self.crash_in = self.fate()
        self.loop = self.new_loop(self.true_now)
        try:
            self.loop.run_until_complete(self.life())
        except Crash as crash:
            self.died_at.append((str(crash), self.loop.time()))
            return False
        self.true_now = self.loop.time()
        self.loop.close()
        return True

    def _die(self) -> None:
        now = self.loop.time()
        self.loop.abandon()
        self.bury(now)
        self.connection.rollback()
        self.segments.crash()
        self.loop.close()
        self.true_now = now + self.dice.choice([0.01, 1.0, 30.0])
        if self.scenario.reboots and self.dice.random() < 0.5:
            self._boot = (self._boot[0] + 1, self.true_now - 1)
            self.wall_step *= self._boot[0] % 2  # every other start finds the right time


@contextmanager
def _unheard() -> Iterator[None]:
    """What dies in a crash says nothing."""
    hook = sys.unraisablehook
    sys.unraisablehook = lambda _: None
    try:
        yield
    finally:
        sys.unraisablehook = hook
