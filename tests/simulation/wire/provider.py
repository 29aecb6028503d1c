"""A provider on the wire: strict, and with a mind of its own about when it counts, what it says and when it hangs up.

Law: what it counted, whom it let in and what it took is written down at the instant it happens, whatever becomes of the
connection; it counts up to `linger` after the relay let go, and never later.
"""

import asyncio
import base64
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from relay.core.words import MailboxId
from tests.simulation.provider import Seen
from tests.simulation.wire.dialogue import Hand, Voice
from tests.simulation.wire.faults import KEPT, UNCLEAR, Fault, WireFaults, refusal
from tests.simulation.wire.lines import Line

USUAL = {
    "AUTH": b"235 2.7.0 welcome",
    "MAIL": b"250 2.1.0 ok",
    "RCPT": b"250 2.1.5 ok",
    "DATA": b"354 go ahead",
    "DOT": b"250 2.0.0 Ok: queued",
    "RSET": b"250 2.0.0 ok",
    "NOOP": b"250 2.0.0 ok",
    "QUIT": b"221 2.0.0 bye",
}


@dataclass(frozen=True)
class Copy:
    """A message as it arrived here."""

    mailbox: MailboxId
    sender: str
    recipient: str
    content: bytes


@dataclass
class WireSeen(Seen):
    """And what only shows on the wire."""

    copies: list[Copy] = field(default_factory=list)
    rude: list[str] = field(default_factory=list)
    """What no client of a provider may do."""
    lines: list[tuple[MailboxId, Line]] = field(default_factory=list)
    """The relay's ends of the connections on which somebody tried to log in, in this life of the relay."""

    def note_sessions(self) -> None:
        """Writes down from when to when each was there."""
        self.sessions += [(mailbox, line.opened_at, line.gone_at) for mailbox, line in self.lines]
        self.lines.clear()


@dataclass
class WireProvider:
    """One host."""

    name: str
    offer: tuple[str, ...]
    passwords: dict[str, str]
    faults: WireFaults
    latency: tuple[float, float]
    linger: float
    dice_of: Callable[[str], random.Random]
    seen: WireSeen

    @property
    def size(self) -> int | None:
        """The SIZE it offers."""
        return next((int(word.partition(" ")[2]) for word in self.offer if word.startswith("SIZE ")), None)


class Desk(Voice):
    """One connection to a provider."""

    def __init__(self, provider: WireProvider, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(provider.dice_of(provider.name), provider.latency, loop)
        self._provider = provider
        self._seen = provider.seen
        self._mailbox: MailboxId | None = None
        self._login: str | None = None
        self._is_greeted = False
        self._sender = ""
        self._declared: int | None = None
        self._recipient = ""
        self._is_body = False
        self._is_fresh_body = False
        self._breaks_body_at: int | None = None
        self._is_in_transaction = False
        self._is_answered_early = False
        self._is_lying = False
        self._hand: Hand | None = None

    # what arrives

    def greet(self) -> None:
        """The banner."""
        self._obey("BANNER", b"220 " + self._provider.name.encode() + b" ESMTP")

    def octets(self) -> bool:
        """Takes one command or a body; whether there was one."""
        if self._is_body:
            return self._body()
        line, end, rest = self.buffer.partition(b"\r\n")
        if not end:
            return False
        if self.is_speaking and "PIPELINING" not in self._provider.offer:
            self._rude(f"{line[:4]!r} before the last answer")
        self.buffer = rest
        if self._login is not None:
            self._login_said(line)
        else:
            self._command(line)
        return True

    def _command(self, line: bytes) -> None:
        verb = line[:4].upper().decode("ascii", "replace")
        match verb:
            case "EHLO" | "HELO":
                self._is_greeted = True
                lines = [self._provider.name, *self._provider.offer]
                text = [f"250{' ' if one == len(lines) - 1 else '-'}{each}" for one, each in enumerate(lines)]
                self._obey("EHLO", "\r\n".join(text).encode())
            case "AUTH":
                self._auth(line)
            case "MAIL":
                self._mail(line)
            case "RCPT":
                self._rcpt(line)
            case "DATA":
                self._data()
            case "RSET" | "NOOP":
                self._is_in_transaction = False
                self._end_hand()
                self._obey(verb, USUAL[verb])
            case "QUIT":
                self.say(USUAL["QUIT"], then="close")
            case _:
                self._rude(f"{line[:40]!r}")
                self.say(b"500 5.5.2 what")

    def _auth(self, line: bytes) -> None:
        words = line.split(b" ")
        if not self._is_greeted or self._mailbox is not None:
            self._rude("AUTH out of turn")
        if words[1].upper() == b"PLAIN":
            _, login, password = base64.b64decode(words[2]).decode().split("\0")
            self._judge_login(login, password)
        elif len(words) == 3:
            self._login = base64.b64decode(words[2]).decode()
            self.say(b"334 UGFzc3dvcmQ6")
        else:
            self._login = ""
            self.say(b"334 VXNlcm5hbWU6")

    def _login_said(self, line: bytes) -> None:
        if not self._login:
            self._login = base64.b64decode(line).decode()
            self.say(b"334 UGFzc3dvcmQ6")
            return
        login, self._login = self._login, None
        self._judge_login(login, base64.b64decode(line).decode())

    def _judge_login(self, login: str, password: str) -> None:
        provider = self._provider
        mailbox = MailboxId(provider.name, login)
        self.dice = provider.dice_of(f"{provider.name}/{login}")
        is_right = provider.passwords.get(login) == password
        self._seen.logins.append((self.now(), mailbox, is_right))
        self._seen.lines.append((mailbox, self.line.other))
        if is_right:
            if self._obey("AUTH", USUAL["AUTH"]):
                self._mailbox = mailbox
        else:
            self.say(b"535 5.7.8 authentication failed")

    def _mail(self, line: bytes) -> None:
        if self._mailbox is None:
            self._rude("MAIL without a login")
            self.say(b"530 5.7.0 log in")
            return
        address, *parameters = line.decode("utf-8").partition("<")[2].replace(">", " ", 1).split()
        self._sender, self._declared = address, None
        self._seen.mail_from.append((self._mailbox, address))
        for parameter in parameters:
            name, _, value = parameter.partition("=")
            self._declared = int(value) if name == "SIZE" else self._declared
            keyword = {"BODY": "8BITMIME", "RET": "DSN", "ENVID": "DSN"}.get(name, name)
            if not any(word.split(" ")[0] == keyword for word in self._provider.offer):
                self._rude(f"{name} was not offered")
        bound = self._provider.size
        if bound is not None and (self._declared is None or self._declared > bound):
            self._rude(f"SIZE {self._declared} where {bound} is the most")
        if self._is_in_transaction:
            self._rude("MAIL inside a transaction")
        self._end_hand()
        self._hand = Hand(self._mailbox, self.dice, self._seen, self.line.other, self._provider.linger)
        self._hand.maybe_count("MAIL")
        self._recipient = ""
        self._is_in_transaction = self._obey("MAIL", USUAL["MAIL"])

    def _rcpt(self, line: bytes) -> None:
        if not self._is_in_transaction:
            self.say(b"503 5.5.1 MAIL first")
            return
        self._recipient = line.decode("utf-8").partition("<")[2].partition(">")[0]
        if not self._obey("RCPT", USUAL["RCPT"]):
            self._recipient = ""

    def _data(self) -> None:
        if not self._is_in_transaction or not self._recipient:
            self.say(b"503 5.5.1 RCPT first")
            return
        self._is_body = self._is_fresh_body = self._obey("DATA", USUAL["DATA"])

    def _body(self) -> bool:
        if self.buffer and self._is_fresh_body:
            self._is_fresh_body = False
            if self._fault("CLOG") is not None:
                self.stop_reading(self.dice.uniform(0, 8.0))
            if self._fault("BODY") is not None:
                self._breaks_body_at = self.dice.choice([0, 10, 500, 20_000])
        if self._breaks_body_at is not None and len(self.buffer) > self._breaks_body_at:
            self.line.abort()
            return False
        if b"\r\n.\r\n" not in self.buffer[-2000:] and not self.buffer.startswith(b".\r\n"):
            return False  # nothing is pipelined after a dot, so the end can only be at the end
        whole = b"\r\n" + self.buffer
        end = whole.find(b"\r\n.\r\n")
        self.buffer = whole[end + 5 :]
        self._is_body = False
        self._dot(whole[2 : end + 2])
        return True

    def _dot(self, stuffed: bytes) -> None:
        content = b"".join(line[1:] if line[:1] == b"." else line for line in stuffed.splitlines(keepends=True))
        if b"\n" in content.replace(b"\r\n", b"") or b"\r" in content.replace(b"\r\n", b""):
            self._rude("a lone CR or LF")
        if self._declared is not None and self._declared != len(content):
            self._rude(f"SIZE={self._declared} and {len(content)} octets")
        assert self._hand is not None
        self._hand.maybe_count("DOT")
        self._is_in_transaction = False
        if self._is_answered_early:
            self._is_answered_early = False
            self._take(content)
            return
        fault = self._fault("DOT")
        if fault is None or fault in KEPT or (fault in UNCLEAR and self.dice.random() < 0.5):
            self._take(content)
        if fault is None:
            self.say(USUAL["DOT"], after=self._end_hand)
        else:
            self._misbehave("DOT", fault)

    def _take(self, content: bytes) -> None:
        assert self._mailbox is not None
        name = content.split(b"X-Name: ", 1)[-1].split(b"\r\n", 1)[0].decode("ascii", "replace")
        name = name if content.partition(b"\r\n\r\n")[0].count(b"X-Name: ") else ""
        self._seen.taken.append((self.now(), self._mailbox, name, self._recipient))
        self._seen.copies.append(Copy(self._mailbox, self._sender, self._recipient, content))

    # what it says, and what goes wrong

    def _obey(self, stage: str, usual: bytes) -> bool:
        """Answers as it should, or as the dice will; whether it goes on as if it had."""
        fault = self._fault(stage)
        if fault is None:
            self.say(usual)
            return True
        self._misbehave(stage, fault)
        self._is_answered_early = stage == "DATA" and fault is Fault.TWICE
        return fault in KEPT

    def _fault(self, stage: str) -> Fault | None:
        return self._provider.faults.draw(stage, self.dice)

    def _misbehave(self, stage: str, fault: Fault) -> None:
        match fault:
            case Fault.LATER | Fault.NEVER:
                self.say(refusal(stage, fault, self.dice), after=self._count_hand)
            case Fault.CLOSING:
                self.say(b"421 4.3.2 closing", then="close", after=self._count_hand)
            case Fault.GARBAGE:
                self._is_lying = True
                self.say(self.dice.choice([b"\x16\x03\x01 what", b"2", b"HTTP/1.1 400 Bad Request", b"250\x00"]))
            case Fault.TWICE:
                self._is_lying = True
                self.say(USUAL.get(stage, b"250 ok") + b"\r\n250 2.0.0 Ok: queued", after=self._count_hand)
            case Fault.DROP:
                self.hang_up(self.dice.random() < 0.5)
            case Fault.HANG:
                self.go_silent()
            case Fault.SLOW:
                after = self._end_hand if stage == "DOT" else None
                self.say(USUAL.get(stage, b"451 4.3.0 slow"), slowly=True, after=after)

    def _rude(self, what: str) -> None:
        """A provider that lies has no right to complain."""
        if not self._is_lying:
            self._seen.rude.append(f"{what} ({self._mailbox})")

    # the end

    def _end_hand(self) -> None:
        hand, self._hand = self._hand, None
        if hand is not None:
            hand.count_now()

    def _count_hand(self) -> None:
        if self._hand is not None:
            self._hand.count_now()

    def over(self) -> None:
        """The connection is gone."""
        hand, self._hand = self._hand, None
        if hand is not None:
            hand.let_go(self.now())
