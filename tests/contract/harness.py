"""What a store brings to the conformance suite: itself, and the hands that move its time and kill its process.

Law: a suite talks to the ports and to this, and to nothing else of an adapter.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

from relay.errors import RelayError
from relay.store.needs import Outside, StoreSettings
from relay.store.ports import Store
from relay.store.segments.memory import MemorySegments
from relay.store.sqlite import SqliteStore
from relay.vault import Vault
from tests.contract.clock import LoopClock
from tests.contract.model import ModelStore
from tests.contract.model_data import Disk, Process
from tests.fakes.database import in_memory
from tests.simulation.loop import VirtualLoop

T = TypeVar("T")


class Harness(Protocol):
    """One store of an adapter, with a clock and a life that the suite commands."""

    store: Store

    async def advance(self, seconds: float) -> None:
        """Time passes: for relay time and the wall clock alike."""

    def step_wall_clock(self, seconds: float) -> None:
        """Somebody sets the wall clock."""

    async def crash_and_restart(self) -> None:
        """The process dies as by SIGKILL, and another one opens the store; `store` is that one's."""

    def peer(self) -> Store | None:
        """The same store as another process sees it; None: the adapter serves one process alone."""

    async def close(self) -> None:
        """The end of the test."""


Make = Callable[[StoreSettings], Harness]
"""Makes a harness around a new, empty store; called inside a running loop of virtual time."""


class OnVirtualTime:
    """Time is the loop's."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        self.clock = LoopClock(loop)

    async def advance(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def step_wall_clock(self, seconds: float) -> None:
        self.clock.step(seconds)


class ModelHarness(OnVirtualTime):
    """The model."""

    def __init__(self, settings: StoreSettings, model: type[ModelStore] = ModelStore) -> None:
        super().__init__()
        self._settings, self._model, self._disk, self._process = settings, model, Disk(), Process()
        self.store: Store = self._open()

    def _open(self) -> ModelStore:
        return self._model(self._disk, self._process, self.clock, self._settings)

    async def crash_and_restart(self) -> None:
        self._process = Process()
        self.store = self._open()

    def peer(self) -> Store | None:
        return self._open()

    async def close(self) -> None:
        await self.store.close()


class OutlivedModelHarness(ModelHarness):
    """The model beside a store in which what processes know outlives them: a server that goes on."""

    async def crash_and_restart(self) -> None:
        self.store = self._open()


class SqliteHarness(OnVirtualTime):
    """SQLite on a database in memory, with bodies in memory segments that lose what was not synced."""

    def __init__(self, settings: StoreSettings) -> None:
        super().__init__()
        self._settings = settings
        self._connection = in_memory()
        self._segments = MemorySegments()
        self._chance = 0
        self.fatal: list[RelayError] = []
        self.store: Store = self._open()

    def _random(self, many: int) -> bytes:
        self._chance += 1
        return self._chance.to_bytes(many, "big")

    def _open(self) -> SqliteStore:
        outside = Outside(
            clock=self.clock,
            random=self._random,
            cipher_for=lambda *_: Vault(b"k" * 32, self._random),
            commit=at_once,
            read=at_once,
            fatal=self.fatal.append,
            free_bytes=lambda: 10**12,
        )
        return SqliteStore(self._connection, self._segments, self._settings, outside=outside)

    async def crash_and_restart(self) -> None:
        self._connection.rollback()
        self._segments.crash()
        self.store = self._open()

    def peer(self) -> Store | None:
        return None

    async def close(self) -> None:
        await self.store.close()
        assert not self.fatal


async def at_once(work: Callable[[], T]) -> T:
    """A disk that takes no time, but lets others run."""
    await asyncio.sleep(0)
    return work()


def run(scenario: Callable[[], Awaitable[None]]) -> None:
    """Runs a scenario on virtual time; Deadlock: somebody waits for what will never come."""
    loop = VirtualLoop()
    try:
        loop.run_until_complete(_awaited(scenario))
    finally:
        loop.abandon()
        loop.close()
    assert not loop.complaints, loop.complaints


async def _awaited(scenario: Callable[[], Awaitable[None]]) -> None:
    await scenario()
