"""The HTTP server: uvicorn on a socket that somebody else bound.

Law: it takes no signal handler, prints nothing, and ends when it is told to, after the answers under way.
"""

import contextlib
from collections.abc import Iterator
from socket import socket

import uvicorn
from fastapi import FastAPI

from relay.admin.connection import connection_with

CONNECTIONS: int = 200
"""Requests at once beyond which 503 is answered: a few dashboards and scrapers need ten."""

CROWD: int = CONNECTIONS - 20
"""Connections from which on each new one sends away another that says nothing: there is room for a request."""

KEEP_ALIVE: int = 30
"""Seconds that an idle connection stays open."""

REQUEST: float = 10
"""Seconds in which a request has to be here whole."""

HEAD: int = 16_384
"""Bytes of a request's head that may wait for the rest of it: browsers' cookies and a token need a tenth."""

CLOSING: int = 3
"""Seconds that answers under way get when the server closes."""


class _Server(uvicorn.Server):
    """Leaves the signals to whoever runs the process."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Captures none."""
        yield


class AdminServer:
    """Serves the application until it is closed."""

    def __init__(self, app: FastAPI, bound: socket, *, request_timeout: float = REQUEST) -> None:
        config = uvicorn.Config(
            app,
            http=connection_with(request_timeout, crowd=CROWD),
            h11_max_incomplete_event_size=HEAD,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=True,
            forwarded_allow_ips="127.0.0.1,::1",
            limit_concurrency=CONNECTIONS,
            timeout_keep_alive=KEEP_ALIVE,
            timeout_graceful_shutdown=CLOSING,
        )
        self._server = _Server(config)
        self._socket = bound

    async def serve(self) -> None:
        """Returns when the server was closed."""
        await self._server.serve([self._socket])

    def close(self) -> None:
        """No new request is taken; `serve` returns soon."""
        self._server.should_exit = True
