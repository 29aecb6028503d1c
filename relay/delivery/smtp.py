"""The upstream port on real SMTP: finds a mailbox's way and its credentials, logs in, and hands over the session.

Law: a session serves as long as the routing leads the same way with the same credential; without credentials nobody is
called.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from relay.core.classify import NO_CONTEXT, Context
from relay.core.envelope import LoginFailure
from relay.core.meaning import Fault, ReplyClass
from relay.core.routing import Auth, Provider
from relay.core.words import MailboxId, Stage
from relay.delivery.commands import Offer
from relay.delivery.habits import Habits, Riddles
from relay.delivery.login import Login
from relay.delivery.mechanisms import Credentials
from relay.delivery.resolver import Resolve
from relay.delivery.tokens import NoToken, TokenSource
from relay.delivery.transaction import SmtpSession, dismiss
from relay.delivery.trust import Trust
from relay.delivery.upstream import LoginFailed
from relay.delivery.wire import Wire
from relay.errors import StoreError


@dataclass(frozen=True, slots=True)
class Route:
    """Where and how a mailbox logs in; `secret` None: there is none, or it could not be had."""

    provider: Provider
    secret: str | None = field(default=None, repr=False)
    context: Context = NO_CONTEXT
    """What its replies are judged with: the provider's rules, and whether a login has worked before."""

    def is_as(self, other: "Route | None") -> bool:
        """Whether a session of the one is as good as one of the other: same host, same encryption, same credential."""
        if other is None or self.secret != other.secret:
            return False
        return self.provider is other.provider or _way_in(self.provider) == _way_in(other.provider)


Routes = Callable[[MailboxId], Route | None]
"""The route of a mailbox as the routing in force has it; None: no account sends through it any more."""


class SmtpUpstream:
    """Opens sessions with real providers; `hostname` is what EHLO says."""

    def __init__(
        self, hostname: str, routes: Routes, *, resolve: Resolve, trust: Trust, tokens: TokenSource | None = None
    ) -> None:
        self._hostname = hostname
        self._routes = routes
        self._resolve = resolve
        self._trust = trust
        self._tokens = tokens
        self._habits: dict[str, Habits] = {}
        self._riddles: dict[MailboxId, Riddles] = {}

    async def open(self, mailbox: MailboxId) -> SmtpSession:
        """Connects and logs in as this mailbox; LoginFailed says what was refused and by whom."""
        route = self._routes(mailbox)
        if route is None:
            raise _without("no-account")
        habits = self._habits.setdefault(route.provider.endpoint, Habits())
        try:
            credentials = await self._credentials(mailbox, route)
            login = Login(route.provider, credentials, hostname=self._hostname, context=route.context)
            wire, offer = await self._log_in(mailbox, route, login, credentials)
        except LoginFailed as failed:
            raise LoginFailed(replace(failed.failure, is_outdated=self._is_outdated(mailbox, route))) from None
        return SmtpSession(
            wire,
            offer,
            context=route.context,
            timeouts=route.provider.timeouts,
            habits=habits,
            is_current=lambda: route.is_as(self._routes(mailbox)),
            riddles=self._riddles.setdefault(mailbox, Riddles()),
            censored=login.censored,
        )

    def _is_outdated(self, mailbox: MailboxId, route: Route) -> bool:
        """Whether the routing leads another way by now; a login that was sent counts, whatever the store can say."""
        try:
            return not route.is_as(self._routes(mailbox))
        except StoreError:
            return False

    async def knock(self, mailbox: MailboxId) -> None:
        """Connects, says EHLO and QUIT, and logs nobody in; LoginFailed says what was refused."""
        route = self._routes(mailbox)
        if route is None:
            raise _without("no-account")
        login = Login(route.provider, None, hostname=self._hostname, context=route.context)
        wire, _ = await login.run(self._resolve, self._trust)
        await dismiss(wire)

    async def _log_in(
        self, mailbox: MailboxId, route: Route, login: Login, credentials: Credentials | None
    ) -> tuple[Wire, Offer]:
        """A token that was refused is not shown again; another one is for the next login, which is counted anew."""
        try:
            return await login.run(self._resolve, self._trust)
        except LoginFailed as failed:
            is_token = route.provider.auth is Auth.OAUTH2 and _is_refused(failed.failure)
            if is_token and self._tokens is not None and credentials is not None:
                self._tokens.refused(mailbox, credentials.secret)
            raise

    async def _credentials(self, mailbox: MailboxId, route: Route) -> Credentials | None:
        """What this mailbox logs in with; None: its provider wants no login."""
        if route.provider.auth is Auth.NONE:
            return None
        if route.provider.auth is Auth.OAUTH2:
            return Credentials(mailbox.username, await self._token(mailbox))
        if route.secret is None:
            raise _without("no-credentials")
        return Credentials(mailbox.username, route.secret)

    async def _token(self, mailbox: MailboxId) -> str:
        """A password is no token: without a source of tokens there is no way of logging in."""
        if self._tokens is None:
            raise _without(ReplyClass.AUTH_METHOD, Fault.NO_TOKEN)
        try:
            return await self._tokens(mailbox)
        except NoToken as trouble:
            raise _without(trouble.meaning, trouble.fault, is_provider=trouble.is_provider) from None


def _way_in(provider: Provider) -> tuple[object, ...]:
    way = provider.endpoint, provider.tls, provider.tls_ca, provider.auth, provider.allow_plaintext
    return (*way, provider.oauth) if provider.auth is Auth.OAUTH2 else way


def _is_refused(failure: LoginFailure) -> bool:
    return failure.is_login_sent and failure.reply is not None and not failure.reply.is_temporary


def _without(meaning: str, fault: Fault | None = None, *, is_provider: bool = False) -> LoginFailed:
    return LoginFailed(
        LoginFailure(meaning, Stage.AUTH, None, is_provider=is_provider, is_login_sent=False, fault=fault),
    )
