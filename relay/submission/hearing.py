"""What a client says, on its way from the network to the dialogue that waits for it.

Law: what a busy dialogue cannot read is left in the network; who does not read what he is told is not heard either;
and what was said before the client hung up is still heard.
"""

import asyncio

from relay.submission.incoming import BLOCK, Incoming
from relay.submission.wire import ClientGone

UNREAD_MOST: int = 2 * BLOCK
"""Octets that may wait for a dialogue that is busy; then the client is no longer read from."""


class Hearing:
    """The ear of one connection; the transport is named at each call, because TLS puts another one in its place."""

    __slots__ = ("_is_deaf", "_loop", "_waiter", "incoming", "is_clogged", "is_ended")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._waiter: asyncio.Future[None] | None = None
        self._is_deaf = False
        self.incoming = Incoming()
        self.is_clogged = False
        """The client does not read what he is told."""
        self.is_ended = False
        """He says nothing more, or is sent away."""

    @property
    def is_waiting(self) -> bool:
        """Whether the dialogue waits for the client."""
        return self._waiter is not None

    def feed(self, data: bytes, transport: asyncio.Transport | None) -> None:
        """Octets came in."""
        self.incoming.feed(data)
        if self._waiter is not None and not self.is_clogged:
            self._wake()
        elif self.incoming.size > UNREAD_MOST and transport is not None and not self._is_deaf:
            self._is_deaf = True
            transport.pause_reading()

    def unclog(self) -> None:
        """The client reads again."""
        self.is_clogged = False
        self._wake()

    def end(self) -> None:
        """Nothing more comes; harmless when told again."""
        self.is_ended = True
        self._wake()

    async def has_read(self) -> None:
        """Waits until the client has read what he was told. ClientGone."""
        while self.is_clogged and not self.is_ended:
            await self._woken()
        if self.is_ended:
            raise ClientGone

    async def more(self, transport: asyncio.Transport | None) -> None:
        """Waits until something came in, or the client hung up."""
        if transport is not None:
            self.again(transport)
        await self._woken()

    def again(self, transport: asyncio.Transport) -> None:
        """Reads from the client again, where it was not read from."""
        if self._is_deaf:
            self._is_deaf = False
            transport.resume_reading()

    async def _woken(self) -> None:
        self._waiter = self._loop.create_future()
        await self._waiter

    def _wake(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)
