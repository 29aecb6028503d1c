"""A client that talks to a session without a socket: what it says is there at once, what it hears is remembered.

Law: bytes pass through the shipped reader, so that pipelining and cut lines are what they are on the network.
"""

from base64 import b64encode
from collections.abc import Callable

from relay.core.refusal import Reason
from relay.submission.incoming import Incoming
from relay.submission.peer import Peer
from relay.submission.session import Session
from relay.submission.wire import ClientGone
from tests.fakes.submission import Clock, Office

MAIL = b"MAIL FROM:<m.rossi@d.test>\r\nRCPT TO:<paziente@x.test>\r\nDATA\r\n"
MESSAGE = b"From: m.rossi@d.test\r\nTo: paziente@x.test\r\nSubject: Ricetta\r\n\r\nBuongiorno\r\n"


Step = bytes | Callable[[], None]
"""What a client says, or what happens while it waits."""


class ScriptedWire:
    """A client that says one step after the other, each when the one before is used up, and then hangs up."""

    def __init__(self, *steps: Step) -> None:
        self._steps = list(steps)
        self._incoming = Incoming()
        self.heard = b""
        self.has_finished = False
        self.is_all_read = False
        """What the kernel knows at the end; a test says otherwise."""

    @property
    def has_unread(self) -> bool:
        return self._incoming.size > 0

    async def line(self, most: int) -> bytes | Reason:
        while (line := self._incoming.line(most)) is None:
            self._more()
        return line

    def begin_data(self) -> None:
        self._incoming.begin_data()

    async def data(self, blocks: list[bytes]) -> bool:
        while not (is_ended := self._incoming.data(blocks)) and not blocks:
            self._more()
        return is_ended

    def say(self, reply: bytes) -> None:
        self.heard += reply

    async def start_tls(self, go_ahead: bytes) -> None:
        self.heard += go_ahead
        self._incoming.clear()

    def _more(self) -> None:
        if not self._steps:
            self.has_finished = True
            raise ClientGone
        step = self._steps.pop(0)
        if isinstance(step, bytes):
            self._incoming.feed(step)
        else:
            step()


def plain(login: str = "studio", password: str = "secret") -> bytes:
    return b"AUTH PLAIN " + b64encode(f"\0{login}\0{password}".encode()) + b"\r\n"


async def talk(office: Office, *said: Step, address: str = "127.0.0.1", is_secure: bool = False) -> list[str]:
    """The replies to everything that a client says on a new connection, a line each, without the banner."""
    wire = ScriptedWire(*said)
    session = Session(
        wire, office.desk(), listener=office.listener, peer=Peer(address), clock=Clock(), is_secure=is_secure
    )
    try:
        await session.converse()
    except ClientGone:
        pass
    banner, *replies = wire.heard.decode("ascii").split("\r\n")[:-1]
    assert banner == "220 relay.example.it ESMTP"
    return replies


async def after_login(
    office: Office, *said: Step, address: str = "127.0.0.1", login: str = "studio", is_secure: bool = False
) -> list[str]:
    """The replies to what a client says after EHLO and a login."""
    replies = await talk(office, b"EHLO pc\r\n" + plain(login), *said, address=address, is_secure=is_secure)
    while replies and not replies.pop(0).startswith("235"):
        pass
    return replies


async def send(office: Office, message: bytes = MESSAGE, *, login: str = "studio", mail: bytes = MAIL) -> str:
    """The last reply to one message sent after a login; MESSAGE ends with CRLF."""
    return (await after_login(office, mail + message + b".\r\n", login=login))[-1]
