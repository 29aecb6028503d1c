"""A provider that follows a script, command by command, and remembers all that it was told.

It decides nothing by itself: a command that the script does not mention is answered as a healthy provider would.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import cast


class Act(Enum):
    """What is done instead of, or after, an answer."""

    CLOSE = "close"
    RESET = "reset"
    HANG = "hang"
    """Nothing more is said, whatever comes."""


@dataclass(frozen=True)
class Trickle:
    """Said byte by byte, `seconds` apart."""

    data: bytes
    seconds: float


@dataclass(frozen=True)
class Flood:
    """`data` over and over, until so many bytes were said or the line is cut."""

    data: bytes
    size: int


Answer = bytes | Act | Trickle | Flood
Script = Mapping[str, Sequence[Answer | Sequence[Answer]]]
"""Verb (and BANNER, BODY, DOT) to answers, one for each time it comes; afterwards as usual."""

OFFER = ("PIPELINING", "SIZE 10000000", "8BITMIME", "SMTPUTF8", "DSN", "AUTH PLAIN LOGIN")

CHALLENGES: Mapping[bytes, Sequence[bytes]] = {
    b"LOGIN": (b"334 VXNlcm5hbWU6\r\n", b"334 UGFzc3dvcmQ6\r\n"),
    b"CRAM-MD5": (b"334 PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2UucmVzdG9uLm1jaS5uZXQ+\r\n",),
}

USUAL: Mapping[str, bytes] = {
    "BANNER": b"220 peer.test ESMTP\r\n",
    "AUTH": b"235 2.7.0 welcome\r\n",
    "MAIL": b"250 2.1.0 ok\r\n",
    "RCPT": b"250 2.1.5 ok\r\n",
    "DATA": b"354 go ahead\r\n",
    "DOT": b"250 2.0.0 Ok: queued as 1\r\n",
    "RSET": b"250 2.0.0 ok\r\n",
    "QUIT": b"221 2.0.0 bye\r\n",
}


def ehlo(*offer: str) -> bytes:
    """The answer to EHLO that offers this."""
    lines = ["peer.test", *offer]
    return "".join(f"250{' ' if line is lines[-1] else '-'}{line}\r\n" for line in lines).encode()


@dataclass
class Peer:
    """The provider; its script goes on from connection to connection."""

    script: Script = field(default_factory=dict)
    offer: Sequence[str] = OFFER
    commands: list[bytes] = field(default_factory=list)
    messages: list[bytes] = field(default_factory=list)
    challenges: Mapping[bytes, Sequence[bytes]] = field(default_factory=lambda: CHALLENGES)
    """By mechanism: what is asked, one after the other, before the answer to AUTH."""
    responses: list[bytes] = field(default_factory=list)
    """What was said to the challenges."""
    dialogues: "list[Dialogue]" = field(default_factory=list)
    used: dict[str, int] = field(default_factory=dict)

    def answer(self, verb: str) -> Sequence[Answer]:
        """What is said to this verb now."""
        answers = self.script.get(verb, ())
        turn = self.used.get(verb, 0)
        self.used[verb] = turn + 1
        if turn < len(answers):
            chosen = answers[turn]
            return (chosen,) if isinstance(chosen, (bytes, Act, Trickle, Flood)) else chosen
        if verb == "BODY":
            return ()
        return (ehlo(*self.offer) if verb == "EHLO" else USUAL.get(verb, b"500 5.5.2 what\r\n"),)

    def verbs(self) -> list[str]:
        """The commands without their arguments."""
        return [verb_of(command) for command in self.commands]


def verb_of(command: bytes) -> str:
    return command.split(b" ", 1)[0].upper().decode("ascii", "replace")


class Dialogue(asyncio.Protocol):
    """One connection of the peer, on whichever transport."""

    def __init__(self, peer: Peer) -> None:
        self.peer = peer
        self.is_over = False
        self.lost = asyncio.get_running_loop().create_future()
        self._transport: asyncio.Transport | None = None
        self._buffer = b""
        self._is_body = False
        self._asked: list[bytes] = []
        self._is_hung = False
        self._speech: asyncio.Task[None] | None = None
        peer.dialogues.append(self)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._say(self.peer.answer("BANNER"))

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while not self._is_hung and self._step():
            pass

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_over = self._is_hung = True
        if self._speech is not None:
            self._speech.cancel()
        if not self.lost.done():
            self.lost.set_result(None)

    @property
    def keeps_waiting(self) -> bool:
        """Whether its peer waits for what never comes, or comes byte by byte."""
        return not self.is_over and (self._is_hung or (self._speech is not None and not self._speech.done()))

    def say(self, data: bytes) -> None:
        """Says something that nobody asked for."""
        self._say((data,))

    def break_off(self) -> None:
        """Hangs up without a word."""
        assert self._transport is not None
        self._transport.abort()

    def _step(self) -> bool:
        if self._is_body:
            return self._take_body()
        line, end, rest = self._buffer.partition(b"\r\n")
        if not end:
            return False
        self._buffer = rest
        if self._asked:
            self.peer.responses.append(line)
            asked = self._asked.pop(0)
            self._say((asked,) if asked else self.peer.answer("AUTH"))
            return True
        self.peer.commands.append(line)
        self._answer(line)
        return True

    def _answer(self, line: bytes) -> None:
        verb = verb_of(line)
        if verb == "AUTH" and (asked := self.peer.challenges.get(line.upper().split()[1], ())):
            self._asked = [*asked[1:], b""]
            self._say((asked[0],))
            return
        answers = self.peer.answer(verb)
        self._is_body = verb == "DATA" and any(isinstance(a, bytes) and a.startswith(b"354") for a in answers)
        self._say(answers)
        if verb == "QUIT" and self._transport is not None and not self._is_hung:
            self._transport.close()

    def _take_body(self) -> bool:
        if self._buffer:
            self._say(self.peer.answer("BODY"))
        whole = b"\r\n" + self._buffer
        end = whole.find(b"\r\n.\r\n")
        if end < 0 or self._is_hung:
            return False
        self._buffer = whole[end + 5 :]
        self._is_body = False
        self.peer.messages.append(whole[2 : end + 2])
        self._say(self.peer.answer("DOT"))
        return True

    def _say(self, answers: Sequence[Answer]) -> None:
        for answer in answers:
            if self._transport is None or self._is_hung:
                return
            match answer:
                case bytes():
                    self._transport.write(answer)
                case Act.CLOSE:
                    self._is_hung = True
                    self._transport.close()
                case Act.RESET:
                    self._is_hung = True
                    self._transport.abort()
                case Act.HANG:
                    self._is_hung = True
                case Trickle() | Flood():
                    self._speech = asyncio.get_running_loop().create_task(self._speak(answer))

    async def _speak(self, answer: Trickle | Flood) -> None:
        assert self._transport is not None
        if isinstance(answer, Flood):
            for _ in range(answer.size // len(answer.data)):
                self._transport.write(answer.data)
                await asyncio.sleep(0)
            return
        for byte in answer.data:
            self._transport.write(bytes((byte,)))
            await asyncio.sleep(answer.seconds)
