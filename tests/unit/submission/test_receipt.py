"""Whether what was said has arrived, over real sockets of loopback."""

import asyncio
import socket
import struct

from relay.submission.receipt import Receipt, has_outstanding


class Ear(asyncio.Protocol):
    """The relay's end, which says something when it is told to."""

    def __init__(self) -> None:
        self.receipt = Receipt()
        self.transport: asyncio.Transport | None = None
        self.connected = asyncio.Event()
        self.over = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.connected.set()

    def say(self, octets: bytes) -> None:
        assert self.transport is not None
        self.receipt.said()
        self.transport.write(octets)

    def eof_received(self) -> bool:
        self.receipt.ended(self.transport)
        self.over.set()
        return True

    def connection_lost(self, error: Exception | None) -> None:
        if error is not None:
            self.receipt.broke()
        self.over.set()


async def connected(ear: Ear) -> tuple[asyncio.Server, socket.socket]:
    server = await asyncio.get_running_loop().create_server(lambda: ear, "127.0.0.1", 0)
    client = socket.create_connection(server.sockets[0].getsockname(), timeout=60)
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)  # what arrives is acknowledged at once
    await asyncio.wait_for(ear.connected.wait(), 60)
    return server, client


async def ended(ear: Ear, server: asyncio.Server) -> bool:
    """Whether all was read, once the end is there."""
    await asyncio.wait_for(ear.over.wait(), 60)
    server.close()
    assert ear.transport is not None
    ear.transport.abort()
    return ear.receipt.is_all_read


async def test_who_read_and_closed_has_read() -> None:
    ear = Ear()
    server, client = await connected(ear)
    ear.say(b"250 ok\r\n")
    assert client.recv(100) == b"250 ok\r\n"
    client.close()
    assert await ended(ear, server)


async def test_who_closed_without_reading_what_was_there_has_not() -> None:
    ear = Ear()
    server, client = await connected(ear)
    ear.say(b"250 ok\r\n")
    client.recv(1, socket.MSG_PEEK)
    client.close()
    assert not await ended(ear, server)


async def test_what_is_said_to_who_has_ended_counts_as_unread() -> None:
    ear = Ear()
    server, client = await connected(ear)
    client.shutdown(socket.SHUT_WR)
    await asyncio.wait_for(ear.over.wait(), 60)
    assert ear.receipt.is_all_read
    ear.say(b"250 ok\r\n")
    assert not await ended(ear, server)
    client.close()


async def test_a_connection_that_broke_was_not_read() -> None:
    ear = Ear()
    server, client = await connected(ear)
    ear.say(b"250 ok\r\n")
    client.recv(100)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()
    assert not await ended(ear, server)


async def test_of_whom_the_relay_sends_away_its_farewell_is_not_asked() -> None:
    ear = Ear()
    server, client = await connected(ear)
    ear.say(b"250 ok\r\n")
    assert client.recv(100) == b"250 ok\r\n"
    ear.receipt.sent_away(ear.transport)
    ear.say(b"421 bye\r\n")
    ear.receipt.broke()
    ear.over.set()
    assert await ended(ear, server)
    client.close()


def test_where_nobody_can_tell_it_was_not_read() -> None:
    class Nowhere(asyncio.Transport):
        def get_write_buffer_size(self) -> int:
            return 0

    assert has_outstanding(Nowhere())
    assert not Receipt().is_all_read
    receipt = Receipt()
    receipt.ended(None)
    assert not receipt.is_all_read
