"""Group commit: operations that arrive while a commit is under way run together as the next transaction.

Law: operations run in the order of their calls; none is answered before what it wrote is durable, and when a commit
fails none of its operations happened.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from relay.errors import RelayError, StoreBroken, StoreError, StoreUnavailable
from relay.store.needs import Fatal, Runner

T = TypeVar("T")


class Transaction(Protocol):
    """What the batches drive."""

    def has_written(self) -> bool: ...
    def finish(self) -> None: ...
    def commit(self) -> None: ...
    def committed(self) -> None: ...
    def failed(self) -> None: ...


@dataclass(slots=True)
class _Call:
    operation: Callable[[], Any]
    future: "asyncio.Future[Any]"
    undo: Callable[[Any], None] | None
    outcome: Any = None


class _Refused(Exception):
    """One operation raised, perhaps half-way."""

    def __init__(self, call: _Call, error: Exception) -> None:
        super().__init__()
        self.call = call
        self.error = error


class Batches:
    """Runs operations in groups; one commit is under way at a time."""

    def __init__(self, transaction: Transaction, commit: Runner, fatal: Fatal) -> None:
        self._transaction = transaction
        self._commit = commit
        self._fatal = fatal
        self._waiting: list[_Call] = []
        self._driver: asyncio.Task[None] | None = None
        self._broken: RelayError | None = None
        self._is_closed = False

    def submit(self, operation: Callable[[], T], undo: Callable[[T], None] | None = None) -> "asyncio.Future[T]":
        """The operation's result once it is durable; `undo` gets a result that nobody waits for any more.

        An operation may run twice, if another one spoilt the transaction of its first run.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        if self._broken is not None or self._is_closed:
            future.set_exception(self._broken or StoreUnavailable("the store is closed"))
            return future
        self._waiting.append(_Call(operation, future, undo))
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
            while self._waiting:
                calls, self._waiting = self._waiting, []
                await self._run(calls)
        finally:
            self._driver = None

    async def _run(self, calls: list[_Call]) -> None:
        try:
            for call in calls:
                self._call(call)
            if self._transaction.has_written():
                self._transaction.finish()
                await self._commit(self._transaction.commit)
        except _Refused as refused:
            self._begin_again(calls, refused)
        except (StoreError, StoreBroken) as error:
            self._fail(calls, error)
        else:
            self._transaction.committed()
            for call in calls:
                _answer(call)

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
        except StoreBroken as error:
            self._fail(calls, error)
            return
        if not refused.call.future.done():
            refused.call.future.set_exception(refused.error)
        self._waiting[:0] = others

    def _fail(self, calls: list[_Call], error: RelayError) -> None:
        """The disk refused: nothing of this transaction happened."""
        broken = error if isinstance(error, StoreBroken) else None
        if broken is None:
            try:
                self._transaction.failed()
            except StoreBroken as worse:
                broken = worse
        if broken is not None:
            self._broken = broken
            calls, self._waiting = [*calls, *self._waiting], []
        for call in calls:
            if not call.future.done():
                call.future.set_exception(error)
        if broken is not None:
            self._fatal(broken)


def _answer(call: _Call) -> None:
    if not call.future.done():
        call.future.set_result(call.outcome)
    elif call.undo is not None and call.outcome is not None:
        call.undo(call.outcome)
