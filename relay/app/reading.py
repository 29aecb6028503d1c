"""The reading port with a stopwatch, for the metric of the store's operations.

Law: it changes nothing: same arguments, same results, same errors.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from relay.app.timed import Took
from relay.core.words import AccountId, MessageId
from relay.store.ports.reading import (
    AccountQuery,
    AccountView,
    MessageQuery,
    MessageView,
    Page,
    ProviderView,
    Reading,
)

T = TypeVar("T")


class TimedReading:
    """A reading port in front of a reading port; `clock` gives seconds from some moment on."""

    def __init__(self, reading: Reading, took: Took, clock: Callable[[], float]) -> None:
        self._reading = reading
        self._took = took
        self._clock = clock

    async def _timed(self, work: Awaitable[T]) -> T:
        start = self._clock()
        try:
            return await work
        finally:
            self._took("read", self._clock() - start)

    async def messages(self, query: MessageQuery) -> Page[MessageView]:
        return await self._timed(self._reading.messages(query))

    async def message(self, message: MessageId) -> MessageView | None:
        return await self._timed(self._reading.message(message))

    async def accounts(self, query: AccountQuery) -> Page[AccountView]:
        return await self._timed(self._reading.accounts(query))

    async def account(self, sender: AccountId) -> AccountView | None:
        return await self._timed(self._reading.account(sender))

    async def providers(self) -> Sequence[ProviderView]:
        return await self._timed(self._reading.providers())
