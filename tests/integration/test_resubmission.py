"""A client that is gone before it can have read `250`, over real sockets and a real relay that may be killed."""

import asyncio
import re
import signal
import socket
import ssl
import struct
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from relay.sandbox.certificates import make_certificates
from tests.integration.relay_process import PATIENCE, Folder, RelayProcess
from tests.integration.sandbox_peer import SandboxProcess


def mail(number: int = 0) -> bytes:
    """A mail; each test has its own."""
    head = b"From: anna@d.test\r\nTo: paziente@example.org\r\nMessage-ID: <ricetta-%d@studio.test>\r\n" % number
    return head + b"Subject: Ricetta\r\n\r\nBuongiorno\r\n.\r\n"


class Client:
    """Speaks SMTP by hand, so that it can be rude."""

    def __init__(self, port: int, tls: ssl.SSLContext | None = None) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        if tls is not None:
            self.socket = tls.wrap_socket(self.socket, server_hostname="127.0.0.1")
        self._file = self.socket.makefile("rb")
        self.reply()
        for command in (b"EHLO pc", b"MAIL FROM:<anna@d.test>", b"RCPT TO:<paziente@example.org>", b"DATA"):
            self.socket.sendall(command + b"\r\n")
            self.reply()

    def reply(self) -> str:
        """The last line of one; empty: the relay is gone."""
        while (line := self._file.readline())[3:4] == b"-":
            pass
        return line.decode().rstrip()

    def send(self, number: int = 0) -> str:
        """Hands in the mail and reads the answer."""
        self.socket.sendall(mail(number))
        return self.reply()

    def close(self) -> None:
        """In good order, as far as the kernel finds it so."""
        self._file.close()
        self.socket.close()

    def reset(self) -> None:
        """As a network that breaks."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()


def id_of(reply: str) -> str:
    found = re.fullmatch(r"250 2\.0\.0 Ok: queued as ([A-Za-z0-9-]+)", reply)
    assert found is not None, reply
    return found[1]


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path, provider=9)


@pytest.fixture
def start(folder: Folder) -> Iterator[Callable[..., RelayProcess]]:
    running: list[RelayProcess] = []

    def started(**environ: str) -> RelayProcess:
        running.append(RelayProcess(folder.config, environ=environ).wait_until_ready())
        return running[-1]

    yield started
    for each in running:
        each.kill()


Start = Callable[..., RelayProcess]


def sent(relay: RelayProcess, number: int = 0, *, port: int | None = None) -> str:
    """The id that a client reads who says goodbye."""
    client = Client(port or relay.smtp)
    told = id_of(client.send(number))
    client.socket.sendall(b"QUIT\r\n")
    assert client.reply().startswith("221 ")
    client.close()
    return told


@pytest.fixture(scope="module")
def relay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RelayProcess]:
    """One that is never restarted."""
    running = RelayProcess(Folder(tmp_path_factory.mktemp("relay"), provider=9).config)
    running.wait_until_ready()
    yield running
    running.kill()


def test_who_read_it_and_sends_it_again_means_two(relay: RelayProcess) -> None:
    assert sent(relay, 1) != sent(relay, 1)


def test_who_read_it_and_closed_without_goodbye_means_two(relay: RelayProcess) -> None:
    client = Client(relay.smtp)
    first = id_of(client.send(2))
    client.close()
    assert sent(relay, 2) != first


@pytest.mark.parametrize(("number", "leave"), [(3, Client.close), (4, Client.reset)])
def test_who_hung_up_before_the_answer_is_told_of_the_first(
    relay: RelayProcess, number: int, leave: Callable[[Client], None]
) -> None:
    client = Client(relay.smtp)
    client.socket.sendall(mail(number))
    leave(client)
    first = sent(relay, number)
    relay.wait_for("accepted_before", id=first)
    assert sent(relay, number) != first, "this time it was read"


def test_who_never_looked_at_the_answer_that_had_arrived_is_told_of_the_first(relay: RelayProcess) -> None:
    client = Client(relay.smtp)
    client.socket.sendall(mail(5))
    assert client.socket.recv(1, socket.MSG_PEEK), "it is there, and nobody reads it"
    client.close()
    first = sent(relay, 5)
    relay.wait_for("accepted_before", id=first)


def test_a_stop_in_good_order_keeps_apart_who_read_it_and_who_did_not(start: Start) -> None:
    running = start()
    client = Client(running.smtp)
    client.socket.sendall(mail())
    client.reset()
    unread = running.wait_for("accepted")["id"]
    read = sent(running, 1)
    assert running.stop() == 0
    again = start()
    assert sent(again) == unread
    assert sent(again, 1) != read


def test_what_a_kill_left_unanswered_and_was_sent_again_arrives_once(
    tmp_path: Path, start: Start, folder: Folder
) -> None:
    inbox = tmp_path / "inbox"
    provider = SandboxProcess("--inbox", str(inbox))
    try:
        folder.routing["providers"]["lab"]["port"] = provider.port
        folder.write()
        killed = start(RELAY_CRASH_AT="put-durable")
        client = Client(killed.smtp)
        client.socket.sendall(mail())
        assert client.reply() == ""
        client.close()
        assert killed.wait() == -signal.SIGKILL
        again = start()
        told = sent(again)
        again.wait_for("accepted_before", id=told)
        again.wait_for("delivered", id=told)
        assert sent(again) != told
        again.wait_for("delivered", times=2)
        assert len(list(inbox.iterdir())) == 2, "the second one was meant, the resubmission was none"
    finally:
        provider.kill()


@pytest.mark.needs("openssl")
@pytest.mark.parametrize("has_read", [False, True])
def test_under_tls_it_is_the_same(tmp_path: Path, start: Start, folder: Folder, has_read: bool) -> None:
    pair = asyncio.run(make_certificates(tmp_path))
    submission = folder.service["submission"]
    submission["listen"].append({"address": "127.0.0.1:0", "tls": "implicit"})
    submission["tls"] = {"certificate": str(pair.certificate), "key": str(pair.key)}
    folder.write()
    running = start()
    ports = [int(each["address"].rpartition(":")[2]) for each in running.records if each["event"] == "listening"]
    context = ssl.create_default_context(cafile=str(pair.authority))
    plain, secure = ports[0], ports[1]
    client = Client(secure, context)
    client.socket.sendall(mail())
    if has_read:
        first = id_of(client.reply())
        assert isinstance(client.socket, ssl.SSLSocket)
        client.socket.unwrap()  # as TLS ends in good order
        client.close()
    else:
        client.reset()
        first = running.wait_for("accepted")["id"]
    assert (sent(running, port=plain) == first) is not has_read
