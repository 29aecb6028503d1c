"""The clients of the simulated world: software that speaks SMTP, badly at times, and sends again.

Law: it believes what it reads and nothing else; every try carries a name of its own, so that each copy can be told.
"""

import asyncio
import base64
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.simulation.watching import Told
from tests.simulation.wire.lines import Line
from tests.simulation.wire.network import Network

PATIENCE = 90.0
"""Seconds in which a client wants an answer."""

_REPLY = re.compile(rb"(?:\d{3}-[^\r\n]*\r\n)*\d{3} [^\r\n]*\r\n")
_QUEUED = re.compile(r"250 2\.0\.0 Ok: queued as ([A-Za-z0-9-]+)\r\n")


class HungUp(Exception):
    """The relay is gone, or says nothing."""


@dataclass
class Mail:
    """What a clinic wants to send, and how often it tried."""

    name: str
    sender: str
    to: tuple[str, ...]
    body: bytes
    tries: int = 0
    is_told: bool = False


@dataclass
class WireTold(Told):
    """What the clients know, and the bytes that they sent."""

    ids: dict[str, str] = field(default_factory=dict)
    """The name of a try -> the id that the relay called it by."""
    sent: dict[str, bytes] = field(default_factory=dict)
    """What each try handed in, as it should arrive."""
    unfinished: set[str] = field(default_factory=set)
    """Tries whose final dot was never written."""
    surprises: list[str] = field(default_factory=list)
    """Answers that a client which did nothing wrong should not get."""


@dataclass(frozen=True)
class Habits:
    """How one visit goes."""

    login: str
    """PLAIN, PLAIN-ASKED, LOGIN, or none: known by its address."""
    is_pipelining: bool
    ends_with: str
    """quit, hang-up or half-close (QUIT comes with the dot)."""
    fault: str = ""
    """in-body, after-dot or stall."""


def habits(dice: random.Random, chance: float) -> Habits:
    """The next visit's."""
    return Habits(
        login=dice.choice(["PLAIN", "PLAIN-ASKED", "LOGIN", "none"]),
        is_pipelining=dice.random() < 0.5,
        ends_with=dice.choice(["quit", "quit", "hang-up", "half-close"]),
        fault=dice.choice(["in-body", "after-dot", "stall"]) if dice.random() < chance else "",
    )


class Ear(asyncio.Protocol):
    """The client's end: replies out of octets."""

    def __init__(self) -> None:
        self._heard = b""
        self._is_over = self.is_sent_away = False
        self._news = asyncio.Event()

    def data_received(self, data: bytes) -> None:
        self._heard += data
        self._news.set()

    def connection_lost(self, exc: Exception | None) -> None:
        """`is_sent_away`: the relay closed, and the line was whole."""
        self._is_over, self.is_sent_away = True, exc is None
        self._news.set()

    async def reply(self) -> str:
        """The next one. HungUp."""
        try:
            async with asyncio.timeout(PATIENCE):
                while (found := _REPLY.match(self._heard)) is None:
                    if self._is_over:
                        raise HungUp
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise HungUp from None
        self._heard = self._heard[found.end() :]
        return found.group().decode("ascii")


class Visit:
    """One connection of a client."""

    def __init__(self, told: WireTold, mails: Sequence[Mail], manner: Habits, dice: random.Random) -> None:
        self._told = told
        self._mails = mails
        self._manner = manner
        self._dice = dice
        self._ear = Ear()
        self._line: Line

    async def run(self, network: Network, who: str) -> None:
        """Hands in what it can; whatever goes wrong is for the next visit."""
        alone = self._manner.login == "none"
        try:
            address = "127.0.0.1" if alone else "10.0.0.7"
            self._line = await network.call_in("smtp", self._ear, who=who, address=address)
        except ConnectionRefusedError:
            return
        try:
            await self._converse()
        except HungUp:
            pass
        finally:
            self._line.abort() if self._manner.ends_with == "hang-up" else self._line.close()

    async def _converse(self) -> None:
        await self._expect("220")
        await self._ask(b"EHLO clinic", "250")
        await self._log_in()
        left = [mail for mail in self._mails if not mail.is_told]
        for mail in left:
            await self._hand_in(mail, is_last=mail is left[-1])
        if self._manner.ends_with == "quit":
            await self._ask(b"QUIT", "221")

    async def _log_in(self) -> None:
        plain = base64.b64encode(b"\0clinic\0secret")
        match self._manner.login:
            case "PLAIN":
                await self._ask(b"AUTH PLAIN " + plain, "235")
            case "PLAIN-ASKED":
                await self._ask(b"AUTH PLAIN", "334")
                await self._ask(plain, "235")
            case "LOGIN":
                await self._ask(b"AUTH login", "334")
                await self._ask(base64.b64encode(b"clinic"), "334")
                await self._ask(base64.b64encode(b"secret"), "235")

    async def _hand_in(self, mail: Mail, *, is_last: bool) -> None:
        mail.tries += 1
        name = f"{mail.name}.{mail.tries}"
        content = b"X-Name: %s\r\nFrom: %s\r\n\r\n" % (name.encode(), mail.sender.encode()) + mail.body
        self._told.sent[name] = content
        self._told.unfinished.add(name)
        commands = [b"MAIL FROM:<%s>" % mail.sender.encode()]
        commands += [b"RCPT TO:<%s>" % to.encode() for to in mail.to]
        await self._introduce(commands)
        await self._body(name, content, is_half_closed=is_last and self._manner.ends_with == "half-close")
        answer = await self._verdict(name)
        if (found := _QUEUED.fullmatch(answer)) is not None:
            mail.is_told = True
            self._told.ids[name] = found[1]
            self._told.accepted[name] = (mail.sender, mail.to)
        else:
            self._surprised("250", answer)

    async def _verdict(self, name: str) -> str:
        """The answer to the dot: on a line that holds there is one, whatever the client said after it. HungUp."""
        try:
            return await self._ear.reply()
        except HungUp:
            if self._ear.is_sent_away:
                self._told.surprises.append(f"{name} was handed in whole, and got no answer")
            raise

    async def _introduce(self, commands: list[bytes]) -> None:
        if self._manner.is_pipelining:
            self._line.write(b"".join(command + b"\r\n" for command in [*commands, b"DATA"]))
            for _ in commands:
                await self._expect("250")
            await self._expect("354")
            return
        for command in commands:
            await self._ask(command, "250")
        await self._ask(b"DATA", "354")

    async def _body(self, name: str, content: bytes, *, is_half_closed: bool) -> None:
        stuffed = b"".join(b"." + line if line[:1] == b"." else line for line in content.splitlines(keepends=True))
        if self._manner.fault in ("in-body", "stall"):
            self._line.write(stuffed[: self._dice.randint(0, len(stuffed))])
            await asyncio.sleep(400.0 if self._manner.fault == "stall" else self._dice.uniform(0, 2))
            raise HungUp
        self._told.submitted.add(name)
        self._told.unfinished.discard(name)
        self._line.write(stuffed + (b".\r\nQUIT\r\n" if is_half_closed else b".\r\n"))
        if is_half_closed:
            self._line.write_eof()
        if self._manner.fault == "after-dot":
            await asyncio.sleep(self._dice.choice([0.0, 0.01, 0.5, 2.0]))
            raise HungUp

    async def _ask(self, command: bytes, code: str) -> None:
        self._line.write(command + b"\r\n")
        await self._expect(code)

    async def _expect(self, code: str) -> None:
        answer = await self._ear.reply()
        if not answer.startswith(code):
            self._surprised(code, answer)

    def _surprised(self, code: str, answer: str) -> None:
        """Not now is an answer too; anything else is not what a client should have to hear."""
        if answer[0] != "4":
            self._told.surprises.append(f"{answer.strip()!r} instead of {code}")
        raise HungUp
