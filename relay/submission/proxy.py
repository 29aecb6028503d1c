"""The PROXY header (versions 1 and 2) by which a load balancer tells who the client is, before anything else is said.

Law: it is believed only from the networks of the listener's proxies, is bounded in octets and in time, and what comes
after it is left untouched; who comes through a proxy is never taken for this machine itself.
Source: haproxy.org, doc/proxy-protocol.txt.
"""

import asyncio
from collections.abc import Awaitable, Callable
from ipaddress import IPv4Address, IPv6Address

from aiosmtpd.proxy_protocol import AF, PROTO, V2_CMD, ProxyData, get_proxy

from relay.core.refusal import Reason
from relay.errors import PermanentError
from relay.submission.peer import Origin, Peer
from relay.submission.settings import ListenerSettings

HEADER_SECONDS: float = 5.0
"""A proxy sends its header with the connection; the standard asks for three at least, for one lost packet."""

LINE_MOST: int = 107
"""Octets of a header of version 1 with its CRLF: the standard's own count."""

HEADER_MOST: int = 4096
"""Octets of a header of version 2: addresses take 232, and what else proxies tell stays far below this."""

Octets = Callable[[int], Awaitable[bytes]]
"""Gives at most so many octets and at least one. ClientGone."""


class HeaderTooLong(PermanentError):
    """the PROXY header is longer than any"""


def comes_from_proxy(listener: ListenerSettings, peer: Peer) -> bool:
    """Whether the connection comes from where this listener has its proxies."""
    return any(peer.address in network for network in listener.proxies)


async def client_of(listener: ListenerSettings, peer: Peer, octets: Octets) -> Peer | Reason:
    """The client, whom a proxy names where the listener has some; a reason: it is turned away. ClientGone."""
    if not listener.proxies:
        return peer
    if not comes_from_proxy(listener, peer):
        return Reason.PROXY_ALONE
    try:
        async with asyncio.timeout(HEADER_SECONDS):
            return await announced(peer, octets)
    except TimeoutError:
        return Reason.PROXY_GARBLED


async def announced(peer: Peer, octets: Octets) -> Peer | Reason:
    """Who the proxy at `peer` says that the client is."""
    found = await get_proxy(_Header(octets))
    if not found.valid:
        return Reason.PROXY_GARBLED
    if found.command == V2_CMD.LOCAL or found.family in (AF.UNSPEC, AF.UNIX):
        return Peer(peer.text, Origin.HIDDEN)
    if not _names_a_stream(found):
        return Reason.PROXY_GARBLED
    return Peer(str(found.src_addr), Origin.PROXIED)


def _names_a_stream(found: ProxyData) -> bool:
    return found.protocol == PROTO.STREAM and isinstance(found.src_addr, IPv4Address | IPv6Address)


class _Header:
    """What the parser reads from: it gets the octets of the header and none of what follows."""

    def __init__(self, octets: Octets) -> None:
        self._octets = octets
        self._left = HEADER_MOST

    async def read(self, n: int = -1) -> bytes:
        if not 0 < n <= self._left:
            raise HeaderTooLong
        got = await self._octets(n)
        self._left -= len(got)
        return got

    async def readexactly(self, n: int) -> bytes:
        got = b""
        while len(got) < n:
            got += await self.read(n - len(got))
        return got

    async def readuntil(self, separator: bytes = b"\n") -> bytes:
        """Only version 1 asks for a line."""
        got = b""
        while not got.endswith(separator):
            if len(got) >= LINE_MOST:
                raise HeaderTooLong
            got += await self.read(1)
        return got
