"""Operations in groups: what arrives while the link is under way goes together in its next turn.

Law: what is hot goes in one round trip, and what decides under one hold of the pen; each is answered by what became of
itself. Those that arrive together were called by those who do not wait for each other, so their order is free.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from relay.errors import NodeOutlived, StoreBroken, StoreMoved, StoreUnavailable
from relay.store.needs import Fatal, Runner
from relay.store.redis.core import Core
from relay.store.redis.link import Call

PAUSE: float = 0.2
"""Seconds between two questions whether what is in doubt was done: the link itself does not try more often."""


class Again(Exception):
    """A script met what has to be judged first: `judge` does it; then, if `and_again`, the script runs again."""

    def __init__(self, judge: Callable[[Core], Any], *, and_again: bool = False) -> None:
        super().__init__()
        self.judge = judge
        self.and_again = and_again


class Hot(Protocol):
    """An operation that a script does by itself."""

    def call(self, core: Core, /) -> Call:
        """What is run. Again: it has to be judged."""

    def answered(self, core: Core, reply: Any, /) -> Any:
        """What came of it. Again: it has to be judged."""

    @property
    def is_fact(self) -> bool:
        """Whether what is judged of it holds though another process speaks for this node by now."""

    @property
    def undo(self) -> Callable[[Core], None] | None:
        """What takes back, as a judged operation, what nobody heard of; None: nothing is left behind."""


@dataclass(slots=True, eq=False)
class Item:
    """One operation that somebody waits for: `hot`, or `judge`, or `look`."""

    future: "asyncio.Future[Any]"
    hot: Hot | None = None
    judge: Callable[[Core], Any] | None = None
    look: Callable[[Core], Any] | None = None
    undo: Callable[[Any], None] | None = None
    held: int | None = None
    """How long it may hold the pen, microseconds; None: as long as usual."""
    tries: int = 0
    waits: int = 0
    """Turns in which others had the pen."""
    has_waited: bool = False
    """Whether it was so in this turn."""
    and_again: bool = False
    outcome: Any = None
    error: BaseException | None = None
    is_done: bool = False
    is_in_doubt: bool = False
    """Only the store knows what became of it."""

    @property
    def is_open(self) -> bool:
        """Whether there is something left to do for it."""
        return not (self.is_done or self.is_in_doubt)

    @property
    def is_fact(self) -> bool:
        """Whether it holds whoever says it."""
        return self.hot is not None and self.hot.is_fact

    def end(self, outcome: Any) -> None:
        """It is done."""
        self.outcome, self.is_done = outcome, True

    def fail(self, error: BaseException) -> None:
        """It is not."""
        self.error, self.is_done = error, True


class Worker(Protocol):
    """What runs them, in the thread that has the link."""

    @property
    def is_in_doubt(self) -> bool:
        """Whether somebody waits for what only the store can tell."""

    def run(self, items: Sequence[Item], /) -> None:
        """Each is done afterwards, or has failed, but for those in doubt."""


class Turns:
    """Hands operations to the worker, all that wait at once."""

    def __init__(self, worker: Worker, run: Runner, fatal: Fatal) -> None:
        self._worker = worker
        self._fatal = fatal
        self._broken: StoreBroken | None = None
        self._run = run
        self._waiting: list[Item] = []
        self._driver: asyncio.Task[None] | None = None
        self._is_closed = False
        self._is_over = False

    def submit(self, **what: Any) -> "asyncio.Future[Any]":
        """The outcome of an operation; `undo` gets one that nobody waits for any more."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        if self._broken is not None or self._is_closed:
            future.set_exception(self._broken or StoreUnavailable("the store is closed"))
            return future
        self._waiting.append(Item(future, **what))
        if self._driver is None:
            self._driver = loop.create_task(self._drive())
        return future

    async def close(self) -> None:
        """Finishes what was called; nothing is taken after it."""
        self._is_closed = True
        if self._driver is not None:
            await asyncio.wait([self._driver])

    async def _drive(self) -> None:
        try:
            wondering: list[Item] = []
            while self._waiting or wondering:
                if not self._waiting:
                    await asyncio.sleep(PAUSE)
                items, self._waiting = self._waiting, []
                wanted = [item for item in items if not item.future.cancelled()]
                try:
                    await self._run(lambda items=wanted: self._worker.run(items))  # type: ignore[misc]
                except Exception as error:  # noqa: BLE001  whatever it is, nobody may wait for ever
                    self._break([*wondering, *wanted, *self._waiting], StoreBroken(f"an operation failed: {error!r}"))
                    return
                for item in (*wondering, *wanted):
                    if item.is_done:
                        _answer(item)
                        self._end_if_over(item)
                left = [item for item in (*wondering, *wanted) if not item.is_done]
                wondering = [item for item in left if item.is_in_doubt]
                self._waiting[:0] = [item for item in left if not item.is_in_doubt]
        finally:
            self._driver = None

    def _end_if_over(self, item: Item) -> None:
        """Whoever asked hears it too; but nobody may have to ask for this process to end."""
        if isinstance(item.error, NodeOutlived | StoreMoved) and not self._is_over:
            self._is_over = True
            self._fatal(item.error)

    def _break(self, items: Sequence[Item], broken: StoreBroken) -> None:
        """A fault of ours: nothing goes on from here, and the next life of this node begins clean."""
        self._waiting, self._broken = [], broken
        for item in items:
            item.fail(broken)
            _answer(item)
        self._fatal(broken)


def _answer(item: Item) -> None:
    if item.future.done():
        if item.undo is not None and item.error is None:
            item.undo(item.outcome)
    elif item.error is not None:
        item.future.set_exception(item.error)
    else:
        item.future.set_result(item.outcome)
