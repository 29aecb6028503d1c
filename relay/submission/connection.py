"""One connection of a client: bytes from the socket to the dialogue and back, with the patience that a client gets.

Law: the dialogue is never cancelled by what the client does: who hangs up while his message is being stored finds it
stored. aiosmtpd keeps the transport; what it says, how it reads and when it changes to TLS is ours.
"""

import asyncio

from aiosmtpd.smtp import SMTP

from relay.core.refusal import Reason, Refusal
from relay.core.routing import Tls
from relay.core.words import Stage
from relay.submission.door import Door
from relay.submission.encryption import Encryption, HandshakeFailed
from relay.submission.incoming import BLOCK, Incoming
from relay.submission.peer import Peer
from relay.submission.proxy import HEADER_SECONDS, announced, comes_from_proxy
from relay.submission.session import Session
from relay.submission.settings import ListenerSettings
from relay.submission.wire import ClientGone

UNREAD_MOST: int = 2 * BLOCK
"""Octets that may wait for a dialogue that is busy; then the client is no longer read from."""

DATA_SECONDS: float = 3600.0
"""A message of the greatest size over the slowest line takes this; who takes longer only keeps a connection."""

DATA_RATE_LEAST: int = 256
"""Octets a second of a message, over each `timeout`: a quarter of what the slowest mobile line carries."""

CLOSING_SECONDS: float = 10.0
"""A client that does not even read that it is sent away is cut off after this."""


class Connection(SMTP):
    """The transport under one dialogue; a `Wire`."""

    def __init__(
        self,
        door: Door,
        listener: ListenerSettings,
        loop: asyncio.AbstractEventLoop,
        *,
        encryption: Encryption | None = None,
    ) -> None:
        """`encryption` is there where the listener has TLS."""
        # Not SMTP.__init__: for each connection it looks through its own class for commands, at 0.5 ms, to no use here.
        no_reader: asyncio.StreamReader = None  # type: ignore[assignment]
        asyncio.StreamReaderProtocol.__init__(self, no_reader, None, loop)
        self.loop = loop
        self.transport: asyncio.Transport | None = None
        self._original_transport = None
        self._timeout_handle: asyncio.TimerHandle | None = None
        self._door = door
        self._listener = listener
        self._encryption = encryption
        self._peer_text = ""
        self._is_secure = False
        self._is_in_handshake = False
        self._incoming = Incoming()
        self._dialogue: Session | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._is_ended = False
        self._is_clogged = False
        self._is_deaf = False
        self._was_stranger = True
        self._heard_at = loop.time()
        self._data_until: float | None = None
        self._data_unheard = 0

    # what the transport tells

    def data_received(self, data: bytes) -> None:
        """Bytes came in."""
        self._incoming.feed(data)
        if self._waiter is not None and not self._is_clogged:
            self._wake()
        elif self._incoming.size > UNREAD_MOST and self.transport is not None and not self._is_deaf:
            self._is_deaf = True
            self.transport.pause_reading()
        if self._data_until is not None:
            self._hear_data(len(data))

    def eof_received(self) -> bool:
        """The client says nothing more, but may still listen: what it said is still answered, except under TLS, which
        ends both ways at once; what it said is done all the same.
        """
        self._end()
        return not self._is_secure

    def connection_lost(self, error: Exception | None) -> None:
        """The client is gone; may be told twice."""
        if self.transport is None:
            return
        if self._timeout_handle is not None:
            self._timeout_handle.cancel()
        self.transport = None
        self._end()
        asyncio.StreamReaderProtocol.connection_lost(self, error)
        self._door.end(self)

    def pause_writing(self) -> None:
        """The client does not read what it is told."""
        self._is_clogged = True

    def resume_writing(self) -> None:
        """It reads again."""
        self._is_clogged = False
        self._wake()

    # what the dialogue asks

    async def line(self, most: int) -> bytes | Reason:
        """The next command line without its end; a reason: it had more than `most` octets. ClientGone."""
        self._heard_at = self.loop.time()
        while (line := self._incoming.line(most)) is None:
            await self._more()
        return line

    def begin_data(self) -> None:
        """What comes next is a message."""
        self._incoming.begin_data()
        self._heard_at = self.loop.time()
        self._data_until = self._heard_at + DATA_SECONDS
        self._data_unheard = 0

    async def data(self, blocks: list[bytes]) -> bool:
        """Waits for more of the message and appends it to `blocks`; whether it has ended. ClientGone."""
        while not (is_ended := self._incoming.data(blocks)) and not blocks:
            await self._more()
        if is_ended:
            self._data_until = None
        return is_ended

    def say(self, reply: bytes) -> None:
        """Sends reply lines; harmless when the client is gone."""
        if self.transport is not None and not self.transport.is_closing():
            self.transport.write(reply)

    async def start_tls(self, go_ahead: bytes) -> None:
        """Says so and changes to TLS; what the client sent before is forgotten. ClientGone."""
        self.say(go_ahead)
        self._incoming.clear()
        await self._change_to_tls()

    # what the server asks

    def stop(self) -> None:
        """Sends the client away: now if it has nothing begun, else when that is finished."""
        if self._is_in_handshake:
            self.abort()
        if self._dialogue is None:
            return
        self._dialogue.is_stopping = True
        if self._dialogue.is_resting:
            self._hang_up(Reason.STOPPING)

    @property
    def is_stranger(self) -> bool:
        """Whether it has neither logged in nor begun a mail."""
        return self._dialogue.is_stranger if self._dialogue is not None else self._was_stranger

    def make_room(self) -> None:
        """Sends the client away, a stranger, because others want in."""
        if self._dialogue is None or self._is_clogged:
            self.abort()
        else:
            self._hang_up(Reason.FULL)

    def abort(self) -> None:
        """Cuts the client off; a message that is being stored will be stored."""
        if self.transport is not None:
            self.transport.abort()

    # the dialogue

    async def _handle_client(self) -> None:
        """What aiosmtpd starts for each connection."""
        try:
            await self._converse()
        except ClientGone:
            pass  # nobody is left to be told
        except Exception as error:  # noqa: BLE001 - the border of a connection: no error of one may end the others
            self.say(self._door.desk.reply(Refusal(Reason.BROKEN)))
            self._door.desk.observe.failed(error)
        finally:
            self._was_stranger = self.is_stranger
            self._dialogue = None  # each knows the other: freed at once, not by the next search for cycles
            self._close()
            self._door.end(self)

    async def _converse(self) -> None:
        assert self.session is not None
        if self._is_ended or self.session.peer is None:
            raise ClientGone
        peer, desk = await self._who(Peer(self.session.peer[0])), self._door.desk
        is_implicit = self._listener.tls is Tls.IMPLICIT
        refused = peer if isinstance(peer, Reason) else self._door.enter(self, peer, self._listener)
        if isinstance(peer, Reason) or refused is not None:
            if refused is not None and not is_implicit:
                self.say(desk.reply(Refusal(refused)))
            return
        self._peer_text = peer.text
        if is_implicit:
            await self._begin_with_tls()
        self._dialogue = Session(
            self, desk, listener=self._listener, peer=peer, clock=self.loop.time, is_secure=is_implicit
        )
        await self._dialogue.converse()

    async def _who(self, peer: Peer) -> Peer | Reason:
        """The client, whom a proxy names where the listener has some; a reason: it is turned away. ClientGone."""
        listener = self._listener
        if not listener.proxies:
            return peer
        found: Peer | Reason = Reason.PROXY_ALONE
        if comes_from_proxy(listener, peer):
            try:
                async with asyncio.timeout(HEADER_SECONDS):
                    found = await announced(peer, self._octets)
            except TimeoutError:
                found = Reason.PROXY_GARBLED
        if isinstance(found, Reason):
            self._door.desk.observe.turned_away(listener.name, peer=peer.text, reason=found)
        return found

    async def _octets(self, most: int) -> bytes:
        """What came, at most so much of it. ClientGone."""
        while not self._incoming.size:
            await self._more()
        return self._incoming.take(most)

    # TLS

    async def _begin_with_tls(self) -> None:
        """The handshake of a client that begins with it. ClientGone."""
        self._is_in_handshake = True
        await self._change_to_tls()
        self._is_in_handshake = False

    async def _change_to_tls(self) -> None:
        """The handshake. ClientGone."""
        assert self._encryption is not None
        readable = self.transport
        if readable is None or readable.is_closing() or self._is_ended:
            raise ClientGone
        self._hear_again(readable)
        self._is_secure = True
        try:
            changed = await self._encryption.change(readable, self, early=self._incoming.take)
        except HandshakeFailed as failure:
            self._door.desk.observe.handshake_failed(self._listener.name, peer=self._peer_text, cause=str(failure))
            self.connection_lost(None)
            raise ClientGone from None
        if self.transport is None:
            raise ClientGone
        self._hear_again(readable)
        self.transport = changed

    async def _more(self) -> None:
        """Waits until something came in, once the client has read what it was told. ClientGone."""
        while self._is_clogged and not self._is_ended:
            await self._woken()
        if self._is_ended:
            raise ClientGone
        if self.transport is not None:
            self._hear_again(self.transport)
        await self._woken()

    def _hear_again(self, transport: asyncio.Transport) -> None:
        """Reads from the client again, where it was not read from."""
        if self._is_deaf:
            self._is_deaf = False
            transport.resume_reading()

    async def _woken(self) -> None:
        self._waiter = self.loop.create_future()
        await self._waiter

    def _end(self) -> None:
        self._is_ended = True
        self._wake()

    def _wake(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    # patience

    def _reset_timeout(self, duration: float | None = None) -> None:
        """What aiosmtpd calls when the connection is made: one timer, which is moved on only when it rings."""
        self._timeout_handle = self.loop.call_later(duration or self._door.timeout, self._timeout_cb)

    def _timeout_cb(self) -> None:
        now = self.loop.time()
        until = (now if self._waiter is None else self._heard_at) + self._door.timeout
        if self._data_until is not None:
            until = min(until, self._data_until)
        if until > now:
            self._timeout_handle = self.loop.call_at(until, self._timeout_cb)
        else:
            self._hang_up(Reason.IDLE)

    def _hear_data(self, count: int) -> None:
        """Octets of a message came; patience begins anew only when there are as many as its whole length asks for."""
        self._data_unheard += count
        if self._data_unheard >= DATA_RATE_LEAST * self._door.timeout:
            self._data_unheard = 0
            self._heard_at = self.loop.time()

    def _hang_up(self, reason: Reason) -> None:
        """Tells the client why and closes; the dialogue finds nobody there."""
        if self._dialogue is not None:
            self._dialogue.refuse(Refusal(reason), Stage.EHLO)
        self._close()
        self._end()

    def _close(self) -> None:
        """Closes when the client has read everything, or after a while."""
        if self.transport is None or self.transport.is_closing():
            return
        if self._timeout_handle is not None:
            self._timeout_handle.cancel()
        self.transport.close()
        if self.transport.get_write_buffer_size() > 0:
            self._timeout_handle = self.loop.call_later(CLOSING_SECONDS, self.abort)
