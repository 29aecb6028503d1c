"""TLS under a dialogue: the certificate in force, and the handshakes that turn a connection into an encrypted one.

Law: what came readable before a change to TLS never counts after it, except the first octets of the handshake itself;
a handshake is bounded in time, and takes the certificate that is in force when it begins. In number they are bounded by
the door: there are never more than connections, and who hangs in one makes room for others.
"""

import asyncio
import ssl
from collections.abc import Callable
from typing import Any

from relay.errors import TemporaryError

HANDSHAKE_SECONDS: float = 20.0
"""A handshake is two round trips; a client that takes longer is no client."""

SHUTDOWN_SECONDS: float = 10.0
"""How long a client may take to say that it has heard the end."""


class HandshakeFailed(TemporaryError):
    """the client did not come to an agreement on TLS"""


class Encryption:
    """Changes connections to TLS; one for all of them."""

    def __init__(self, context: Callable[[], ssl.SSLContext]) -> None:
        """`context` has the certificate in force."""
        self._context = context

    async def change(
        self, transport: asyncio.Transport, protocol: asyncio.Protocol, *, early: Callable[[], bytes]
    ) -> asyncio.Transport:
        """The encrypted transport in place of this one.

        `early` hands over what came of the handshake before it began. HandshakeFailed: there is none, this one is
        closed.
        """
        loop = asyncio.get_running_loop()
        changing = loop.create_task(
            loop.start_tls(
                transport,
                protocol,
                self._context(),
                server_side=True,
                ssl_handshake_timeout=HANDSHAKE_SECONDS,
                ssl_shutdown_timeout=SHUTDOWN_SECONDS,
            )
        )
        loop.call_soon(_feed_soon, loop, transport, early)
        try:
            changed = await changing
        except OSError as error:
            transport.abort()
            raise HandshakeFailed(said(error)) from None
        except RuntimeError:  # what uvloop makes of a transport that closed just before
            if not transport.is_closing():
                raise
            raise HandshakeFailed("the client hung up") from None
        if changed is None or transport.is_closing():
            raise HandshakeFailed("the client hung up")
        return changed


def said(error: OSError) -> str:
    """Why a handshake failed, in a few words without an address."""
    if isinstance(error, ssl.SSLError):
        return (getattr(error, "reason", None) or "no TLS").lower().replace("_", " ")
    if isinstance(error, ConnectionResetError):
        return "the client hung up"
    if isinstance(error, ConnectionAbortedError | TimeoutError):
        return "the client took too long"
    return (error.strerror or type(error).__name__).lower()


def _feed_soon(loop: asyncio.AbstractEventLoop, transport: asyncio.Transport, early: Callable[[], bytes]) -> None:
    """Runs right after `start_tls` has begun: from then on nothing more comes early, and what is scheduled here runs
    right after what that has scheduled, the beginning of the handshake, with nothing from the network in between.
    """
    loop.call_soon(_feed, transport, early())


def _feed(transport: asyncio.Transport, early: bytes) -> None:
    protocol: Any = transport.get_protocol()  # a BufferedProtocol, but not on uvloop by its class
    while early and not transport.is_closing():
        room = memoryview(protocol.get_buffer(len(early))).cast("B")
        count = min(len(room), len(early))
        room[:count] = early[:count]
        protocol.buffer_updated(count)
        early = early[count:]
