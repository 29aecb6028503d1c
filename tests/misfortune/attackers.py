"""Those who want to keep others out: each kind holds, floods or guesses over real sockets until it is cancelled.

Law: all of it goes to loopback, from addresses of loopback, and what each kind did is counted.
"""

import asyncio
import itertools
import resource
from base64 import b64encode
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

FILES = 8192
"""What the attackers may have open; the relay has its own count."""

CONNECTING_AT_ONCE = 200
"""The kernel keeps so many in line; more would only be lost packets."""


def allow_many_files(count: int = FILES) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(max(count, FILES), hard)), hard))


Act = Callable[[asyncio.StreamReader, asyncio.StreamWriter, str], Awaitable[None]]


class Attackers:
    """Attacks on one port; `done` counts what each kind achieved."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.done: Counter[str] = Counter()
        self._changed = asyncio.Condition()
        self._connecting = asyncio.Semaphore(CONNECTING_AT_ONCE)
        self._sources = (f"127.7.{number // 250}.{1 + number % 250}" for number in itertools.count())

    async def until(self, kind: str, count: int) -> None:
        """Waits until this kind has done so much."""
        async with self._changed:
            await self._changed.wait_for(lambda: self.done[kind] >= count)

    async def _count(self, kind: str) -> None:
        async with self._changed:
            self.done[kind] += 1
            self._changed.notify_all()

    @asynccontextmanager
    async def _connected(self, source: str) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        async with self._connecting:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port, local_addr=(source, 0))
        try:
            yield reader, writer
        finally:
            writer.transport.abort()

    async def hold(self, kind: str, act: Act, *, many: int, each: int) -> None:
        """So many attackers, `each` of them at one address; who is thrown out comes again."""
        sources = [next(self._sources) for _ in range(-(-many // each))]
        await asyncio.gather(*(self._one(kind, act, sources[number // each]) for number in range(many)))

    async def _one(self, kind: str, act: Act, source: str) -> None:
        while True:
            try:
                async with self._connected(source) as (reader, writer):
                    await act(reader, writer, kind)
            except (OSError, asyncio.IncompleteReadError):
                pass  # thrown out: what attackers expect
            await self._count(f"{kind}, again")
            await asyncio.sleep(0.5)

    # the kinds

    async def idle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, kind: str) -> None:
        """Says nothing."""
        await reader.readuntil(b"\n")
        await self._count(kind)
        await reader.read(1)

    async def drip(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, kind: str) -> None:
        """Says a command one octet at a time."""
        await self._count(kind)
        for octet in itertools.cycle(b"EHLO attacker"):
            writer.write(bytes([octet]))
            await asyncio.sleep(0.5)

    async def endless(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, kind: str) -> None:
        """Says a line that never ends."""
        while True:
            writer.write(b"x" * 65536)
            await writer.drain()
            await self._count(kind)
            await asyncio.sleep(0.02)

    async def deaf(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, kind: str) -> None:
        """Asks and asks and never reads an answer."""
        reader._transport.pause_reading()  # type: ignore[attr-defined]
        while True:
            writer.write(b"HELP\r\n" * 1000)
            await writer.drain()
            await self._count(kind)
            await asyncio.sleep(0.05)

    async def guess(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, kind: str) -> None:
        """Guesses the password of a login that exists, a new one each time."""
        await reader.readuntil(b"\n")
        writer.write(b"EHLO attacker\r\n")
        while (await reader.readuntil(b"\n"))[3:4] == b"-":
            pass
        while True:
            guess = b64encode(f"\0practice\0{self.done[kind]}".encode())
            writer.write(b"AUTH PLAIN " + guess + b"\r\n")
            await reader.readuntil(b"\n")
            await self._count(kind)

    async def knock(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, kind: str) -> None:
        """Comes and goes."""
        await self._count(kind)

    async def half_handshake(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, kind: str) -> None:
        """Begins with TLS and stops."""
        writer.write(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
        await self._count(kind)
        await reader.read(1)
