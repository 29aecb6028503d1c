"""A wire between the relay and a server that tests make slow, still or break, and lead elsewhere.

Law: bytes keep their order and are never changed; what a broken wire had under way is lost, as on a network.
"""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress

CHUNK = 65536


class Wire:
    """Listens on loopback and leads to `target`, a port of loopback; runs in a thread of its own."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._delay = 0.0
        self._is_up = True
        self._writers: dict[asyncio.StreamWriter, None] = {}
        self._loop = asyncio.new_event_loop()
        self._may_go_on = asyncio.Event()
        self._may_go_on.set()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(
            asyncio.start_server(self._connected, "127.0.0.1", 0), self._loop
        ).result()
        self.port = int(self._server.sockets[0].getsockname()[1])

    @property
    def address(self) -> str:
        """As the relay's config names a Redis behind it."""
        return f"redis://127.0.0.1:{self.port}"

    # what tests do to it

    def slow(self, seconds: float) -> None:
        """Whatever goes over it, either way, takes so long; 0: as fast as it can."""
        self._do(lambda: setattr(self, "_delay", seconds))

    def hold(self) -> None:
        """Nothing arrives any more, and nobody is told: as with a cable pulled out."""
        self._do(self._may_go_on.clear)

    def go_on(self) -> None:
        """What was held arrives."""
        self._do(self._may_go_on.set)

    def cut(self, *, is_up: bool = True) -> None:
        """Breaks what is connected; with `is_up` False whoever comes is sent away at once."""
        self._do(lambda: self._cut(is_up=is_up))

    def mend(self) -> None:
        """Whoever comes is let through again."""
        self._do(lambda: setattr(self, "_is_up", True))

    def lead_to(self, target: int) -> None:
        """From here on it ends at another port; what was connected is broken."""
        self._do(lambda: setattr(self, "_target", target))
        self.cut()

    def close(self) -> None:
        """Ends it."""
        asyncio.run_coroutine_threadsafe(self._closed(), self._loop).result(60)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(60)
        self._loop.close()

    def _do(self, what: Callable[[], object]) -> None:
        done = threading.Event()

        def call() -> None:
            what()
            done.set()

        self._loop.call_soon_threadsafe(call)
        assert done.wait(60)

    # what happens on it

    def _cut(self, *, is_up: bool) -> None:
        self._is_up = is_up
        for writer in list(self._writers):
            writer.transport.abort()

    async def _closed(self) -> None:
        self._cut(is_up=False)
        self._server.close()
        tasks = [each for each in asyncio.all_tasks() if each is not asyncio.current_task()]
        for each in tasks:
            each.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self._is_up:
            writer.transport.abort()
            return
        self._writers[writer] = None
        try:
            await self._may_go_on.wait()
            other_reader, other = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.transport.abort()
            self._writers.pop(writer, None)
            return
        self._writers[other] = None
        try:
            await asyncio.gather(self._carry(reader, other), self._carry(other_reader, writer))
        finally:
            for each in (writer, other):
                each.transport.abort()
                self._writers.pop(each, None)

    async def _carry(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        """One way, until either end is gone; then both are."""
        with suppress(OSError):
            while chunk := await source.read(CHUNK):
                if self._delay:
                    await asyncio.sleep(self._delay)
                await self._may_go_on.wait()
                target.write(chunk)
                await target.drain()
        target.transport.abort()
