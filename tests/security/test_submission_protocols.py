"""Commands count only where they belong: not before TLS for after it, not from a browser, not as lines of the log."""

import asyncio
import json
import socket
import ssl
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from relay.sandbox.certificates import make_certificates
from tests.integration.relay_process import PATIENCE, Folder, RelayProcess

pytestmark = pytest.mark.needs("openssl")

SESSION = (
    b"EHLO evil\r\nMAIL FROM:<anna@d.test>\r\nRCPT TO:<vittima@x.test>\r\nDATA\r\n"
    b"From: anna@d.test\r\n\r\nnot hers\r\n.\r\n"
)


@dataclass
class Site:
    """A relay that knows clients at this machine without a login, in clear and by STARTTLS."""

    relay: RelayProcess
    clear: int
    starttls: int
    authority: Path


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    path = tmp_path_factory.mktemp("site")
    files = asyncio.run(make_certificates(path))
    folder = Folder(path, provider=1)
    folder.service["submission"] = {
        "listen": [{"address": "127.0.0.1:0", "tls": "none"}, {"address": "127.0.0.1:0", "tls": "starttls"}],
        "tls": {"certificate": str(files.certificate), "key": str(files.key)},
    }
    folder.write()
    relay = RelayProcess(folder.config)
    try:
        relay.wait_until_ready()
        told = [record["address"] for record in relay.records if record.get("what") == "smtp"]
        clear, starttls = (int(address.rpartition(":")[2]) for address in told)
        yield Site(relay, clear, starttls, files.authority)
    finally:
        relay.kill()


def says(port: int, octets: bytes) -> list[str]:
    """Connects, says all of it at once, hears until the relay hangs up; the replies."""
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as connection:
        connection.sendall(octets)
        connection.shutdown(socket.SHUT_WR)
        with connection.makefile("r", encoding="ascii") as file:
            return [line.rstrip("\n") for line in file if line[3:4] == " "]


def accepted(site: Site) -> int:
    """How many mails it says it has accepted, the one included that is handed in to ask: its log comes in order."""
    reply = says(site.clear, SESSION + b"QUIT\r\n")[-2]
    site.relay.wait_for("accepted", id=reply.split()[-1])
    return site.relay.count("accepted")


@pytest.mark.parametrize("injected", [b"NOOP\r\n", SESSION, b"EHLO evil\r\nAUTH PLAIN AAAA\r\n", b"QUI"])
def test_what_was_slipped_in_before_tls_is_answered_neither_before_nor_after_it(site: Site, injected: bytes) -> None:
    before = accepted(site)
    with socket.create_connection(("127.0.0.1", site.starttls), PATIENCE) as raw:
        with raw.makefile("rb", buffering=0) as file:
            assert file.readline().startswith(b"220 ")
        raw.sendall(b"EHLO pc\r\n")
        heard = b""
        while b"\r\n250 " not in heard:
            heard += raw.recv(4096)
        raw.sendall(b"STARTTLS\r\n" + injected)
        assert raw.recv(4096) == b"220 2.0.0 Ready for TLS\r\n"
        context = ssl.create_default_context(cafile=site.authority)
        with context.wrap_socket(raw, server_hostname="localhost") as secure:
            secure.sendall(b"MAIL FROM:<anna@d.test>\r\nQUIT\r\n")
            with secure.makefile("r", encoding="ascii") as file:
                assert [line[:3] for line in file] == ["503", "221"], "EHLO has to be said again"
    assert accepted(site) == before + 1


def test_a_client_that_does_not_wait_for_the_greeting_is_greeted_first_and_answered_in_order(site: Site) -> None:
    codes = [reply[:3] for reply in says(site.clear, SESSION + b"QUIT\r\n")]
    assert codes == ["220", "250", "250", "250", "354", "250", "221"]
    before_ehlo = says(site.clear, SESSION.partition(b"\r\n")[2])
    assert before_ehlo[0].startswith("220 ")
    assert {reply[:1] for reply in before_ehlo[1:]} == {"5"}


@pytest.mark.parametrize("verb", ["GET", "POST", "PUT", "OPTIONS", "CONNECT"])
def test_a_web_page_cannot_make_a_browser_send_mail(site: Site, verb: str) -> None:
    """The browser is at an address that is known without a login; the page chooses what stands in the body."""
    before = accepted(site)
    request = f"{verb} / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/plain\r\nContent-Length: 900\r\n\r\n"
    replies = says(site.clear, request.encode() + SESSION)
    assert [reply[:3] for reply in replies] == ["220", "421"]
    assert accepted(site) == before + 1


def test_nothing_that_a_client_says_makes_a_line_of_the_log_or_moves_a_terminal(site: Site) -> None:
    forged = '{"time":"x","event":"forged","id":null}'
    evil = f"a\n{forged}\n\x1b[2J\x9b\u202e\u2028"
    login = b64encode(f"\0{evil}\0x".encode())
    says(site.clear, b"EHLO " + evil.replace("\n", "\r").encode() + b"\r\nAUTH PLAIN " + login + b"\r\nQUIT\r\n")
    says(site.clear, b"EHLO x\r\nMAIL FROM:<" + evil.replace("\n", "\r").encode() + b"@d.test> SMTPUTF8\r\nQUIT\r\n")
    says(site.clear, SESSION.replace(b"From:", b"X-Evil: " + evil.encode() + b"\r\nFrom:"))
    accepted(site)
    said = [line for line in site.relay.lines if line.startswith("{")]
    assert all(isinstance(json.loads(line), dict) for line in said)
    assert site.relay.count("forged") == 0
    assert not any(char in line for line in said for char in "\x1b\x9b\u202e\u2028\r")
