"""The store as delivery uses it where nothing may be lost: what it could not do now is done again until it is done.

Law: an outcome or the end of a session is reported once and certainly; only a store beyond repair ends the waiting.
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


class DeliveryStore(Queue, Sessions, Protocol):
    """What delivery needs of the store."""


class SteadyStore:
    """Repeats what failed for now, with `pause` microseconds in between; StoreBroken goes through."""

    def __init__(self, store: DeliveryStore, observe: Observer, *, pause: int) -> None:
        self._store = store
        self._observe = observe
        self._pause = pause

    async def settle(self, claim: Claim, result: Result) -> Verdict | None:
        """As what the outcome was taken; None: it came too late."""
        return await self._until_done("settle", lambda: self._store.settle(claim, result))

    async def report(self, mailbox: MailboxId, event: SessionEvent) -> None:
        """What became of a session."""
        await self._until_done("session", lambda: self._store.session(mailbox, event))

    async def refused(self, mailbox: MailboxId, failure: LoginFailure) -> None:
        """A session could not be opened."""
        await self._until_done("refused", lambda: self._store.refused(mailbox, failure))

    async def rest_after(self, operation: str, error: RelayError) -> None:
        """Tells of a failure and waits a moment; a store beyond repair is raised."""
        if isinstance(error, StoreBroken):
            raise error
        self._observe.store_failed(operation, error)
        await asyncio.sleep(self._pause / SECOND)

    async def _until_done(self, operation: str, call: Callable[[], Awaitable[_T]]) -> _T:
        while True:
            try:
                return await call()
            except RelayError as error:
                await self.rest_after(operation, error)
