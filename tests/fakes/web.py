"""An https server that remembers what it was asked, and lies when it is told to."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path


@dataclass(frozen=True)
class Request:
    """One request: its first line, its header fields in lower case, its body."""

    line: str
    headers: dict[str, str]
    body: bytes
    server_name: str | None
    """What the client said in SNI."""


class Act(Enum):
    """What is done instead of an answer."""

    HANG = "hang"
    CLOSE = "close"
    FLOOD_HEADERS = "flood-headers"
    """Header fields without an end."""
    FLOOD_BODY = "flood-body"
    """A body without an end."""
    TRICKLE = "trickle"
    """A header that never ends, slowly enough for each read to succeed."""


Say = bytes | Act


def answer(status: int, *fields: str, body: bytes = b"") -> bytes:
    """An answer in full."""
    lines = [f"HTTP/1.1 {status} Word", f"Content-Length: {len(body)}", *fields, "", ""]
    return "\r\n".join(lines).encode() + body


OK = answer(204)


@dataclass
class WebServer:
    """Says what `script` has, one by one, and then 204; `left` counts connections that the client has ended."""

    script: list[Say] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    connections: int = 0
    port: int = 0
    sent: int = 0
    """Octets that a flood got rid of."""
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    names: list[str | None] = field(default_factory=list)

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            await self._answer(reader, writer)
        except (ConnectionError, ssl.SSLError, asyncio.IncompleteReadError, TimeoutError):
            return
        finally:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        line, *fields = head.rstrip("\r\n").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (each.partition(":") for each in fields)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        self.requests.append(Request(line, headers, body, self.names[-1] if self.names else None))
        self.asked.set()
        say = self.script.pop(0) if self.script else OK
        if isinstance(say, bytes):
            writer.write(say)
            await writer.drain()
        elif say is not Act.CLOSE:
            await self._lie(say, reader, writer)

    async def _lie(self, act: Act, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if act is Act.HANG:
            await reader.read()
        elif act is Act.FLOOD_BODY:
            writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            await self._flood(writer, b"10000\r\n" + b"x" * 65536 + b"\r\n")
        elif act is Act.FLOOD_HEADERS:
            writer.write(b"HTTP/1.1 200 OK\r\n")
            await self._flood(writer, b"X-More: " + b"x" * 65536 + b"\r\n")
        else:
            writer.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
            while not reader.at_eof():
                writer.write(b"x")
                await writer.drain()
                await asyncio.sleep(0.01)

    async def _flood(self, writer: asyncio.StreamWriter, piece: bytes) -> None:
        while not writer.is_closing():
            writer.write(piece)
            await writer.drain()
            self.sent += len(piece)


@asynccontextmanager
async def serving(
    *script: Say, certificate: Path | None = None, key: Path | None = None, host: str = "127.0.0.1"
) -> AsyncIterator[WebServer]:
    """A server on a port that the kernel chose; with a certificate it speaks TLS."""
    server = WebServer(list(script))
    context = None
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        context.sni_callback = lambda _socket, name, _context: server.names.append(name)
    tasks: set[asyncio.Task[None]] = set()

    def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(server.talk(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    listening = await asyncio.start_server(begin, host, 0, ssl=context)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class Names:
    """A name server that remembers; what it does not know is unknown."""

    def __init__(self, **known: Sequence[str]) -> None:
        self.known = {name.replace("_", "."): found for name, found in known.items()}
        self.asked: list[str] = []

    async def __call__(self, host: str) -> Sequence[str]:
        self.asked.append(host)
        if host not in self.known:
            raise OSError("unknown name")
        return self.known[host]
