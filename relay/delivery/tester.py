"""Tries a mailbox by hand: logs in now, says MAIL and RCPT with its own address, takes both back, and hangs up.

Law: it has no other rights than the mail: what it does is reserved in the store before it is done, and reported as any
session and any attempt is; one mailbox is tried by one at a time.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Protocol

from relay.core.envelope import LoginFailure, Result, Verdict
from relay.core.limits import SECOND
from relay.core.meaning import ReplyClass
from relay.core.tested import Finding, Tested
from relay.core.words import AccountId, MailboxId, Stage
from relay.delivery.crew import Crew
from relay.delivery.observer import Observer
from relay.delivery.steady import DeliveryStore, SteadyStore
from relay.delivery.upstream import LoginFailed
from relay.errors import StoreError
from relay.store.ports.sessions import SessionEvent
from relay.store.ports.trials import NotNow, Trial, Trials

MOST: int = 8
"""Mailboxes tried at once: a call centre has not more people on the telephone, and each holds a connection."""

PATIENCE: float = 90.0
"""Seconds for one trial: an agent waits with the doctor on the telephone, and a provider's own time-outs are longer."""

AGAIN: float = 10.0
"""Seconds after which a mailbox that was out of reach is tried by hand again."""

SETTLED_WITHIN: int = 5 * SECOND
"""For the store to take what was cut short at a stop."""


class RehearsedSession(Protocol):
    """A logged-in connection to a provider."""

    async def rehearse(self, address: str) -> Result:
        """MAIL and RCPT with this address, and RSET; `delivered` means that both were taken."""

    async def close(self) -> None:
        """Says QUIT where that is possible and hangs up."""


class Rehearsals(Protocol):
    """Where such sessions come from."""

    async def open(self, mailbox: MailboxId) -> RehearsedSession:
        """Connects and logs in as this mailbox; LoginFailed says what was refused and by whom."""


@dataclass(frozen=True, slots=True)
class TesterStore:
    """What the tester needs of the store."""

    trials: Trials
    delivery: DeliveryStore


class Tester:
    """Tries mailboxes; `make_room` closes the idle sessions of one, whose place is needed."""

    def __init__(
        self,
        upstream: Rehearsals,
        store: TesterStore,
        *,
        node: str,
        observe: Observer,
        make_room: Callable[[MailboxId], Awaitable[None]],
        on_fatal: Callable[[BaseException], None],
        patience: float = PATIENCE,
    ) -> None:
        self._upstream = upstream
        self._trials = store.trials
        self._steady = SteadyStore(store.delivery, observe, pause=SECOND)
        self._node = node
        self._observe = observe
        self._make_room = make_room
        self._crew = Crew(observe, on_fatal)
        self._patience = patience
        self._tried: dict[MailboxId, asyncio.Task[None]] = {}
        self._unreached: dict[MailboxId, float] = {}
        self._is_stopping = False

    async def test(self, account: AccountId, mailbox: MailboxId) -> Tested:
        """What is right or wrong with an account's mailbox; it goes on to its end if nobody waits. UnknownAccount."""
        refusal = self._refusal(mailbox)
        if refusal is not None:
            return _not_now(account, mailbox, NotNow(refusal))
        answer: asyncio.Future[Tested] = asyncio.get_running_loop().create_future()
        self._tried[mailbox] = self._crew.spawn(self._answer(account, mailbox, answer))
        return await answer

    async def stop(self) -> None:
        """Cuts short what is under way, and reports it; may be called twice."""
        self._is_stopping = True
        for trial in self._tried.values():
            trial.cancel()
        await self._crew.until_done(SETTLED_WITHIN)
        await self._crew.dismiss()

    def _refusal(self, mailbox: MailboxId) -> str | None:
        if self._is_stopping:
            return "stopping"
        if mailbox in self._tried:
            return "testing"
        return "busy" if len(self._tried) >= MOST else None

    async def _answer(self, account: AccountId, mailbox: MailboxId, answer: "asyncio.Future[Tested]") -> None:
        try:
            tested = await self._test(account, mailbox)
        except asyncio.CancelledError:
            tested = _not_now(account, mailbox, NotNow("stopping"))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is for whoever waits
            if not answer.done():
                answer.set_exception(error)
            return
        finally:
            del self._tried[mailbox]
        if not answer.done():
            answer.set_result(tested)

    async def _test(self, account: AccountId, mailbox: MailboxId) -> Tested:
        trial = await self._trials.begin(account, node=self._node)
        if isinstance(trial, NotNow) and trial.reason == "session":
            await self._make_room(mailbox)
            trial = await self._trials.begin(account, node=self._node)
        if isinstance(trial, NotNow):
            return _not_now(account, mailbox, trial)
        if self._is_too_soon(mailbox) and not trial.is_new:
            await self._steady.report(mailbox, SessionEvent.DECLINED)
            return _not_now(account, mailbox, NotNow("testing"))
        until = asyncio.get_running_loop().time() + self._patience
        session = await self._open(trial, until)
        if isinstance(session, LoginFailure):
            return _failed(trial, session)
        try:
            return await self._rehearse(trial, session, until)
        finally:
            await asyncio.shield(self._crew.spawn(self._close(trial.mailbox, session)))

    # ------------------------------------------------------------------------------------------------------ the login
    async def _open(self, trial: Trial, until: float) -> RehearsedSession | LoginFailure:
        """The session, reported as opened; or why there is none, reported as refused."""
        mailbox, loop = trial.mailbox, asyncio.get_running_loop()
        start = loop.time()
        try:
            async with asyncio.timeout_at(until):
                session = await self._upstream.open(mailbox)
        except LoginFailed as failed:
            return await self._refused(mailbox, self._weighed(trial, failed.failure))
        except TimeoutError:
            return await self._refused(mailbox, _unanswered())
        except asyncio.CancelledError:
            self._crew.spawn(self._steady.refused(mailbox, _unanswered()))
            raise
        except StoreError:
            self._crew.spawn(self._steady.report(mailbox, SessionEvent.DECLINED))
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the store waits for a report on this session
            self._observe.broken("test", error)
            return await self._refused(mailbox, _unseen())
        self._observe.session_opened(mailbox, seconds=loop.time() - start)
        await self._steady.report(mailbox, SessionEvent.OPENED)
        return session

    def _is_too_soon(self, mailbox: MailboxId) -> bool:
        """Whether it was out of reach a moment ago: no budget of logins bounds who only ever meets a closed door."""
        now = asyncio.get_running_loop().time()
        self._unreached = {each: at for each, at in self._unreached.items() if now < at + AGAIN}
        return mailbox in self._unreached

    def _weighed(self, trial: Trial, failure: LoginFailure) -> LoginFailure:
        """That a host is still out of reach is no news, and must not put off its next probe; that it has blocked this
        address is, and closes it to trials as well.
        """
        if failure.is_login_sent:
            return failure
        self._unreached[trial.mailbox] = asyncio.get_running_loop().time()
        is_no_news = trial.was_out_of_reach and failure.reply_class != ReplyClass.IP_BLOCKED
        return replace(failure, is_outdated=failure.is_outdated or is_no_news)

    async def _refused(self, mailbox: MailboxId, failure: LoginFailure) -> LoginFailure:
        self._observe.login_failed(mailbox, failure)
        await self._steady.refused(mailbox, failure)
        return failure

    async def _close(self, mailbox: MailboxId, session: RehearsedSession) -> None:
        try:
            await session.close()
        finally:
            self._observe.session_closed(mailbox, messages=0)
            await self._steady.report(mailbox, SessionEvent.CLOSED)

    # ------------------------------------------------------------------------------------------------------- the MAIL
    async def _rehearse(self, trial: Trial, session: RehearsedSession, until: float) -> Tested:
        claim = await self._trials.claim(trial)
        if isinstance(claim, NotNow):
            return Tested(trial.account, trial.mailbox, Finding.LOGIN_WORKS, claim.reason, until=claim.until)
        result = CUT_SHORT
        try:
            async with asyncio.timeout_at(until):
                result = await session.rehearse(trial.account)
        except TimeoutError:
            pass  # the result says so: it was cut short
        finally:
            await asyncio.shield(self._crew.spawn(self._end(claim, result)))
        return _found(trial, result)

    async def _end(self, attempt: int, result: Result) -> None:
        """Told again until the store has taken it: a slot that never ends is never free."""
        await self._steady.until_done("trial", lambda: self._trials.end(attempt, result))


CUT_SHORT = Result(
    Verdict.DEFERRED, ReplyClass.NETWORK, Stage.MAIL, None, is_mail_written=True, is_end_known=False
)  # fmt: skip
"""MAIL was begun, and nobody waited for its end."""


def _unanswered() -> LoginFailure:
    """A login that nobody saw end: it counts, for the provider may have seen it."""
    return LoginFailure(ReplyClass.NETWORK, Stage.CONNECT, None, is_provider=False, is_login_sent=True)


def _unseen() -> LoginFailure:
    return LoginFailure(ReplyClass.UNKNOWN, Stage.AUTH, None, is_provider=False, is_login_sent=True)


def _not_now(account: AccountId, mailbox: MailboxId, why: NotNow) -> Tested:
    return Tested(
        account, mailbox, Finding.NOT_NOW, why.reason, until=why.until, is_provider=why.is_provider
    )  # fmt: skip


def _failed(trial: Trial, failure: LoginFailure) -> Tested:
    return Tested(
        trial.account, trial.mailbox, Finding.LOGIN_FAILED, failure.reason, failure.stage, failure.reply,
        is_provider=failure.is_provider,
    )  # fmt: skip


def _found(trial: Trial, result: Result) -> Tested:
    if result.verdict is Verdict.DELIVERED:
        return Tested(trial.account, trial.mailbox, Finding.WORKS, stage=Stage.RCPT)
    finding = Finding.RECIPIENT_REFUSED if result.stage is Stage.RCPT else Finding.SENDER_REFUSED
    if result.reply is None:
        finding = Finding.LOGIN_WORKS
    return Tested(trial.account, trial.mailbox, finding, result.reply_class, result.stage, result.reply)
