"""Group commit: operations that arrive while a commit is under way run together as the next transaction.

Law: operations run in the order of their calls; none is answered before what it wrote is durable, and when a commit
fails none of its operations happened.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Any, Protocol, TypeVar

from relay.errors import RelayError, StoreBroken, StoreError, StoreFull, StoreUnavailable
from relay.store.needs import Outside, never_dies

T = TypeVar("T")


REPEATS: int = 3
"""With the log folded; without the new mail; with the reserve given up."""


class Room(Enum):
    """What was done about a full disk."""

    PLENTY = "plenty"
    """The log was folded: all may go on."""
    SOME = "some"
    """The reserve was given up: for what is under way."""
    NONE = "none"


class Transaction(Protocol):
    """What the batches drive."""

    def begin(self) -> None: ...
    def has_written(self) -> bool: ...
    def finish(self) -> None: ...
    def commit(self) -> None: ...
    def committed(self) -> None: ...
    def failed(self) -> None: ...
    def make_room(self, *, is_urgent: bool) -> Room: ...


class Step(StrEnum):
    """What an operation writes, as the crash table names it."""

    PUT = "put"
    TAKE = "take"
    GATE = "gate"
    SETTLE = "settle"
    SESSION = "session"
    HEARTBEAT = "heartbeat"
    RECOVER = "recover"
    APPLY = "apply"
    DONE = "done"
    NOTE = "note"
    """What a person said, or what is remembered beside the mail."""
    NOTHING = "nothing"
    """It only reads."""


@dataclass(slots=True, eq=False)
class _Call:
    step: Step
    operation: Callable[[], Any]
    future: "asyncio.Future[Any]"
    undo: Callable[[Any], None] | None
    repeats: int = 0
    """How often it ran in vain for want of space."""
    outcome: Any = None


class _Refused(Exception):
    """One operation raised, perhaps half-way."""

    def __init__(self, call: _Call, error: Exception) -> None:
        super().__init__()
        self.call = call
        self.error = error


class Batches:
    """Runs operations in groups; one commit is under way at a time."""

    def __init__(self, transaction: Transaction, outside: Outside) -> None:
        self._transaction = transaction
        self._commit = outside.commit
        self._fatal = outside.fatal
        self._crash_point = None if outside.crash_point is never_dies else outside.crash_point
        self._waiting: list[_Call] = []
        self._driver: asyncio.Task[None] | None = None
        self._broken: RelayError | None = None
        self._is_closed = False

    def submit(
        self, step: Step, operation: Callable[[], T], undo: Callable[[T], None] | None = None
    ) -> "asyncio.Future[T]":
        """The operation's result once it is durable; `undo` gets a result that nobody waits for any more.

        An operation may run twice, if another one spoilt the transaction of its first run.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        if self._broken is not None or self._is_closed:
            future.set_exception(self._broken or StoreUnavailable("the store is closed"))
            return future
        self._waiting.append(_Call(step, operation, future, undo))
        if self._driver is None:
            self._driver = loop.create_task(self._drive())
        return future

    @property
    def is_broken(self) -> bool:
        """Whether the store cannot go on."""
        return self._broken is not None

    async def close(self) -> None:
        """Finishes what was called; nothing is taken after it."""
        self._is_closed = True
        if self._driver is not None:
            await asyncio.wait([self._driver])

    async def _drive(self) -> None:
        try:
            while self._waiting:
                calls, self._waiting = self._waiting, []
                try:
                    await self._run(calls)
                except Exception as error:  # noqa: BLE001 - whatever it is, nobody may wait for ever
                    self._end(calls, StoreBroken(f"a transaction failed: {error!r}"))
        finally:
            self._driver = None

    async def _run(self, calls: list[_Call]) -> None:
        self._transaction.begin()
        try:
            for call in calls:
                self._call(call)
            has_written = self._transaction.has_written()
            if has_written:
                self._transaction.finish()
                self._pass(calls, "recorded")
                await self._commit(self._transaction.commit)
        except _Refused as refused:
            self._begin_again(calls, refused)
        except (StoreError, StoreBroken) as error:
            self._fail(calls, error)
        else:
            self._transaction.committed()
            if has_written:
                self._pass(calls, "durable")
            for call in calls:
                _answer(call)

    def _pass(self, calls: list[_Call], what: str) -> None:
        """Passes the crash points `put-recorded`, `put-durable` and so on of what was called."""
        if self._crash_point is not None:
            for call in calls:
                if call.step is not Step.NOTHING:
                    self._crash_point(f"{call.step}-{what}")

    def _call(self, call: _Call) -> None:
        if call.future.cancelled():
            return
        try:
            call.outcome = call.operation()
        except (StoreError, StoreBroken):
            raise
        except Exception as error:
            raise _Refused(call, error) from error

    def _begin_again(self, calls: list[_Call], refused: _Refused) -> None:
        """Who raised is told; the others run again without it."""
        others = [call for call in calls if call is not refused.call]
        try:
            self._transaction.failed()
        except StoreBroken as broken:
            self._end(calls, broken)
            return
        if not refused.call.future.done():
            refused.call.future.set_exception(refused.error)
        self._waiting[:0] = others

    def _fail(self, calls: list[_Call], error: RelayError) -> None:
        """The disk refused: nothing of this transaction happened. What is not new mail may try once more."""
        try:
            if isinstance(error, StoreBroken):
                raise error
            self._transaction.failed()
        except StoreBroken as broken:
            self._end(calls, broken)
            return
        again = self._worth_repeating(calls) if isinstance(error, StoreFull) else []
        for call in calls:
            if call not in again and not call.future.done():
                call.future.set_exception(error)
        self._waiting[:0] = again

    def _worth_repeating(self, calls: list[_Call]) -> list[_Call]:
        """On a full disk: all with the log folded; else what is under way, without the new mail, with the reserve."""
        able = [call for call in calls if call.repeats < REPEATS]
        for call in able:
            call.repeats += 1
        urgent = [call for call in able if call.step is not Step.PUT]
        room = self._transaction.make_room(is_urgent=len(urgent) == len(calls))
        if room is Room.PLENTY:
            return able
        return urgent if room is Room.SOME or len(urgent) < len(calls) else []

    def _end(self, calls: list[_Call], broken: StoreBroken) -> None:
        """The store cannot go on: everybody is told, and the process has to end."""
        self._broken = broken
        calls, self._waiting = [*calls, *self._waiting], []
        for call in calls:
            if not call.future.done():
                call.future.set_exception(broken)
        self._fatal(broken)


def _answer(call: _Call) -> None:
    if not call.future.done():
        call.future.set_result(call.outcome)
    elif call.undo is not None and call.outcome is not None:
        call.undo(call.outcome)
