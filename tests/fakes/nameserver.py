"""A name server on loopback that answers from a table over UDP and TCP, or says nothing, and remembers its questions.

Law: an answer that does not fit into a datagram is cut and has to be fetched over TCP, as real servers do it.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset

DATAGRAM_MOST = 512
"""Octets of an answer over UDP without EDNS (RFC 1035, 4.2.1)."""

Zone = Mapping[str, Mapping[str, Sequence[str]]]
"""By name, by type, the records; a name that is not here does not exist."""


class NameServer(asyncio.DatagramProtocol):
    """Answers while it is open."""

    def __init__(self, zone: Zone, *, ttl: int = 300) -> None:
        self.zone = zone
        self.ttl = ttl
        self.asked: list[tuple[str, str]] = []
        self.over_tcp = 0
        self.is_silent = False
        self.is_broken = False
        self._transport: asyncio.DatagramTransport | None = None

    # over UDP

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, peer: Any) -> None:
        answer = self._answer(data, datagram=True)
        if answer is not None and self._transport is not None:
            self._transport.sendto(answer, peer)

    # over TCP

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.over_tcp += 1
        size = int.from_bytes(await reader.readexactly(2), "big")
        answer = self._answer(await reader.readexactly(size), datagram=False)
        if answer is not None:
            writer.write(len(answer).to_bytes(2, "big") + answer)
            await writer.drain()
        writer.close()

    def _answer(self, data: bytes, *, datagram: bool) -> bytes | None:
        query = dns.message.from_wire(data)
        asked = query.question[0]
        name, kind = asked.name.to_text(omit_final_dot=True).lower(), dns.rdatatype.to_text(asked.rdtype)
        self.asked.append((name, kind))
        if self.is_silent:
            return None
        answer = dns.message.make_response(query, recursion_available=True)
        if self.is_broken:
            answer.set_rcode(dns.rcode.SERVFAIL)
        elif name not in self.zone:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        elif records := self.zone[name].get(kind):
            answer.answer.append(dns.rrset.from_text_list(asked.name, self.ttl, "IN", kind, records))
        octets = answer.to_wire(max_size=65_535)
        if datagram and len(octets) > DATAGRAM_MOST:
            cut = dns.message.make_response(query, recursion_available=True)
            cut.flags |= dns.flags.TC
            octets = cut.to_wire()
        return octets


@asynccontextmanager
async def name_server(zone: Zone, **settings: Any) -> AsyncIterator[tuple[NameServer, int]]:
    """One on a port of the kernel's choice, the same for UDP and TCP."""
    loop, server = asyncio.get_running_loop(), NameServer(zone, **settings)
    tcp = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    port = tcp.sockets[0].getsockname()[1]
    udp, _ = await loop.create_datagram_endpoint(lambda: server, local_addr=("127.0.0.1", port))
    try:
        yield server, port
    finally:
        udp.close()
        tcp.close()
        await tcp.wait_closed()
