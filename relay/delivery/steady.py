"""The store as delivery uses it where nothing may be lost: what it could not do now is done again until it is done.

Law: an outcome or the end of a session is reported once and certainly; only a store beyond repair ends the waiting.
While the store is away one asks for all, and those who wait come after each other when it is back.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

from relay.core.envelope import Claim, LoginFailure, Result, Verdict
from relay.core.limits import SECOND
from relay.core.words import MailboxId
from relay.delivery.observer import Observer
from relay.errors import RelayError, StoreBroken
from relay.store.ports.queue import Queue
from relay.store.ports.sessions import SessionEvent, Sessions

_T = TypeVar("_T")

FIRST_PAUSE: int = SECOND // 20
"""After a first failure: a store that was only just restarted loses us no time."""


class DeliveryStore(Queue, Sessions, Protocol):
    """What delivery needs of the store."""


class Pauses:
    """How long to wait before the store is asked again: twice as long each time, at most `most` microseconds."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._next = min(FIRST_PAUSE, most)

    async def rest(self) -> None:
        """It failed once more."""
        pause, self._next = self._next, min(2 * self._next, self._most)
        await asyncio.sleep(pause / SECOND)

    def worked(self) -> None:
        """It is back."""
        self._next = min(FIRST_PAUSE, self._most)


class SteadyStore:
    """Repeats what failed for now, with at most `pause` microseconds in between; StoreBroken goes through."""

    def __init__(self, store: DeliveryStore, observe: Observer, *, pause: int) -> None:
        self._store = store
        self._observe = observe
        self._line = asyncio.Lock()
        self._pauses = Pauses(pause)

    async def settle(self, claim: Claim, result: Result) -> Verdict | None:
        """As what the outcome was taken; None: it came too late."""
        return await self.until_done("settle", lambda: self._store.settle(claim, result))

    async def report(self, mailbox: MailboxId, event: SessionEvent) -> None:
        """What became of a session."""
        await self.until_done("session", lambda: self._store.session(mailbox, event))

    async def refused(self, mailbox: MailboxId, failure: LoginFailure) -> None:
        """A session could not be opened."""
        await self.until_done("refused", lambda: self._store.refused(mailbox, failure))

    def failed(self, operation: str, error: RelayError) -> None:
        """Tells of a failure; a store beyond repair is raised."""
        if isinstance(error, StoreBroken):
            raise error
        self._observe.store_failed(operation, error)

    async def until_done(self, operation: str, call: Callable[[], Awaitable[_T]]) -> _T:
        """What the call returns at last."""
        try:
            return await call()
        except RelayError as error:
            self.failed(operation, error)
        while True:
            async with self._line:  # first come, first served; what fails goes to its end, so that it bars nobody
                try:
                    done = await call()
                except RelayError as error:
                    self.failed(operation, error)
                    await self._pauses.rest()
                else:
                    self._pauses.worked()
                    return done
