"""One connection to a provider: bytes written when told, replies handed over one by one.

Law: a reply is taken only where one was asked for; anything else that arrives, a time-out or a broken line ends the
connection at once, and it is never used again.
"""

import asyncio
import socket
import ssl
import struct
from collections import deque
from typing import cast

from aiosmtplib import SMTPResponse
from aiosmtplib.protocol import SMTPProtocol

from relay.core.limits import SECOND
from relay.core.meaning import Failure
from relay.delivery.replies import ReplyReader
from relay.errors import TemporaryError

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
_SERVICE_CLOSING = b"421"
_TLS_RECORDS = (b"\x15\x03", b"\x16\x03")


class WireFailed(TemporaryError):
    """the connection to the provider cannot be used any more"""

    def __init__(self, failure: Failure) -> None:
        super().__init__()
        self.failure = failure


class NotEncrypted(WireFailed):
    """the host speaks in clear where encryption was to come first"""


class Wire(SMTPProtocol):
    """The library's protocol with replies read by us: several may be asked for at once, none is lost or invented."""

    def __init__(self, loop: asyncio.AbstractEventLoop, *, is_encrypted_first: bool = False) -> None:
        super().__init__(loop=loop)
        self.failure: Failure | None = None
        self._reader = ReplyReader()
        self.is_silent = True
        """Nothing was ever said in clear."""
        self.is_answered_in_tls = False
        """What came in clear is a record of TLS (RFC 8446, 5.1): an alert, or a handshake."""
        self._wanted = 0 if is_encrypted_first else 1  # the banner
        self._replies: deque[SMTPResponse] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._is_draining = False
        self._writer: asyncio.Transport | None = None

    # ------------------------------------------------------------------------------------------- asyncio's calls
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Takes the connection; nothing is buffered beyond what the kernel takes, so that `drain` means written."""
        super().connection_made(transport)
        self._adopt(cast(asyncio.Transport, transport))

    def data_received(self, data: bytes) -> None:
        """Takes what the provider says, as far as it was asked."""
        if self.failure is not None:
            return
        if self.is_silent:
            self.is_silent = False
            self.is_answered_in_tls = data.startswith(_TLS_RECORDS)
        if self.is_answered_in_tls:
            self.fail(Failure.NONSENSE)
            return
        if not self._wanted:
            self.fail(Failure.LOST if data.startswith(_SERVICE_CLOSING) else Failure.NONSENSE)
            return
        replies = self._reader.feed(data)
        self._replies.extend(replies[: self._wanted])
        surplus = len(replies) - self._wanted
        self._wanted = max(0, -surplus)
        if self._reader.is_nonsense or surplus > 0 or (surplus == 0 and self._reader.is_inside_reply):
            self.fail(Failure.NONSENSE)
        elif replies:
            self._wake()

    def eof_received(self) -> bool:
        """The provider says no more: what comes next is `connection_lost`."""
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self.fail(Failure.LOST)
        super().connection_lost(exc)

    def resume_writing(self) -> None:
        """The kernel has taken everything."""
        super().resume_writing()
        if self._is_draining:
            self._wake()

    # ---------------------------------------------------------------------------------------------------- our calls
    @property
    def is_settled(self) -> bool:
        """Whether nothing went wrong, every reply asked for has come and nothing waits to be written."""
        return self.failure is None and not self._wanted and not self._paused

    @property
    def is_all_answered(self) -> bool:
        """Whether every reply asked for has come."""
        return not self._wanted

    def ask(self, commands: bytes, replies: int = 1) -> None:
        """Writes commands that so many replies answer; WireFailed if the connection is gone."""
        self.check()
        self._wanted += replies
        self._transport().write(commands)

    def say(self, data: bytes | memoryview) -> None:
        """Writes what is answered by nothing; WireFailed if the connection is gone."""
        self.check()
        self._transport().write(data)

    def check(self) -> None:
        """WireFailed if anything went wrong so far."""
        if self.failure is not None:
            raise WireFailed(self.failure)

    async def reply(self, within: int) -> SMTPResponse:
        """The next reply asked for, whole `within` so many microseconds; WireFailed if there will be none."""
        if not self._replies and self.failure is None:
            await self._wait(within)
        if self._replies:
            return self._replies.popleft()
        raise WireFailed(self.failure or Failure.NONSENSE)

    async def drain(self, within: int) -> None:
        """Returns when the kernel has taken all that was written; WireFailed if it does not in time."""
        if self._paused and self.failure is None:
            self._is_draining = True
            try:
                await self._wait(within)
            finally:
                self._is_draining = False
        self.check()

    def fail(self, failure: Failure) -> None:
        """Ends the connection for this reason (the first one stays); what was not sent yet never is."""
        if self.failure is None:
            self.failure = failure
            self.reset()
            self._wake()

    def reset(self) -> None:
        """Hangs up without a word; the kernel throws away what it has not sent."""
        if self.failure is None:
            self.failure = Failure.LOST
        if self._writer is not None:
            self._writer.abort()

    # ------------------------------------------------------------------------ what the library asks at the login
    async def read_response(self, timeout: float | None = None) -> SMTPResponse:
        """The library's way of asking for one reply; `timeout` in seconds."""
        if not self._replies and not self._wanted:
            self._wanted = 1
        return await self.reply(int((timeout or 0) * SECOND))

    async def execute_command(self, *args: bytes, timeout: float | None = None) -> SMTPResponse:
        """The library's way of sending one command; `timeout` in seconds."""
        self.ask(b" ".join(args) + b"\r\n")
        return await self.reply(int((timeout or 0) * SECOND))

    # ---------------------------------------------------------------------------------------------------- encryption
    async def encrypt(self, context: ssl.SSLContext, name: str, *, within: float) -> None:
        """Implicit TLS: encrypts before anything is said; `within` seconds, errors as of `loop.start_tls`."""
        if not self.is_silent:
            self.reset()
            raise NotEncrypted(Failure.UNVERIFIED)
        self.check()
        raw = cast(asyncio.Transport, self.transport)
        self.transport = await self._loop.start_tls(
            raw, self, context, server_hostname=name, ssl_handshake_timeout=within
        )
        self.adopt_encryption()
        self._wanted = 1

    def adopt_encryption(self) -> None:
        """Goes on over the encrypted transport; what came in clear before is nonsense (RFC 3207, 4.2)."""
        if self.failure is None and (self._wanted or self._replies or self._reader.is_inside_reply):
            self.fail(Failure.NONSENSE)
        self._adopt(cast(asyncio.Transport, self.transport))

    # ----------------------------------------------------------------------------------------------------- inside
    def _adopt(self, transport: asyncio.Transport) -> None:
        """From the first byte that the kernel does not take it counts as paused; under TLS that is written as 1."""
        self._writer = transport
        is_encrypted = transport.get_extra_info("sslcontext") is not None
        transport.set_write_buffer_limits(high=1 if is_encrypted else 0)

    def _transport(self) -> asyncio.Transport:
        if self._writer is None or self._writer.is_closing():
            self.fail(Failure.LOST)
            raise WireFailed(Failure.LOST)
        return self._writer

    async def _wait(self, within: int) -> None:
        """Until something happens; nothing `within` so many microseconds is a failure too."""
        self._waiter = self._loop.create_future()
        timer = self._loop.call_later(within / SECOND, self.fail, Failure.TIMEOUT)
        try:
            await self._waiter
        finally:
            timer.cancel()
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


def harden(transport: asyncio.BaseTransport, unacknowledged: int) -> None:
    """Makes a close a reset, and gives up a peer that acknowledges nothing for so many microseconds.

    So a process that died sends nothing more (SO_LINGER 0 throws away what the kernel still holds), and a dead line is
    noticed although nothing is being asked (TCP_USER_TIMEOUT, RFC 5482). A transport without a socket has none of it.
    """
    sock = transport.get_extra_info("socket")
    if sock is None or sock.family not in (socket.AF_INET, socket.AF_INET6):
        return
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, unacknowledged // 1000)
