"""The providers of the simulated world: they count at a moment of their own choosing, even after the relay hung up.

Law: what they counted, whom they let in and what they took is written down here, and only this decides.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from relay.core.envelope import Envelope, LoginFailure, Result, Verdict
from relay.core.reply import Reply
from relay.core.words import MailboxId, Stage
from relay.delivery.upstream import LoginFailed


@dataclass
class Faults:
    """How often what goes wrong, as chances per attempt or login."""

    connect: float = 0.0
    mail_refused: float = 0.0
    rcpt_later: float = 0.0
    rcpt_refused: float = 0.0
    drop_before_dot: float = 0.0
    drop_after_dot: float = 0.0
    slow: float = 0.0
    wrong_password: set[MailboxId] = field(default_factory=set)
    down: bool = False


@dataclass
class Seen:
    """What one provider side wrote down: seconds of the world's true time."""

    counted: list[tuple[float, MailboxId]] = field(default_factory=list)
    taken: list[tuple[float, MailboxId, str, str]] = field(default_factory=list)
    logins: list[tuple[float, MailboxId, bool]] = field(default_factory=list)
    sessions: list[tuple[MailboxId, float, float | None]] = field(default_factory=list)
    mail_from: list[tuple[MailboxId, str]] = field(default_factory=list)
    gated: list[tuple[str, str]] = field(default_factory=list)


@dataclass
class _Open:
    """An attempt the provider has in its hands: MAIL was seen, perhaps the dot too."""

    mailbox: MailboxId
    message: str
    recipient: str
    is_dotted: bool = False
    is_counted: bool = False


class SimulatedProviders:
    """The upstream port of the simulated world."""

    def __init__(self, seed: str, *, linger: float, latency: tuple[float, float], faults: Faults) -> None:
        self.faults = faults
        self.seen = Seen()
        self._seed = seed
        self._chances: dict[MailboxId, random.Random] = {}
        self._linger = linger
        self._latency = latency
        self._hands: list[_Open] = []
        self._sessions: list[SimulatedSession] = []

    def chance(self, mailbox: MailboxId) -> random.Random:
        """Each mailbox has its own luck, so that one doctor's trouble does not change another's."""
        if mailbox not in self._chances:
            self._chances[mailbox] = random.Random(f"{self._seed}/{mailbox}")
        return self._chances[mailbox]

    def now(self) -> float:
        return asyncio.get_running_loop().time()

    async def pause(self, mailbox: MailboxId) -> None:
        """One round trip."""
        chance = self.chance(mailbox)
        seconds = chance.uniform(*self._latency)
        if chance.random() < self.faults.slow:
            seconds *= 20
        await asyncio.sleep(seconds)

    async def open(self, mailbox: MailboxId) -> "SimulatedSession":
        await self.pause(mailbox)
        chance = self.chance(mailbox)
        if self.faults.down or chance.random() < self.faults.connect:
            raise LoginFailed(LoginFailure("network", Stage.CONNECT, None, is_provider=True, is_login_sent=False))
        is_refused = mailbox in self.faults.wrong_password
        self.seen.logins.append((self.now(), mailbox, not is_refused))
        await self.pause(mailbox)
        if is_refused:
            reply = Reply(535, "5.7.8", "authentication failed")
            raise LoginFailed(LoginFailure("auth-rejected", Stage.AUTH, reply, is_provider=False, is_login_sent=True))
        session = SimulatedSession(self, mailbox)
        self._sessions.append(session)
        return session

    async def knock(self, mailbox: MailboxId) -> None:
        await self.pause(mailbox)
        if self.faults.down or self.chance(mailbox).random() < self.faults.connect:
            raise LoginFailed(LoginFailure("network", Stage.CONNECT, None, is_provider=True, is_login_sent=False))

    def count(self, hand: _Open, at: float) -> None:
        """The provider counts this attempt against the mailbox, once."""
        if not hand.is_counted:
            hand.is_counted = True
            self.seen.counted.append((at, hand.mailbox))

    def take_over(self, hand: _Open, at: float) -> None:
        """The message is the provider's."""
        self.seen.taken.append((at, hand.mailbox, hand.message, hand.recipient))

    def let_go(self, hand: _Open) -> None:
        """The connection is gone: what is in the kernels may still be read, up to linger later."""
        chance, now = self.chance(hand.mailbox), self.now()
        self._hands.remove(hand)
        if not hand.is_counted and chance.random() < 0.7:
            self.count(hand, now + chance.uniform(0, self._linger * 0.999))
        if hand.is_dotted and chance.random() < 0.5:
            self.take_over(hand, now)

    def crash(self, now: float) -> None:
        """The relay died: all its connections are gone at once."""
        for session in self._sessions:
            session.hang_up(now)
        self._sessions.clear()
        for hand in list(self._hands):
            chance = self.chance(hand.mailbox)
            self._hands.remove(hand)
            if not hand.is_counted and chance.random() < 0.7:
                self.count(hand, now + chance.uniform(0, self._linger * 0.999))
            if hand.is_dotted and chance.random() < 0.5:
                self.take_over(hand, now)

    def begin(self, mailbox: MailboxId, envelope: Envelope, content: bytes) -> _Open:
        """MAIL FROM was seen."""
        recipient = envelope.recipients[0].address
        hand = _Open(mailbox, _message_of(content), recipient)
        self._hands.append(hand)
        self.seen.mail_from.append((mailbox, envelope.sender))
        return hand

    def finish(self, hand: _Open) -> None:
        """The attempt was answered."""
        self._hands.remove(hand)


def _message_of(content: bytes) -> str:
    """Which message this is: the name its client gave it, in the first header."""
    return content.split(b"\r\n", 1)[0].partition(b": ")[2].decode()


class SimulatedSession:
    """A logged-in connection of the simulated world."""

    def __init__(self, world: SimulatedProviders, mailbox: MailboxId) -> None:
        self._world = world
        self._mailbox = mailbox
        self._usable = True
        self._slot = len(world.seen.sessions)
        world.seen.sessions.append((mailbox, world.now(), None))

    @property
    def is_usable(self) -> bool:
        return self._usable

    @property
    def is_cut_off(self) -> bool:
        return not self._usable

    def hang_up(self, now: float) -> None:
        mailbox, start, end = self._world.seen.sessions[self._slot]
        if end is None:
            self._world.seen.sessions[self._slot] = (mailbox, start, now)
        self._usable = False

    async def close(self) -> None:
        self.hang_up(self._world.now())

    async def transmit(self, envelope: Envelope, content: bytes, gate: Callable[[], Awaitable[bool]]) -> Result:
        world, mailbox = self._world, self._mailbox
        chance, faults = world.chance(mailbox), world.faults
        hand = world.begin(mailbox, envelope, content)
        early = chance.random()
        try:
            if early < 0.3:
                world.count(hand, world.now())
            await world.pause(mailbox)
            refusal = self._refusal(chance, faults)
            if early < 0.6:
                world.count(hand, world.now())
            if refusal is not None:
                world.count(hand, world.now())
                world.finish(hand)
                return refusal
            if chance.random() < faults.drop_before_dot:
                return self._lost(hand, Verdict.DEFERRED, Stage.DATA)
            if not await gate():
                return self._lost(hand, Verdict.DROPPED, Stage.DATA)
            hand.is_dotted = True
            world.seen.gated.append((hand.message, hand.recipient))
            if chance.random() < faults.drop_after_dot:
                await world.pause(mailbox)
                return self._lost(hand, Verdict.IN_DOUBT, Stage.EOD)
            await world.pause(mailbox)
            world.count(hand, world.now())
            world.take_over(hand, world.now())
            world.finish(hand)
        except asyncio.CancelledError:
            world.let_go(hand)
            await self.close()
            raise
        await world.pause(mailbox)
        return _result(Verdict.DELIVERED, "delivered", Stage.EOD, Reply(250, "2.0.0", "Ok"))

    def _refusal(self, chance: random.Random, faults: Faults) -> Result | None:
        if chance.random() < faults.mail_refused:
            return _result(Verdict.HELD, "sender-refused", Stage.MAIL, Reply(550, "5.7.1", "not you"))
        if chance.random() < faults.rcpt_later:
            return _result(Verdict.DEFERRED, "recipient-refused", Stage.RCPT, Reply(450, "4.2.1", "later"))
        if chance.random() < faults.rcpt_refused:
            return _result(Verdict.BOUNCED, "recipient-unknown", Stage.RCPT, Reply(550, "5.1.1", "no such user"))
        return None

    def _lost(self, hand: _Open, verdict: Verdict, stage: Stage) -> Result:
        self._world.let_go(hand)
        self.hang_up(self._world.now())
        return Result(verdict, "network", stage, None, is_mail_written=True, is_end_known=False)


def _result(verdict: Verdict, reply_class: str, stage: Stage, reply: Reply) -> Result:
    return Result(verdict, reply_class, stage, reply, is_mail_written=True, is_end_known=True)
