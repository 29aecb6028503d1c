"""Clients that cannot be run here hand in their mail by what they are known to say, odd as it is."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.integration.clients.dialogues import DIALOGUES, HEADER, MAIL, NAMES, PLAIN, RCPT, SECRET, TEXT, Dialogue, b64
from tests.integration.clients.practice import Practice
from tests.integration.relay_process import PATIENCE


class Line:
    """One connection, spoken over octet by octet."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._file = connection.makefile("rb")

    def say(self, octets: bytes) -> None:
        self._connection.sendall(octets)

    def finish(self) -> None:
        """Says nothing more, but still listens."""
        self._connection.shutdown(socket.SHUT_WR)

    def hear(self) -> str:
        """The next reply, its lines joined; empty: the relay hung up."""
        lines = []
        while line := self._file.readline().decode("ascii"):
            lines.append(line.rstrip("\r\n"))
            if line[3:4] == " ":
                break
        return "\n".join(lines)

    def ask(self, octets: bytes) -> str:
        self.say(octets)
        return self.hear()

    def close(self) -> None:
        self._file.close()


@contextmanager
def connect(practice: Practice) -> Iterator[Line]:
    with socket.create_connection(("127.0.0.1", practice.ports["none"]), PATIENCE) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        line = Line(connection)
        assert line.hear().startswith("220 ")
        yield line
        line.close()


def session(recipient: str, *, end: bytes = b".\r\nQUIT\r\n") -> bytes:
    """Everything that a client with a login says to send one mail."""
    said = b"EHLO pc\r\nAUTH PLAIN " + PLAIN + b"\r\n" + MAIL + RCPT + b"DATA\r\n" + HEADER + b"\r\n" + TEXT + end
    return said.replace(b"{to}", recipient.encode())


@pytest.mark.parametrize("dialogue", DIALOGUES, ids=lambda dialogue: dialogue.name)
def test_each_dialogue_ends_well_and_its_mail_arrives(shared_practice: Practice, dialogue: Dialogue) -> None:
    with connect(shared_practice) as line:
        for packet, codes in dialogue.packets():
            line.say(packet)
            assert [line.hear()[:3] for _ in codes] == codes, packet
        assert line.hear() == ""
    arrived = shared_practice.raw_mail_to(dialogue.recipient)
    header, _, body = arrived.partition(b"\r\n\r\n")
    assert body == dialogue.body.replace(b"{to}", dialogue.recipient.encode())
    fields = [one.partition(b":")[0].lower() for one in header.split(b"\r\n") if one[:1] not in b" \t"]
    assert [fields.count(name) for name in (b"from", b"date", b"message-id", b"bcc")] == [1, 1, 1, 0]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("verb", [b"EHLO", b"HELO"])
def test_a_client_may_call_itself_what_it_likes(shared_practice: Practice, verb: bytes, name: bytes) -> None:
    with connect(shared_practice) as line:
        assert line.ask(verb + b" " + name + b"\r\n").startswith("250")
        assert line.ask(MAIL).startswith("530 5.7.0 ")
        assert line.ask(b"QUIT\r\n").startswith("221 ")


def test_a_client_without_a_name_is_told_and_may_go_on(shared_practice: Practice) -> None:
    with connect(shared_practice) as line:
        assert line.ask(b"EHLO\r\n").startswith("501 ")
        assert line.ask(b"HELO \r\n").startswith("501 ")
        assert line.ask(b"HELO pc\r\n").startswith("250 ")


def test_one_connection_for_each_mail(shared_practice: Practice) -> None:
    for number in range(10):
        with connect(shared_practice) as line:
            line.say(session(f"one-each-{number}@example.org"))
            assert [line.hear()[:3] for _ in range(7)] == ["250", "235", "250", "250", "354", "250", "221"]
    for number in range(10):
        shared_practice.raw_mail_to(f"one-each-{number}@example.org")


def test_a_client_that_half_closes_after_quit_still_hears_that_its_mail_is_safe(shared_practice: Practice) -> None:
    with connect(shared_practice) as line:
        line.say(session("half-close@example.org"))
        line.finish()
        assert [line.hear()[:3] for _ in range(8)] == ["250", "235", "250", "250", "354", "250", "221", ""]
    shared_practice.raw_mail_to("half-close@example.org")


def test_a_client_that_says_quit_and_hangs_up_has_sent_its_mail(shared_practice: Practice) -> None:
    with connect(shared_practice) as line:
        line.say(session("no-wait@example.org", end=b""))
        assert [line.hear()[:3] for _ in range(5)] == ["250", "235", "250", "250", "354"]
        line.say(b".\r\nQUIT\r\n")
    assert shared_practice.raw_mail_to("no-wait@example.org")


def test_a_client_that_hangs_up_before_the_dot_has_sent_nothing(shared_practice: Practice) -> None:
    with connect(shared_practice) as line:
        line.say(session("cut-off@example.org", end=b""))
        line.finish()
        assert [line.hear()[:3] for _ in range(6)] == ["250", "235", "250", "250", "354", ""]
    with connect(shared_practice) as line:
        line.say(session("after-cut-off@example.org"))
        assert line.hear().startswith("250")
    shared_practice.raw_mail_to("after-cut-off@example.org")
    assert not [raw for raw in shared_practice.inbox() if b"To: cut-off@" in raw]


def test_a_client_that_sends_octet_by_octet_is_understood(shared_practice: Practice) -> None:
    with connect(shared_practice) as line:
        for octet in session("octets@example.org"):
            line.say(bytes([octet]))
        assert [line.hear()[:3] for _ in range(7)] == ["250", "235", "250", "250", "354", "250", "221"]
    shared_practice.raw_mail_to("octets@example.org")


@pytest.mark.parametrize(
    ("said", "replies"),
    [
        ((b"AUTH PLAIN " + b64("\0wrong\0x") + b"\r\n",), ["535"]),
        ((b"AUTH PLAIN\r\n", b64("\0wrong\0x") + b"\r\n"), ["334", "535"]),
        ((b"AUTH login\r\n", b64("wrong") + b"\r\n", SECRET + b"\r\n"), ["334", "334", "535"]),
        ((b"AUTH LOGIN " + b64("wrong") + b"\r\n", SECRET + b"\r\n"), ["334", "535"]),
        ((b"AUTH LOGIN\r\n", b"*\r\n"), ["334", "501"]),
        ((b"AUTH CRAM-MD5\r\n",), ["504"]),
        ((b"AUTH PLAIN not base64!\r\n",), ["501"]),
    ],
)
def test_after_a_failed_login_the_client_may_try_another(
    shared_practice: Practice, said: tuple[bytes, ...], replies: list[str]
) -> None:
    with connect(shared_practice) as line:
        line.ask(b"EHLO pc\r\n")
        assert [line.ask(packet)[:3] for packet in said] == replies
        assert line.ask(b"AUTH PLAIN " + PLAIN + b"\r\n").startswith("235 ")


def test_a_refused_recipient_leaves_the_others(shared_practice: Practice) -> None:
    with connect(shared_practice) as line:
        line.say(b"EHLO pc\r\nAUTH PLAIN " + PLAIN + b"\r\n" + MAIL + b"RCPT TO:<no address>\r\n")
        assert [line.hear()[:3] for _ in range(4)] == ["250", "235", "250", "553"]
        line.say(RCPT.replace(b"{to}", b"other-one@example.org") + b"DATA\r\n")
        assert [line.hear()[:3] for _ in range(2)] == ["250", "354"]
        message = HEADER.replace(b"{to}", b"other-one@example.org") + b"\r\n" + TEXT + b".\r\n"
        assert line.ask(message).startswith("250 2.0.0 Ok: queued as ")
    shared_practice.raw_mail_to("other-one@example.org")
