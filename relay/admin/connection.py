"""A connection to the HTTP server that may not wait for ever for its request.

Law: while a request is not here whole, a deadline runs, and no byte of it puts the deadline off; where connections
are many, whoever waits longest with nothing under way makes room for the next one.
"""

import asyncio
from typing import ClassVar

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from relay.admin.headers import HEADERS
from relay.admin.problems import problem

UNFINISHED = frozenset({h11.IDLE, h11.SEND_BODY})
"""States of a client whose request is still to come, or to end."""


class Connection(H11Protocol):
    """uvicorn's, which by itself has a deadline only between an answer and the first byte of the next request."""

    request_timeout: ClassVar[float]
    """Seconds from the connection, or from the first byte after an answer, to the end of the request."""

    crowd: ClassVar[int]
    """Connections from which on each new one sends another away."""

    _deadline: asyncio.TimerHandle | None = None
    _since: float = 0.0
    _is_leaving: bool = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Part of asyncio's protocol."""
        super().connection_made(transport)
        self._since = self.loop.time()
        self._watch()
        if len(self.connections) > self.crowd:
            self._make_room()

    def connection_lost(self, exc: Exception | None) -> None:
        """Part of asyncio's protocol."""
        self._unwatch()
        super().connection_lost(exc)

    def handle_events(self) -> None:
        """Called by uvicorn when something was received, and for what lies there already when an answer is out."""
        super().handle_events()
        self._watch()

    def send_400_response(self, msg: str) -> None:
        """Called by uvicorn for what is no request; where an answer is under way or out already it gets no second."""
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            answer = problem(400, "this is no HTTP request", {**HEADERS, "Connection": "close"})
            events = (h11.Response(status_code=400, headers=answer.raw_headers), h11.Data(data=bytes(answer.body)))
            for event in (*events, h11.EndOfMessage()):
                self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    def _make_room(self) -> None:
        """Cuts off who has waited longest of those with no request under way."""
        others = [one for one in self.connections if isinstance(one, Connection) and one is not self and one.is_waiting]
        if others:
            longest = min(others, key=lambda one: one._since)
            longest._is_leaving = True
            longest.transport.abort()

    @property
    def is_waiting(self) -> bool:
        """Whether its next request is still to come, or not here whole."""
        is_idle = self._deadline is not None or self.timeout_keep_alive_task is not None
        return is_idle and not self._is_leaving

    def _watch(self) -> None:
        idles = self.timeout_keep_alive_task is not None
        if self.conn.their_state not in UNFINISHED or self.transport.is_closing():
            self._unwatch()
        elif self._deadline is None and not idles:
            self._deadline = self.loop.call_later(self.request_timeout, self.transport.abort)

    def _unwatch(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


def connection_with(request_timeout: float, *, crowd: int) -> type[Connection]:
    """The class that uvicorn makes its connections of; it wants a class, so the values are bound to one."""
    return type("Connection", (Connection,), {"request_timeout": request_timeout, "crowd": crowd})
