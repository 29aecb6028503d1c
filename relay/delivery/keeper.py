"""The keeper of the sessions: opens and closes them, lets idle ones end, and reports on each.

Law: every session that the store reserved is reported exactly once as opened, refused or declined, and every opened one
exactly once as closed or lost; a login that hangs holds up nobody.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from relay.core.envelope import LoginFailure
from relay.core.limits import SECOND, Limit
from relay.core.meaning import ReplyClass
from relay.core.terms import DEFAULT_LOGIN_LIMIT
from relay.core.words import MailboxId, Stage
from relay.delivery.crew import Crew
from relay.delivery.observer import Observer
from relay.delivery.pool import OpenSession, Pool
from relay.delivery.steady import SteadyStore
from relay.delivery.thrift import Thrift
from relay.delivery.upstream import LoginFailed, Session, Upstream
from relay.errors import StoreError
from relay.store.ports.sessions import SessionEvent

SWEPT_ALWAYS: int = 32
"""Up to so many mailboxes with idle sessions are looked through for dead ones at each take; there are many takes."""

SWEEP_SECONDS: float = 1.0
"""How often more are; a claim that meets a dead session in between only goes back to its place."""


AT_ONCE_SECONDS: float = 10.0
"""A session that ends by itself later than so may have been idle too long for its provider."""


@dataclass(frozen=True, slots=True)
class SessionTerms:
    """How long a session lives: messages, and microseconds of idleness; how many logins its mailbox has."""

    messages: int = 100
    idle: int = 30 * SECOND
    login_limit: Limit = DEFAULT_LOGIN_LIMIT


class Keeper:
    """Keeps at most `most` sessions; `on_idle` is called whenever one may be used."""

    def __init__(
        self,
        upstream: Upstream,
        store: SteadyStore,
        crew: Crew,
        *,
        observe: Observer,
        terms_of: Callable[[str], SessionTerms],
        most: int,
        on_idle: Callable[[], None],
        on_called: Callable[[], None] = lambda: None,
    ) -> None:
        """`on_called`: called whenever a provider was called, with whatever result."""
        self._upstream = upstream
        self._store = store
        self._crew = crew
        self._observe = observe
        self._terms_of = terms_of
        self._on_idle = on_idle
        self._on_called = on_called
        self._pool = Pool(most)
        self._thrift = Thrift()
        self._openings: dict[asyncio.Task[Any] | None, None] = {}
        """Tasks that are calling a provider; one that reports what came of it is none any more."""
        self._fresh: list[OpenSession] = []
        self._overdue: list[OpenSession] = []
        self._sweeps_at = 0.0
        self._knocks: dict[MailboxId, None] = {}
        self._is_asked_for = False
        self._is_stopping = False

    # ---------------------------------------------------------------------------------------------- around a take
    def hand_over(self) -> dict[MailboxId, int]:
        """The idle sessions for which work is asked now; until `take_back` none of them ends for idleness."""
        self._sweep()
        self._is_asked_for = True
        return self._pool.idle_counts()

    def pick(self, mailbox: MailboxId) -> OpenSession | None:
        """An idle session for a message; None: there is none any more."""
        while not self._is_stopping and (opened := self._pool.pick(mailbox)) is not None:
            if opened.is_usable:
                return opened
            self._crew.spawn(self.close(opened))
        return None

    def take_back(
        self,
        to_open: Mapping[MailboxId, int],
        to_close: Mapping[MailboxId, int],
        to_knock: Collection[MailboxId] = (),
    ) -> None:
        """After a take: opens and closes what the store wants; what is still idle ends after its time.

        `to_knock`: of what is to be opened, those as whom nobody is to log in.
        """
        self._is_asked_for = False
        self._knocks.update(dict.fromkeys(to_knock))
        for mailbox, many in to_close.items():
            for opened in self._pool.oldest_idle(mailbox, many):
                self._retire(opened)
        for mailbox, many in to_open.items():
            self._pool.want(mailbox, many)
        self._fill_places()
        self._watch_idle()

    def keep(self, opened: OpenSession) -> bool:
        """Offers a session to the next take at once; False: it has to be closed."""
        if self._is_stopping or not opened.is_usable or opened.messages >= self._terms(opened).messages:
            return False
        self._pool.offer(opened)
        self._fresh.append(opened)
        self._on_idle()
        return True

    # --------------------------------------------------------------------------------------------------- opening
    def _fill_places(self) -> None:
        while not self._is_stopping and (mailbox := self._pool.next_to_open()) is not None:
            self._crew.spawn(self._open(mailbox))
        for opened in self._pool.in_the_way():
            self._retire(opened)

    async def _open(self, mailbox: MailboxId) -> None:
        loop = asyncio.get_running_loop()
        start = loop.time()
        try:
            session = await self._call(mailbox)
        except LoginFailed as failed:
            await self._refused(mailbox, failed.failure)
        except asyncio.CancelledError:
            await self._refused(mailbox, _unseen(ReplyClass.NETWORK))
            raise
        except StoreError as error:
            self._observe.store_failed("login", error)
            await self._declined(mailbox)
        except Exception as error:  # noqa: BLE001 - whatever it is, the store waits for a report on this session
            self._observe.broken("login", error)
            await self._refused(mailbox, _unseen(ReplyClass.UNKNOWN))
        else:
            if session is None:
                await self._knocked(mailbox)
            else:
                await self._opened(mailbox, session, seconds=loop.time() - start)

    async def _call(self, mailbox: MailboxId) -> Session | None:
        """A session; None: it was only to be knocked."""
        self._openings[calling := asyncio.current_task()] = None
        try:
            if mailbox in self._knocks:
                del self._knocks[mailbox]
                await self._upstream.knock(mailbox)
                return None
            return await self._upstream.open(mailbox)
        finally:
            del self._openings[calling]
            self._on_called()

    async def _declined(self, mailbox: MailboxId) -> None:
        """Nobody was called: the reservation goes back."""
        self._pool.free(mailbox)
        self._fill_places()
        await self._store.report(mailbox, SessionEvent.DECLINED)

    async def _knocked(self, mailbox: MailboxId) -> None:
        """The host answers this machine again; who logs in now is for the next take to say."""
        self._pool.free(mailbox)
        self._fill_places()
        await self._store.report(mailbox, SessionEvent.KNOCKED)

    async def _opened(self, mailbox: MailboxId, session: Session, *, seconds: float) -> None:
        self._observe.session_opened(mailbox, seconds=seconds)
        self._spent_login(mailbox)
        opened = OpenSession(mailbox, session, asyncio.get_running_loop().time())
        is_kept = self.keep(opened)
        await self._store.report(mailbox, SessionEvent.OPENED)
        opened.opening.set()
        if not is_kept:
            await self.close(opened)

    async def _refused(self, mailbox: MailboxId, failure: LoginFailure) -> None:
        self._observe.login_failed(mailbox, failure)
        if failure.is_login_sent:
            self._spent_login(mailbox)
        self._pool.free(mailbox)
        self._fill_places()
        await self._store.refused(mailbox, failure)

    def _spent_login(self, mailbox: MailboxId) -> None:
        now = asyncio.get_running_loop().time()
        self._thrift.logged_in(mailbox, self._terms_of(mailbox.provider).login_limit, int(now * SECOND))

    # --------------------------------------------------------------------------------------------------- closing
    async def close(self, opened: OpenSession) -> None:
        """Ends a session that is not idle, and reports it."""
        event = SessionEvent.LOST if _is_lost(opened) else SessionEvent.CLOSED
        try:
            await opened.session.close()
        except Exception as error:  # noqa: BLE001 - whatever it is, the session is not used any more
            self._observe.broken("close", error)
        self._pool.free(opened.mailbox, opened)
        self._fill_places()
        self._observe.session_closed(opened.mailbox, messages=opened.messages)
        await opened.opening.wait()
        await self._store.report(opened.mailbox, event)

    async def let_go(self, mailbox: MailboxId) -> None:
        """Closes the idle sessions of one mailbox, whose place somebody wants; returns when they are gone."""
        for opened in self._pool.oldest_idle(mailbox, self._pool.idle_counts().get(mailbox, 0)):
            if self._pool.leave(opened):
                await self.close(opened)

    @property
    def sessions(self) -> int:
        """Sessions that are open or being opened."""
        return self._pool.total

    @property
    def is_calling(self) -> bool:
        """Whether a provider is being called."""
        return bool(self._openings)

    def let_all_go(self) -> None:
        """Closes all idle sessions: other nodes may have taken their places."""
        for opened in self._pool.idle():
            self._retire(opened)

    def stop(self) -> None:
        """Opens nothing more, and closes what is idle."""
        self._is_stopping = True
        for mailbox in self._pool.give_up_waiting():
            self._crew.spawn(self._store.report(mailbox, SessionEvent.DECLINED))
        for opened in self._pool.idle():
            self._retire(opened)

    def break_off_openings(self) -> None:
        """Cancels the logins under way; what came of others is reported all the same."""
        for opening in list(self._openings):
            if opening is not None:
                opening.cancel()

    def _retire(self, opened: OpenSession) -> None:
        if self._pool.leave(opened):
            self._crew.spawn(self.close(opened))

    # -------------------------------------------------------------------------------------------------- idleness
    def _watch_idle(self) -> None:
        """Sessions that a take left idle end after their time; those whose time ended meanwhile end now."""
        loop = asyncio.get_running_loop()
        fresh, self._fresh = self._fresh, []
        for opened in fresh:
            if self._pool.is_idle(opened) and opened.timer is None:
                opened.timer = loop.call_later(self._idle_time(opened) / SECOND, self._expire, opened)
        overdue, self._overdue = self._overdue, []
        for opened in overdue:
            self._retire(opened)

    def _idle_time(self, opened: OpenSession) -> int:
        terms, now = self._terms(opened), asyncio.get_running_loop().time()
        return self._thrift.idle_time(opened.mailbox, terms.login_limit, int(now * SECOND), usual=terms.idle)

    def _expire(self, opened: OpenSession) -> None:
        opened.timer = None
        if self._is_asked_for:
            self._overdue.append(opened)
        else:
            self._retire(opened)

    def _sweep(self) -> None:
        now = asyncio.get_running_loop().time()
        if self._pool.idle_mailboxes > SWEPT_ALWAYS and now < self._sweeps_at:
            return
        self._sweeps_at = now + SWEEP_SECONDS
        for opened in self._pool.idle():
            if not opened.is_usable:
                self._retire(opened)

    def _terms(self, opened: OpenSession) -> SessionTerms:
        return self._terms_of(opened.mailbox.provider)


def _is_lost(opened: OpenSession) -> bool:
    """Whether it was hung up on at once: who lets in and throws out would be logged in to again and again."""
    age = asyncio.get_running_loop().time() - opened.opened_at
    return opened.messages == 0 and not opened.is_spoilt and age < AT_ONCE_SECONDS and opened.session.is_cut_off


def _unseen(reply_class: ReplyClass) -> LoginFailure:
    """A login that nobody saw end: it counts, for the provider may have seen it."""
    return LoginFailure(reply_class, Stage.AUTH, None, is_provider=False, is_login_sent=True)
