"""Recipients' domains looked up at a real name server, and a relay that refuses those that take no mail."""

import asyncio
import smtplib
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from relay.submission.domains import Dns, Domains, Standing
from tests.fakes.nameserver import NameServer, name_server
from tests.fakes.submission import Clock
from tests.integration.relay_process import PATIENCE, Folder, RelayProcess

ZONE = {
    "good.example": {"MX": ["10 mx.good.example."]},
    "bare.example": {"A": ["192.0.2.1"]},
    "six.example": {"AAAA": ["2001:db8::1"]},
    "empty.example": {"TXT": ['"nothing here"']},
    "never.example": {"MX": ["0 ."], "A": ["192.0.2.1"]},
    "many.example": {"MX": [f"10 mx{number:02}.a-long-name-of-a-host.many.example." for number in range(40)]},
    "xn--perch-fsa.example": {"MX": ["10 mx.good.example."]},
}


@pytest.mark.parametrize(
    ("domain", "standing"),
    [
        ("good.example", Standing.FINE),
        ("bare.example", Standing.FINE),
        ("six.example", Standing.FINE),
        ("many.example", Standing.FINE),
        ("perché.example", Standing.FINE),
        ("empty.example", Standing.MISSING),
        ("nothing.example", Standing.MISSING),
        ("never.example", Standing.NULL_MX),
        ("a..b", Standing.FINE),
    ],
)
async def test_what_dns_says_of_a_domain(domain: str, standing: Standing) -> None:
    async with name_server(ZONE) as (_, port):
        assert (await Dns([("127.0.0.1", port)])(domain)).standing is standing


async def test_hosts_are_asked_for_only_where_there_is_no_mx() -> None:
    async with name_server(ZONE) as (server, port):
        dns = Dns([("127.0.0.1", port)])
        await dns("good.example")
        assert server.asked == [("good.example", "MX")]
        await dns("empty.example")
        assert server.asked[1:] == [("empty.example", kind) for kind in ("MX", "A", "AAAA")]


async def test_an_answer_that_is_too_large_for_a_datagram_is_fetched_over_tcp() -> None:
    async with name_server(ZONE) as (server, port):
        assert (await Dns([("127.0.0.1", port)])("many.example")).standing is Standing.FINE
        assert server.over_tcp == 1


@pytest.mark.parametrize("ttl", [1, 600, 10**6])
async def test_an_answer_is_believed_as_long_as_it_says_within_bounds(ttl: int) -> None:
    async with name_server(ZONE, ttl=ttl) as (_, port):
        assert (await Dns([("127.0.0.1", port)])("good.example")).seconds == min(max(ttl, 60), 3600)


async def test_a_server_that_fails_refuses_nobody() -> None:
    async with name_server(ZONE) as (server, port):
        server.is_broken = True
        assert (await Dns([("127.0.0.1", port)])("nothing.example")).standing is Standing.FINE


async def test_a_server_that_is_silent_refuses_nobody_and_is_asked_once() -> None:
    async with name_server(ZONE) as (server, port):
        server.is_silent = True
        domains = Domains(Dns([("127.0.0.1", port)]), Clock(), within=0.2)
        assert await domains.standing("nothing.example") is Standing.FINE
        many = len(server.asked)
        assert await domains.standing("nothing.example") is Standing.FINE
        assert len(server.asked) == many


class Nameserver(threading.Thread):
    """A name server beside a relay that runs as a process."""

    def __init__(self) -> None:
        super().__init__()
        self._ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._end: asyncio.Event | None = None
        self.server: NameServer | None = None
        self.port = 0

    def run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self._loop, self._end = asyncio.get_running_loop(), asyncio.Event()
        async with name_server(ZONE) as (self.server, self.port):
            self._ready.set()
            await self._end.wait()

    def __enter__(self) -> "Nameserver":
        self.start()
        assert self._ready.wait(PATIENCE)
        return self

    def __exit__(self, *_: object) -> None:
        assert self._loop is not None
        assert self._end is not None
        self._loop.call_soon_threadsafe(self._end.set)
        self.join()


@pytest.fixture
def relay(tmp_path: Path) -> Iterator[RelayProcess]:
    with Nameserver() as nameserver:
        folder = Folder(tmp_path, provider=9, contact="Assistenza 0974 000000")
        folder.service["submission"]["nameservers"] = [f"127.0.0.1:{nameserver.port}"]
        folder.routing["accounts"]["anna@d.test"]["recipient_check"] = "dns"
        folder.write()
        running = RelayProcess(folder.config).wait_until_ready()
        try:
            yield running
        finally:
            running.kill()


def test_a_relay_refuses_who_cannot_be_reached_and_takes_the_others(relay: RelayProcess) -> None:
    with smtplib.SMTP("127.0.0.1", relay.smtp, timeout=PATIENCE) as client:
        client.ehlo()
        client.mail("anna@d.test")
        assert client.rcpt("mario@good.example")[0] == 250
        code, text = client.rcpt("mario@gmial.com")
        assert (code, text.split()[0]) == (550, b"5.1.2")
        assert b"Did you mean gmail.com?" in text
        assert client.rcpt("mario@nothing.example")[1].startswith(b"5.1.2 There is no mail at nothing.example")
        assert client.rcpt("mario@never.example")[1].startswith(b"5.1.10 never.example")
        assert client.data(b"From: anna@d.test\r\nSubject: x\r\n\r\nx\r\n")[0] == 250
        client.mail("bruno@d.test")
        assert client.rcpt("mario@nothing.example")[0] == 250, "whose account does not want it has nothing looked up"
    relay.wait_until(lambda running: running.count("refused") >= 3)
    assert not [line for line in relay.lines if "mario" in line or "nothing.example" in line]
