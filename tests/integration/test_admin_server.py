"""The HTTP port over real sockets, on both event loops: who says nothing keeps nobody out for long."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import uvloop
from fastapi import FastAPI

from relay.admin import AdminServer
from relay.admin.bodies import BODY_MOST, Bodies
from relay.admin.server import CONNECTIONS, HEAD, REQUEST
from relay.app.sockets import bind

PATIENCE = 20
"""Seconds after which a test has failed; none waits that long."""

AT_ONCE = 0.2
"""Seconds that a request gets in a test that waits for the deadline."""

BOTH_LOOPS = pytest.mark.parametrize("run", [asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])


class Port:
    """A served port, and clients of it."""

    def __init__(self, number: int) -> None:
        self._number = number
        self._writers: list[asyncio.StreamWriter] = []
        self.all_hang = asyncio.Event()
        self.may_end = asyncio.Event()

    async def says(self, sent: bytes) -> asyncio.StreamReader:
        """Connects, sends this, and stays connected."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._number)
        self._writers.append(writer)
        writer.write(sent)
        return reader

    async def health(self) -> bytes:
        """The first line of the answer to a whole request."""
        reader = await self.says(b"GET /healthz HTTP/1.1\r\nHost: relay\r\nConnection: close\r\n\r\n")
        return (await reader.read()).partition(b"\r\n")[0]

    def hang_up(self) -> None:
        for writer in self._writers:
            writer.close()


@asynccontextmanager
async def served(request_timeout: float) -> AsyncIterator[Port]:
    app = FastAPI()

    @app.get("/healthz")
    async def healthz() -> str:
        return "ok"

    hanging: list[int] = []

    @app.get("/hangs")
    async def hangs() -> str:
        hanging.append(1)
        if len(hanging) == CONNECTIONS - 1:
            port.all_hang.set()
        await port.may_end.wait()
        return "done"

    app.add_middleware(Bodies)
    with bind("127.0.0.1", 0) as bound:
        port = Port(bound.getsockname()[1])
        server = AdminServer(app, bound, request_timeout=request_timeout)
        serving = asyncio.create_task(server.serve())
        try:
            async with asyncio.timeout(PATIENCE):
                yield port
        finally:
            port.may_end.set()
            port.hang_up()
            server.close()
            await serving


async def until_cut(reader: asyncio.StreamReader) -> bytes:
    """What came before the end."""
    try:
        return await reader.read()
    except ConnectionResetError:
        return b""


@BOTH_LOOPS
@pytest.mark.parametrize("begun", [b"", b"GET /me"], ids=["nothing", "half a head"])
def test_who_does_not_finish_a_request_is_cut_off(run, begun):
    async def scenario() -> None:
        async with served(AT_ONCE) as port:
            silent = [await port.says(begun) for _ in range(20)]
            assert set(await asyncio.gather(*map(until_cut, silent))) == {b""}

    run(scenario())


@BOTH_LOOPS
@pytest.mark.parametrize("begun", [b"", b"GET /me"], ids=["nothing", "half a head"])
def test_those_who_say_nothing_keep_nobody_out(run, begun):
    async def scenario() -> list[bytes]:
        async with served(REQUEST) as port:
            for _ in range(2 * CONNECTIONS):
                await port.says(begun)
            return [await port.health() for _ in range(3)]

    assert run(scenario()) == [b"HTTP/1.1 200 OK"] * 3


@BOTH_LOOPS
def test_the_port_is_bounded_by_those_who_are_served(run):
    async def scenario() -> bytes:
        async with served(REQUEST) as port:
            hanging = [await port.says(b"GET /hangs HTTP/1.1\r\nHost: relay\r\n\r\n") for _ in range(CONNECTIONS - 1)]
            await asyncio.wait_for(port.all_hang.wait(), PATIENCE)
            said = await port.health()
            port.may_end.set()
            assert [(await one.readline())[:12] for one in hanging] == [b"HTTP/1.1 200"] * len(hanging)
            return said

    assert run(scenario()).startswith(b"HTTP/1.1 503 ")


@BOTH_LOOPS
def test_a_head_without_end_is_refused_at_its_bound(run):
    async def scenario() -> bytes:
        async with served(REQUEST) as port:
            return await until_cut(await port.says(b"GET /healthz HTTP/1.1\r\nX: " + b"x" * HEAD))

    assert run(scenario()).startswith(b"HTTP/1.1 400 ")


@BOTH_LOOPS
@pytest.mark.parametrize("size", [BODY_MOST + 1, 8 * 1024 * 1024])
@pytest.mark.parametrize("is_chunked", [False, True])
def test_who_says_too_much_reads_why_he_is_cut_off(run, size, is_chunked):
    async def scenario() -> bytes:
        async with served(REQUEST) as port:
            said = b"Transfer-Encoding: chunked" if is_chunked else b"Content-Length: %d" % size
            body = b"%x\r\n%s\r\n0\r\n\r\n" % (size, b"x" * size) if is_chunked else b"x" * size
            head = b"POST /healthz HTTP/1.1\r\nHost: relay\r\nContent-Type: application/json\r\n"
            reader = await port.says(head + said + b"\r\n\r\n" + body)
            return await reader.read()  # to the end: it is closed, and not reset

    head, _, document = run(scenario()).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 413 ")
    assert b"application/problem+json" in head.lower()
    assert b"256 KiB" in document


def test_who_asks_before_he_says_too_much_is_answered_at_once():
    async def scenario() -> bytes:
        async with served(REQUEST) as port:
            head = b"POST /healthz HTTP/1.1\r\nHost: relay\r\nContent-Length: 1000000\r\nExpect: 100-continue\r\n\r\n"
            return await (await port.says(head)).read()

    assert asyncio.run(scenario()).startswith(b"HTTP/1.1 413 ")
