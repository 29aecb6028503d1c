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
from relay.submission.hearing import Hearing
from relay.submission.patience import Patience
from relay.submission.peer import Peer
from relay.submission.proxy import client_of
from relay.submission.receipt import Receipt
from relay.submission.session import Session
from relay.submission.settings import ListenerSettings
from relay.submission.wire import ClientGone

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
        self._hearing = Hearing(loop)
        self._receipt = Receipt()
        self._patience = Patience(door.timeout, loop.time())
        self._dialogue: Session | None = None
        self._was_stranger = True

    # what the transport tells

    def data_received(self, data: bytes) -> None:
        """Bytes came in."""
        self._hearing.feed(data, self.transport)
        self._patience.hear(len(data), self.loop.time())

    def eof_received(self) -> bool:
        """The client says nothing more, but may still listen: what it said is still answered, except under TLS, which
        ends both ways at once; what it said is done all the same.
        """
        self._receipt.ended(self.transport)
        self._hearing.end()
        return not self._is_secure

    def connection_lost(self, error: Exception | None) -> None:
        """The client is gone; may be told twice."""
        if self.transport is None:
            return
        if self._timeout_handle is not None:
            self._timeout_handle.cancel()
        if error is None:
            self._receipt.ended(self.transport)
        else:
            self._receipt.broke()
        self.transport = None
        self._hearing.end()
        asyncio.StreamReaderProtocol.connection_lost(self, error)
        self._door.end(self)

    def pause_writing(self) -> None:
        """The client does not read what it is told."""
        self._hearing.is_clogged = True

    def resume_writing(self) -> None:
        """It reads again."""
        self._hearing.unclog()

    # what the dialogue asks

    @property
    def has_unread(self) -> bool:
        """Whether octets are there that the dialogue has not read."""
        return self._hearing.incoming.size > 0

    @property
    def has_finished(self) -> bool:
        """Whether the client says nothing more."""
        return self._hearing.is_ended

    @property
    def is_all_read(self) -> bool:
        """After the end: whether everything that was said arrived."""
        return self._receipt.is_all_read

    async def line(self, most: int) -> bytes | Reason:
        """The next command line without its end; a reason: it had more than `most` octets. ClientGone."""
        self._patience.begin(self.loop.time())
        while (line := self._hearing.incoming.line(most)) is None:
            await self._more()
        return line

    def begin_data(self) -> None:
        """What comes next is a message."""
        self._hearing.incoming.begin_data()
        self._patience.begin_data(self.loop.time())

    async def data(self, blocks: list[bytes]) -> bool:
        """Waits for more of the message and appends it to `blocks`; whether it has ended. ClientGone."""
        while not (is_ended := self._hearing.incoming.data(blocks)) and not blocks:
            await self._more()
        if is_ended:
            self._patience.end_data()
        return is_ended

    def say(self, reply: bytes) -> None:
        """Sends reply lines; harmless when the client is gone."""
        self._receipt.said()
        if self.transport is not None and not self.transport.is_closing():
            self.transport.write(reply)

    async def start_tls(self, go_ahead: bytes) -> None:
        """Says so and changes to TLS; what the client sent before is forgotten. ClientGone."""
        self.say(go_ahead)
        self._hearing.incoming.clear()
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
        if self._dialogue is None or self._hearing.is_clogged:
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
        if self._hearing.is_ended or self.session.peer is None:
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
        found = await client_of(self._listener, peer, self._octets)
        if isinstance(found, Reason):
            self._door.desk.observe.turned_away(self._listener.name, peer=peer.text, reason=found)
        return found

    async def _octets(self, most: int) -> bytes:
        """What came, at most so much of it. ClientGone."""
        while not self._hearing.incoming.size:
            await self._more()
        return self._hearing.incoming.take(most)

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
        if readable is None or readable.is_closing() or self._hearing.is_ended:
            raise ClientGone
        self._hearing.again(readable)
        self._is_secure = True
        try:
            changed = await self._encryption.change(readable, self, early=self._hearing.incoming.take)
        except HandshakeFailed as failure:
            self._door.desk.observe.handshake_failed(self._listener.name, peer=self._peer_text, cause=str(failure))
            self.connection_lost(None)
            raise ClientGone from None
        if self.transport is None:
            raise ClientGone
        self._hearing.again(readable)
        self.transport = changed

    async def _more(self) -> None:
        """Waits until something came in, once the client has read what it was told. ClientGone."""
        await self._hearing.has_read()
        await self._hearing.more(self.transport)

    # patience

    def _reset_timeout(self, duration: float | None = None) -> None:
        """What aiosmtpd calls when the connection is made: one timer, which is moved on only when it rings."""
        self._timeout_handle = self.loop.call_later(duration or self._door.timeout, self._timeout_cb)

    def _timeout_cb(self) -> None:
        now = self.loop.time()
        until = self._patience.until(now, is_waiting=self._hearing.is_waiting)
        if until > now:
            self._timeout_handle = self.loop.call_at(until, self._timeout_cb)
        else:
            self._hang_up(Reason.IDLE)

    def _hang_up(self, reason: Reason) -> None:
        """Tells the client why and closes; the dialogue finds nobody there."""
        self._receipt.sent_away(self.transport)
        if self._dialogue is not None:
            self._dialogue.refuse(Refusal(reason), Stage.EHLO)
        self._close()
        self._hearing.end()

    def _close(self) -> None:
        """Closes when the client has read everything, or after a while."""
        if self.transport is None or self.transport.is_closing():
            return
        if self._timeout_handle is not None:
            self._timeout_handle.cancel()
        self.transport.close()
        if self.transport.get_write_buffer_size() > 0:
            self._timeout_handle = self.loop.call_later(CLOSING_SECONDS, self.abort)
