"""The listeners of submission: where clients come in, from start to stop.

Law: when the relay stops, listeners close first, what was begun is finished, and a message that the store is taking is
never cut off; each step may be asked for twice.
"""

import asyncio
import socket
import ssl
from collections.abc import Callable, Sequence
from functools import partial

from relay.core.routing import Routing, Tls
from relay.errors import ConfigError
from relay.store.ports import Intake
from relay.submission.acceptance import NOTHING_ASKED, Acceptance, Enquiries
from relay.submission.connection import Connection
from relay.submission.desk import Desk
from relay.submission.door import Door
from relay.submission.encryption import Encryption
from relay.submission.login import Verifier
from relay.submission.observer import Observer
from relay.submission.settings import SubmissionSettings

BACKLOG: int = 1024
"""Connections that the kernel keeps until they are taken: a burst of all clients at once."""


class SubmissionServer:
    """Takes mail from clients and hands it to the store."""

    def __init__(
        self,
        intake: Intake,
        routing: Callable[[], Routing],
        *,
        settings: SubmissionSettings,
        authenticator: Verifier,
        new_id: Callable[[], str],
        wall_clock: Callable[[], float],
        observe: Observer,
        enquiries: Enquiries = NOTHING_ASKED,
    ) -> None:
        """`new_id` makes message ids of `[A-Za-z0-9-]`; `wall_clock` gives seconds since 1970 UTC;
        `enquiries` are made before a message is accepted.
        """
        acceptance = Acceptance(intake, settings, new_id=new_id, wall_clock=wall_clock, enquiries=enquiries)
        self._settings = settings
        self._door = Door(Desk(settings, acceptance, routing=routing, authenticator=authenticator, observe=observe))
        self._servers: list[asyncio.Server] = []

    async def start(self, sockets: Sequence[socket.socket], *, tls: Callable[[], ssl.SSLContext] | None = None) -> None:
        """Listens on bound sockets, one for each listener of the settings, in their order. ConfigError: it cannot.

        `tls` has the certificate in force, and is asked at each handshake.
        """
        for listener in self._settings.listeners:
            if listener.tls is not Tls.NONE and tls is None:
                raise ConfigError(f"listener {listener.name}: `tls: {listener.tls}` needs a certificate")
        loop = asyncio.get_running_loop()
        encryption = None if tls is None else Encryption(tls)
        for listener, bound in zip(self._settings.listeners, sockets, strict=True):
            factory = partial(Connection, self._door, listener, loop, encryption=encryption)
            self._servers.append(await loop.create_server(factory, sock=bound, backlog=BACKLOG))

    def stop_listening(self) -> None:
        """Takes no more connections, and sends away the clients that have nothing begun."""
        for server in self._servers:
            server.close()
        self._servers.clear()
        self._door.stop()

    async def drain(self) -> None:
        """Returns when every client has finished what it had begun; the caller sets how long that may take."""
        self.stop_listening()
        await self._door.empty()

    async def close(self) -> None:
        """Cuts off who is still there, and returns when the store has taken what it was given."""
        self.stop_listening()
        self._door.abort()
        await self._door.empty()
