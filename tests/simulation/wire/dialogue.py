"""How a peer of the simulated world hears and speaks: octets in, replies out after a while, in order.

Law: nothing is said before what was said earlier; an attempt is counted once, and never later than `linger` after the
relay let go of its connection.
"""

import asyncio
import random
from collections.abc import Callable
from typing import cast

from relay.core.words import MailboxId
from tests.simulation.provider import Seen
from tests.simulation.wire.lines import Line


class Hand:
    """An attempt that a provider has in its hands since its MAIL."""

    def __init__(self, mailbox: MailboxId, dice: random.Random, seen: Seen, relay: Line, linger: float) -> None:
        self._mailbox = mailbox
        self._dice = dice
        self._seen = seen
        self._relay = relay
        self._linger = linger
        self._when = dice.choice(["MAIL", "DOT", "END"])
        self._is_counted = False

    def maybe_count(self, moment: str) -> None:
        """Counts now if this is the moment it chose."""
        if moment == self._when:
            self.count_now()

    def count_now(self) -> None:
        """Counts, once."""
        self._count(self._relay._loop.time())

    def let_go(self, now: float) -> None:
        """The connection is gone, without an end: it may count later all the same."""
        gone = now if self._relay.gone_at is None else self._relay.gone_at
        if self._dice.random() < 0.7:
            self._count(max(now, gone + self._dice.uniform(0, self._linger)))

    def _count(self, at: float) -> None:
        if self._is_counted:
            return
        self._is_counted = True
        gone = self._relay.gone_at
        latest = at if gone is None else gone + 0.999 * self._linger
        self._seen.counted.append((min(at, latest), self._mailbox))


class Voice(asyncio.Protocol):
    """One connection of a peer; a subclass takes what arrives in `octets`."""

    def __init__(self, dice: random.Random, latency: tuple[float, float], loop: asyncio.AbstractEventLoop) -> None:
        self.dice = dice
        self.line: Line
        self.buffer = b""
        self._latency = latency
        self._loop = loop
        self._speaks_until = 0.0
        self._unsaid = 0
        self._is_silent = False
        self._is_over = False

    def greet(self) -> None:
        """What is said first."""

    def octets(self) -> bool:
        """Takes something from the buffer; whether there was enough."""
        raise NotImplementedError

    def over(self) -> None:
        """The connection is gone."""

    def now(self) -> float:
        """Virtual seconds."""
        return self._loop.time()

    @property
    def is_speaking(self) -> bool:
        """Whether something is still to be said."""
        return self._unsaid > 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.line = cast(Line, transport)
        self.greet()

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while not self._is_silent and not self._is_over and self.octets():
            pass

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._is_over:
            self._is_over = True
            self.over()

    def say(
        self, text: bytes, *, then: str = "", slowly: bool = False, after: Callable[[], None] | None = None
    ) -> None:
        """Says a line after a while; `then` hangs up, `after` is done when it was said."""
        if self._is_silent:
            return
        pause = self.dice.uniform(*self._latency) + (self.dice.choice([3.0, 25.0, 70.0]) if slowly else 0.0)
        self._speaks_until = max(self._speaks_until + 1e-6, self.now() + pause)
        self._unsaid += 1
        if then:
            self._is_silent = True
        self._loop.call_at(self._speaks_until, self._speak, text, then, slowly, after)

    def _speak(self, text: bytes, then: str, slowly: bool, after: Callable[[], None] | None) -> None:
        self._unsaid -= 1
        if self._is_over:
            return
        if after is not None:
            after()
        self.line.write(text + b"\r\n")
        if then:
            self.line.close()
        else:
            self.data_received(b"")

    def hang_up(self, is_hard: bool) -> None:
        """Without a word."""
        self._is_silent = True
        self._loop.call_later(self.dice.uniform(*self._latency), self.line.abort if is_hard else self.line.close)

    def go_silent(self) -> None:
        """Hears nothing more and says nothing more."""
        self._is_silent = True

    def stop_reading(self, seconds: float) -> None:
        """Is busy with something else."""
        self.line.pause_reading()
        self._loop.call_later(seconds, self.line.resume_reading)
