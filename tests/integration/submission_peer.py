"""A submission server on a port that the kernel chose, and clients that talk to it over real sockets.

Law: nothing waits for time: a client reads until the reply it expects is there.
"""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from relay.core.routing import Routing
from relay.submission import SubmissionServer
from tests.fakes.submission import Office
from tests.unit.submission.dialogue import plain

LOGIN = b"EHLO pc\r\n" + plain()


class Relay:
    """A listening server with everything behind it."""

    def __init__(self, office: Office, server: SubmissionServer, port: int) -> None:
        self.office = office
        self.server = server
        self.port = port

    async def client(self, **options: Any) -> "Client":
        """A new connection, its banner read."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, **options)
        client = Client(reader, writer)
        client.banner = await client.reply()
        return client

    async def handshaken(self, authority: Path) -> "Client":
        """A new connection under TLS, after EHLO, STARTTLS and the handshake; nothing was said since."""
        client = await self.client()
        await client.ask(b"EHLO pc\r\n")
        assert (await client.ask(b"STARTTLS\r\n")).startswith("220 ")
        await client.start_tls(authority)
        return client

    async def logged_in(self) -> "Client":
        """A new connection after EHLO and a login."""
        client = await self.client()
        assert (await client.ask(LOGIN, replies=2)).startswith("235 ")
        return client


class Client:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.banner = ""

    async def say(self, octets: bytes) -> None:
        self.writer.write(octets)
        await self.writer.drain()

    async def reply(self) -> str:
        """The next reply, its lines joined; empty: the server hung up."""
        lines = []
        while line := (await self.reader.readline()).decode("ascii"):
            lines.append(line.rstrip("\r\n"))
            if line[3:4] == " ":
                break
        return "\n".join(lines)

    async def ask(self, octets: bytes, *, replies: int = 1) -> str:
        """The last of so many replies to what is said."""
        await self.say(octets)
        return [await self.reply() for _ in range(replies)][-1]

    async def start_tls(self, authority: Path) -> None:
        """The client's part of a handshake."""
        context = ssl.create_default_context(cafile=str(authority))
        await self.writer.start_tls(context, server_hostname="localhost", ssl_handshake_timeout=20)

    def finish(self) -> None:
        """Says nothing more, but still listens."""
        self.writer.write_eof()

    async def close(self) -> None:
        self.writer.close()
        try:
            await self.writer.wait_closed()
        except (ConnectionError, ssl.SSLError):
            pass  # the server may have hung up first, and harder


@asynccontextmanager
async def listening(
    routing: Routing | None = None, *, tls: Callable[[], ssl.SSLContext] | None = None, **settings: Any
) -> AsyncIterator[Relay]:
    """A relay that listens until the block ends; `tls` has its certificate."""
    office = Office(routing, **settings)
    bound = socket.create_server(("127.0.0.1", 0))
    server = SubmissionServer(
        office.intake,
        lambda: office.routing,
        settings=office.settings,
        authenticator=office.logins,
        new_id=lambda: next(office.ids),
        wall_clock=lambda: office.wall,
        observe=office.observer,
    )
    try:
        await server.start([bound], tls=tls)
        yield Relay(office, server, bound.getsockname()[1])
    finally:
        await asyncio.wait_for(server.close(), 30)
        bound.close()
    assert office.observer.errors == []
