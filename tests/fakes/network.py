"""A network without sockets, on virtual time: connections are pairs of objects, and every host is a scripted peer."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from tests.fakes.peer import Dialogue, Peer
from tests.simulation.loop import VirtualLoop

_T = TypeVar("_T")


class Pipe(asyncio.Transport):
    """Our end of a connection: what is written reaches `other` in the next step of the loop.

    `is_clogged` makes it keep what is written, as a kernel does whose peer does not read.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, protocol: asyncio.BaseProtocol) -> None:
        super().__init__()
        self._loop = loop
        self.protocol = protocol
        self.other: Pipe | None = None
        self.written: list[bytes] = []
        self.late: list[bytes] = []
        self.is_clogged = False
        self.is_aborted = False
        self._held: list[bytes] = []
        self._closing = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if self._closing:
            self.late.append(bytes(data))
            return
        self.written.append(bytes(data))
        if self.is_clogged:
            self._held.append(bytes(data))
            if isinstance(self.protocol, asyncio.Protocol):
                self.protocol.pause_writing()
        else:
            self._loop.call_soon(self._arrive, bytes(data))

    def unclog(self) -> None:
        """The peer reads again."""
        self.is_clogged = False
        for data in self._held:
            self._loop.call_soon(self._arrive, data)
        self._held.clear()
        assert isinstance(self.protocol, asyncio.Protocol)
        self.protocol.resume_writing()

    def close(self) -> None:
        self._end(lambda other: other.hang_up())

    def abort(self) -> None:
        self.is_aborted = True
        self._held.clear()
        self._end(lambda other: other.hang_up())

    def hang_up(self) -> None:
        """The other end is gone."""
        if not self._closing:
            self._closing = True
            self._loop.call_soon(self.protocol.connection_lost, None)

    def is_closing(self) -> bool:
        return self._closing

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return default

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self.protocol = protocol

    def get_protocol(self) -> asyncio.BaseProtocol:
        return self.protocol

    def _arrive(self, data: bytes) -> None:
        other = self.other
        if other is not None and not other._closing and isinstance(other.protocol, asyncio.Protocol):
            other.protocol.data_received(data)

    def _end(self, tell: "Callable[[Pipe], None]") -> None:
        if self._closing:
            return
        self._closing = True
        self._loop.call_soon(self.protocol.connection_lost, None)
        if self.other is not None:
            self._loop.call_soon(tell, self.other)


def connect(loop: asyncio.AbstractEventLoop, protocol: asyncio.BaseProtocol, peer: Peer) -> Pipe:
    """A connection between a protocol of ours and a peer; returns our end."""
    ours = Pipe(loop, protocol)
    theirs = Pipe(loop, Dialogue(peer))
    ours.other, theirs.other = theirs, ours
    protocol.connection_made(ours)
    theirs.protocol.connection_made(theirs)
    return ours


class NetworkLoop(VirtualLoop):
    """A loop whose connections lead to the peers that it knows."""

    def __init__(self) -> None:
        super().__init__()
        self.peers: dict[str, Peer] = {}
        self.dialled: list[str] = []
        self.dead: set[str] = set()
        """Hosts that never answer."""
        self.pipes: list[Pipe] = []

    async def create_connection(  # type: ignore[override]
        self, protocol_factory: Callable[[], asyncio.BaseProtocol], host: str, port: int, **options: Any
    ) -> tuple[asyncio.Transport, asyncio.BaseProtocol]:
        self.dialled.append(host)
        if host in self.dead:
            await asyncio.Event().wait()
        if host not in self.peers:
            raise ConnectionRefusedError
        protocol = protocol_factory()
        pipe = connect(self, protocol, self.peers[host])
        self.pipes.append(pipe)
        return pipe, protocol


def on_virtual_time(main: Callable[[NetworkLoop], Coroutine[Any, Any, _T]]) -> _T:
    """Runs a test's coroutine; nothing may be left behind that nobody looked at."""
    loop = NetworkLoop()
    asyncio.set_event_loop(loop)
    try:
        result = loop.run_until_complete(main(loop))
    finally:
        left = asyncio.all_tasks(loop)
        for task in left:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        asyncio.set_event_loop(None)
        loop.close()
    assert not loop.complaints, loop.complaints
    return result
