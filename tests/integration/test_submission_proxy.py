"""Clients that come through a proxy, over real sockets: in clear, by STARTTLS, and under TLS after the header."""

import asyncio
import socket
import ssl
import struct
from collections.abc import Callable
from ipaddress import ip_network
from pathlib import Path

import pytest

from relay.core.refusal import Reason
from relay.core.routing import Tls
from relay.sandbox.certificates import CertificateFiles, make_certificates
from relay.submission import ListenerSettings, proxy, read_certificate
from relay.vault import expiry_of
from tests.fakes.submission import by_address, practice
from tests.integration.submission_peer import LOGIN, Client, Relay, listening
from tests.unit.submission.dialogue import MAIL, MESSAGE

WHOLE = MAIL + MESSAGE + b".\r\n"
HERE = (ip_network("127.0.0.0/8"),)
BEHIND = ListenerSettings("10.0.0.1:25", proxies=HERE)
HEADER = b"PROXY TCP4 203.0.113.7 192.0.2.1 50000 587\r\n"
LOCAL = b"\r\n\r\n\0\r\nQUIT\n" + struct.pack("!BBH", 0x20, 0, 0)


async def through(relay: Relay, said: bytes) -> Client:
    """A connection from the proxy that begins with this; nothing was read yet."""
    reader, writer = await asyncio.open_connection("127.0.0.1", relay.port)
    client = Client(reader, writer)
    await client.say(said)
    return client


async def test_the_client_is_the_one_whom_the_proxy_names() -> None:
    async with listening(listener=BEHIND) as relay:
        client = await through(relay, HEADER)
        assert (await client.reply()).startswith("220 ")
        assert relay.office.observer.told("connected") == [{"listener": "10.0.0.1:25", "peer": "203.0.113.7"}]
        await client.close()


async def test_whoever_comes_from_elsewhere_is_told_and_gone() -> None:
    listener = ListenerSettings("10.0.0.1:25", proxies=(ip_network("10.1.0.0/24"),))
    async with listening(listener=listener) as relay:
        for said in (b"", HEADER):
            client = await through(relay, said)
            assert (await client.reply()).startswith("554 5.7.1 This port is for the proxy")
            await client.close()
        told = relay.office.observer.told("turned_away")
        assert [(one["peer"], one["reason"]) for one in told] == [("127.0.0.1", Reason.PROXY_ALONE)] * 2


async def test_a_proxy_without_a_header_is_told_and_gone() -> None:
    async with listening(listener=BEHIND) as relay:
        client = await through(relay, b"EHLO pc\r\n")
        assert (await client.reply()).startswith("421 4.7.0 The proxy in front of the relay does not say who")
        assert await client.reply() == ""
        await client.close()


async def test_a_proxy_that_says_nothing_is_not_waited_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proxy, "HEADER_SECONDS", 0.2)
    async with listening(listener=BEHIND) as relay:
        client = await through(relay, HEADER[:10])
        assert (await client.reply()).startswith("421 4.7.0 ")
        assert await client.reply() == ""
        await client.close()


async def test_a_proxy_that_looks_whether_the_port_is_open_is_not_worth_a_line() -> None:
    async with listening(listener=BEHIND) as relay:
        quick = await through(relay, b"")
        await quick.close()
        client = await through(relay, HEADER)
        assert (await client.reply()).startswith("220 ")
        await client.close()
        assert relay.office.observer.told("turned_away") == []


async def test_the_bound_per_address_is_the_clients() -> None:
    async with listening(listener=BEHIND, max_connections_per_ip=1) as relay:
        clients = [await through(relay, HEADER.replace(b"113.7", b"113.%d" % last)) for last in (1, 2, 1)]
        assert [(await client.reply())[:3] for client in clients] == ["220", "220", "421"]
        for client in clients:
            await client.close()


@pytest.mark.parametrize("header", [HEADER.replace(b"203.0.113.7", b"127.0.0.1"), LOCAL, b"PROXY UNKNOWN\r\n"])
async def test_nobody_is_trusted_as_this_machine_through_a_proxy(header: bytes) -> None:
    """Neither may a password cross in clear, nor is a client known by the address of loopback."""
    async with listening(practice(by_address()), listener=BEHIND) as relay:
        client = await through(relay, header)
        await client.reply()
        assert "AUTH" not in await client.ask(b"EHLO pc\r\n")
        assert (await client.ask(b"AUTH PLAIN AA==\r\n")).startswith("538 5.7.11 ")
        assert (await client.ask(MAIL[:28])).startswith("530 5.7.0 ")
        await client.close()


async def test_clients_behind_it_are_known_by_address_where_networks_are_trusted() -> None:
    listener = ListenerSettings("10.0.0.1:25", proxies=HERE, has_trusted_networks=True)
    async with listening(practice(by_address(network="203.0.113.0/24")), listener=listener) as relay:
        client = await through(relay, HEADER + b"EHLO pc\r\n" + WHOLE)
        found = [(await client.reply())[:3] for _ in range(6)]
        assert found == ["220", "250", "250", "250", "354", "250"]
        assert b"203.0.113.7" not in relay.office.intake.messages[0].content
        await client.close()
        hidden = await through(relay, LOCAL + b"EHLO pc\r\n" + MAIL[:28])
        assert [(await hidden.reply())[:3] for _ in range(3)] == ["220", "250", "530"]
        await hidden.close()


@pytest.mark.needs("openssl")
class TestUnderTls:
    @pytest.fixture
    async def files(self, tmp_path: Path) -> CertificateFiles:
        return await make_certificates(tmp_path)

    def trusting(self, files: CertificateFiles) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(files.authority))

    def shown(self, files: CertificateFiles) -> Callable[[], ssl.SSLContext]:
        context = read_certificate(files.certificate, files.key, expiry_of).context
        return lambda: context

    async def test_the_header_comes_before_the_handshake(self, files: CertificateFiles) -> None:
        listener = ListenerSettings("10.0.0.1:465", tls=Tls.IMPLICIT, proxies=HERE)
        async with listening(tls=self.shown(files), listener=listener) as relay:
            client = await through(relay, HEADER)
            await client.start_tls(files.authority)
            assert (await client.reply()).startswith("220 ")
            assert (await client.ask(LOGIN + WHOLE, replies=6)).startswith("250 2.0.0 Ok: queued as m-1")
            await client.close()
            assert relay.office.observer.told("connected")[0]["peer"] == "203.0.113.7"

    @pytest.mark.parametrize("cut", [0, 1, len(HEADER), len(HEADER) + 3, len(HEADER) + 100])
    async def test_header_and_handshake_may_come_in_one_piece(self, files: CertificateFiles, cut: int) -> None:
        listener = ListenerSettings("10.0.0.1:465", tls=Tls.IMPLICIT, proxies=HERE)
        async with listening(tls=self.shown(files), listener=listener) as relay:
            banner = await asyncio.to_thread(self.greet, relay.port, self.trusting(files), cut)
            assert banner == b"220 relay.example.it ESMTP\r\n"

    def greet(self, port: int, context: ssl.SSLContext, cut: int) -> bytes:
        """The banner, after header and first flight of the handshake came as two pieces, cut there."""
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = context.wrap_bio(incoming, outgoing, server_hostname="localhost")
        ahead = HEADER
        with socket.create_connection(("127.0.0.1", port), 20) as plain:
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while True:
                try:
                    return tls.read(100)
                except ssl.SSLWantReadError:
                    said, ahead = ahead + outgoing.read(), b""
                    plain.sendall(said[:cut])
                    plain.sendall(said[cut:])
                    incoming.write(plain.recv(65_536))

    async def test_starttls_after_the_header(self, files: CertificateFiles) -> None:
        listener = ListenerSettings("10.0.0.1:587", tls=Tls.STARTTLS, proxies=HERE)
        async with listening(tls=self.shown(files), listener=listener) as relay:
            client = await through(relay, HEADER + b"STARTTLS\r\n")
            assert [(await client.reply())[:3] for _ in range(2)] == ["220", "220"]
            await client.start_tls(files.authority)
            assert (await client.ask(LOGIN + WHOLE, replies=6)).startswith("250 ")
            await client.close()

    async def test_who_is_turned_away_is_told_nothing_that_he_could_not_read(self, files: CertificateFiles) -> None:
        listener = ListenerSettings("10.0.0.1:465", tls=Tls.IMPLICIT, proxies=(ip_network("10.1.0.0/24"),))
        async with listening(tls=self.shown(files), listener=listener) as relay:
            client = await through(relay, b"")
            assert await client.reply() == ""
            await client.close()
            assert len(relay.office.observer.told("turned_away")) == 1
