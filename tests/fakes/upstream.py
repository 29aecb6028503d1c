"""Providers that do what the test says, and remember what was done to them."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from relay.core.envelope import Envelope, LoginFailure, Result, Verdict
from relay.core.reply import Reply
from relay.core.words import MailboxId, Stage
from relay.delivery.upstream import LoginFailed

DELIVERED = Result(
    Verdict.DELIVERED, "delivered", Stage.EOD, Reply(250, "2.0.0", "Ok"), is_mail_written=True, is_end_known=True
)

WRONG_PASSWORD = LoginFailure(
    "auth-rejected", Stage.AUTH, Reply(535, "5.7.8", "no"), is_provider=False, is_login_sent=True
)

Act = Callable[["FakeSession", Callable[[], Awaitable[bool]]], Awaitable[Result]]


async def deliver(session: "FakeSession", gate: Callable[[], Awaitable[bool]]) -> Result:
    """As a healthy provider does."""
    await asyncio.sleep(session.upstream.seconds)
    if not await gate():
        session.hang_up()
        return Result(Verdict.DROPPED, "unknown", Stage.DATA, None, is_mail_written=True, is_end_known=False)
    session.dots += 1
    await asyncio.sleep(session.upstream.seconds)
    return DELIVERED


@dataclass(eq=False)
class FakeSession:
    """One session; `closed` counts the calls of `close`."""

    upstream: "FakeUpstream"
    mailbox: MailboxId
    sent: list[bytes] = field(default_factory=list)
    dots: int = 0
    closed: int = 0
    is_up: bool = True

    @property
    def is_usable(self) -> bool:
        return self.is_up

    @property
    def is_cut_off(self) -> bool:
        return not self.is_up and not self.closed

    def hang_up(self) -> None:
        self.is_up = False

    async def transmit(self, envelope: Envelope, content: bytes, gate: Callable[[], Awaitable[bool]]) -> Result:
        self.upstream.under_way += 1
        self.upstream.busiest = max(self.upstream.busiest, self.upstream.under_way)
        self.sent.append(content)
        try:
            return await self.upstream.act(self, gate)
        except BaseException:
            self.hang_up()
            raise
        finally:
            self.upstream.under_way -= 1

    async def close(self) -> None:
        self.closed += 1
        self.is_up = False


class FakeUpstream:
    """Logs everybody in, but whom `refuses` names; `login` may wait, raise or hang."""

    def __init__(self, act: Act = deliver, *, seconds: float = 0.01) -> None:
        self.act = act
        self.seconds = seconds
        self.sessions: list[FakeSession] = []
        self.logins: list[MailboxId] = []
        self.knocks: list[MailboxId] = []
        self.refuses: dict[MailboxId, LoginFailure] = {}
        self.login: Callable[[MailboxId], Awaitable[None]] = self._log_in
        self.under_way = 0
        self.busiest = 0

    async def open(self, mailbox: MailboxId) -> FakeSession:
        self.logins.append(mailbox)
        await self.login(mailbox)
        if mailbox in self.refuses:
            raise LoginFailed(self.refuses[mailbox])
        session = FakeSession(self, mailbox)
        self.sessions.append(session)
        return session

    async def knock(self, mailbox: MailboxId) -> None:
        self.knocks.append(mailbox)
        await self.login(mailbox)
        if mailbox in self.refuses:
            raise LoginFailed(self.refuses[mailbox])

    def of(self, mailbox: MailboxId) -> list[FakeSession]:
        return [session for session in self.sessions if session.mailbox == mailbox]

    async def _log_in(self, mailbox: MailboxId) -> None:
        await asyncio.sleep(self.seconds)
