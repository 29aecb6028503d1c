"""What a client hides inside a message never becomes a message of its own at a provider, strict or lax as it may be."""

import asyncio
import re
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import product
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from relay.delivery.commands import data_of
from tests.fakes.submission import Office
from tests.integration.relay_process import PATIENCE, Folder, RelayProcess
from tests.security.lax_provider import LAX, STRICT, LaxProvider
from tests.unit.submission.dialogue import MAIL, MESSAGE, after_login

BEFORE = (b"\r\n", b"\n", b"\r", b"\r\r\n", b"\n\r", b"\r\0\n", b"x")
DOTS = (b".", b"..", b"\0.", b".\0", b". ")
AFTER = (b"\r\n", b"\n", b"\r", b"\r\r\n", b"\n\r", b"\r\0\n", b"\0\r\n", b"\r\n.\n")
ENDS = [before + dot + after for before, dot, after in product(BEFORE, DOTS, AFTER)]
REAL_END = b"\r\n.\r\n"

HIDDEN = b"MAIL FROM:<{sender}>\r\nRCPT TO:<vittima@x.test>\r\nDATA\r\nFrom: {sender}\r\n\r\nsmuggled\r\n"

fragments = st.lists(
    st.sampled_from(
        [b"\r\n", b"\r", b"\n", b".", b"..", b"\r\n.", b"\n.", b".\n", b"\r\n.\r\n"[:4], b"a", b"\0", b"DATA"]
    ),
    max_size=14,
).map(b"".join)


@given(fragments)
@example(b"\n.\n")
@example(b"\n..\n")
@example(b"a\n..\r\n")
@example(b".")
@example(b"a\r\n.")
def test_whatever_is_accepted_ends_once_for_every_reader(text: bytes) -> None:
    """What goes out after DATA, read by the strictest and the laxest rule: one end, and that at the very end."""
    if (b"\r\n" + text + b"\r\n").count(REAL_END):
        return  # the client itself ended its message there
    office = Office()
    asyncio.run(after_login(office, MAIL + MESSAGE + text + b"\r\n.\r\n"))
    for message in office.intake.messages:
        sent = data_of(message.content) + b".\r\n"
        for rule in (STRICT, LAX):
            assert [found.end() for found in rule.finditer(sent)] == [len(sent)]
        assert re.search(rb"(?<!\r)\n|\r(?!\n)|\0", sent) is None


class Client:
    """Says a whole session at once and counts the replies to its messages."""

    def __init__(self, port: int, sender: str) -> None:
        self._port = port
        self._sender = sender.encode()

    def send(self, end: bytes) -> str:
        """Sends one message with another hidden behind `end`; the reply to it."""
        hidden = HIDDEN.replace(b"{sender}", self._sender)
        said = b"EHLO pc\r\nMAIL FROM:<" + self._sender + b">\r\nRCPT TO:<paziente@x.test>\r\nDATA\r\n"
        said += b"From: " + self._sender + b"\r\n\r\nvisible" + end + hidden + REAL_END + b"QUIT\r\n"
        with socket.create_connection(("127.0.0.1", self._port), PATIENCE) as connection:
            connection.sendall(said)
            with connection.makefile("r", encoding="ascii") as file:
                replies = [line for line in file if line[3:4] == " "]
        codes = [reply[:3] for reply in replies]
        assert codes[:5] == ["220", "250", "250", "250", "354"], end
        assert codes[6:] == ["221"], (end, replies)
        return replies[5]


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def test_every_known_end_of_data_is_text_or_refused_and_never_a_second_message(
    stack: ExitStack, tmp_path: Path
) -> None:
    providers = {"anna@d.test": LaxProvider(STRICT), "bruno@d.test": LaxProvider(LAX)}
    folder = Folder(tmp_path, provider=0)
    folder.routing["providers"] = {
        f"to-{sender[0]}": {"host": "127.0.0.1", "port": provider.port, "tls": "none", "auth": "none"}
        for sender, provider in providers.items()
    }
    folder.routing["accounts"] = {sender: {"provider": f"to-{sender[0]}"} for sender in providers}
    folder.write()
    for provider in providers.values():
        stack.callback(provider.close)
    relay = RelayProcess(folder.config)
    stack.callback(relay.kill)
    relay.wait_until_ready()
    accepted = 0
    for end, sender in product(ENDS, providers):
        if REAL_END in end:
            continue  # the client itself ends its message there
        reply = Client(relay.smtp, sender).send(end)
        assert reply.startswith(("250 2.0.0 Ok: queued", "550 5.6.0 ")), (end, reply)
        accepted += reply.startswith("250")
    assert accepted >= 2 * 20, "the forms with LF alone are text, and they all went out"
    relay.wait_for("delivered", times=accepted)
    for provider in providers.values():
        assert provider.stray == []
        assert len(provider.messages) == accepted / 2
        for recipients, message in provider.messages:
            assert recipients == [b"RCPT TO:<paziente@x.test>"]
            assert b"smuggled" in message


def test_a_message_in_chunks_is_not_offered_and_not_taken(stack: ExitStack, tmp_path: Path) -> None:
    """BDAT counts octets where DATA looks for a dot: two ways to end a message are one too many."""
    relay = RelayProcess(Folder(tmp_path, provider=1).config)
    stack.callback(relay.kill)
    relay.wait_until_ready()
    with socket.create_connection(("127.0.0.1", relay.smtp), PATIENCE) as connection:
        connection.sendall(
            b"EHLO pc\r\nMAIL FROM:<anna@d.test>\r\nRCPT TO:<p@x.test>\r\nBDAT 6 LAST\r\nRSET\r\nQUIT\r\n"
        )
        with connection.makefile("r", encoding="ascii") as file:
            said = file.read()
    assert "CHUNKING" not in said
    assert [line[:3] for line in said.splitlines() if line[3:4] == " "] == [
        "220",
        "250",
        "250",
        "250",
        "502",
        "250",
        "221",
    ]
