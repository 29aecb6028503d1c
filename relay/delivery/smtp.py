"""The upstream port on real SMTP: connects, greets, encrypts and logs in.

Law: a session is logged in with exactly one mechanism as exactly one mailbox; without verified encryption nothing is
said to a host that is not this machine or expressly allowed, and without a login nothing where one is demanded.
"""

import asyncio
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address

from aiosmtplib import SMTP, SMTPException, SMTPResponse, SMTPResponseException

from relay.core.classify import Context, classify
from relay.core.envelope import LoginFailure
from relay.core.limits import SECOND
from relay.core.meaning import Failure
from relay.core.reply import Reply, read_reply
from relay.core.routing import Auth, Provider, Tls
from relay.core.words import MailboxId, Stage
from relay.delivery.commands import Offer, read_offer
from relay.delivery.resolver import Resolve
from relay.delivery.transaction import Habits, SmtpSession
from relay.delivery.trust import Trust
from relay.delivery.upstream import LoginFailed
from relay.delivery.wire import Wire, WireFailed, harden

ADDRESSES_TRIED: int = 4
"""Of one name, so that each has a fair part of the time to connect."""

_READY = 220


@dataclass(frozen=True, slots=True)
class Route:
    """Where and how a mailbox logs in; `secret` None: there is none, or it could not be had."""

    provider: Provider
    secret: str | None = field(default=None, repr=False)

    def is_as(self, other: "Route | None") -> bool:
        """Whether a session of the one is as good as one of the other: same host, same encryption, same credential."""
        if other is None or self.secret != other.secret:
            return False
        return self.provider is other.provider or _way_in(self.provider) == _way_in(other.provider)


Routes = Callable[[MailboxId], Route | None]
"""The route of a mailbox as the routing in force has it; None: no account sends through it any more."""


class _Unfit(Exception):
    """What the provider said is no refusal, but it cannot be used like this."""

    def __init__(self, failure: Failure, said: Reply | None = None) -> None:
        super().__init__()
        self.failure = failure
        self.said = said


class SmtpUpstream:
    """Opens sessions with real providers; `hostname` is what EHLO says."""

    def __init__(self, hostname: str, routes: Routes, *, resolve: Resolve, trust: Trust) -> None:
        self._hostname = hostname
        self._routes = routes
        self._resolve = resolve
        self._trust = trust
        self._habits: dict[str, Habits] = {}

    async def open(self, mailbox: MailboxId) -> SmtpSession:
        """Connects and logs in as this mailbox; LoginFailed says what was refused and by whom."""
        route = self._routes(mailbox)
        if route is None:
            raise _without("no-account")
        if route.secret is None and route.provider.auth is not Auth.NONE:
            raise _without("no-credentials")
        habits = self._habits.setdefault(route.provider.endpoint, Habits())
        login = _Login(mailbox, route, hostname=self._hostname)
        wire, offer = await login.run(self._resolve, self._trust)
        return SmtpSession(
            wire,
            offer,
            provider=route.provider.name,
            timeouts=route.provider.timeouts,
            habits=habits,
            is_current=lambda: route.is_as(self._routes(mailbox)),
        )


def _way_in(provider: Provider) -> tuple[object, ...]:
    return provider.endpoint, provider.tls, provider.tls_ca, provider.auth, provider.allow_plaintext


def _without(reason: str) -> LoginFailed:
    return LoginFailed(LoginFailure(reason, Stage.AUTH, None, is_provider=False, is_login_sent=False))


class _Login:
    """One try to open a session, and how far it has come."""

    def __init__(self, mailbox: MailboxId, route: Route, *, hostname: str) -> None:
        self._mailbox = mailbox
        self._provider = route.provider
        self._secret = route.secret or ""
        self._loop = asyncio.get_running_loop()
        self._wire: Wire | None = None
        self._stage = Stage.CONNECT
        self._is_login_sent = False
        seconds = self._provider.timeouts.command / SECOND
        self._smtp = SMTP(hostname=self._provider.host, local_hostname=hostname, timeout=seconds, start_tls=False)

    async def run(self, resolve: Resolve, trust: Trust) -> tuple[Wire, Offer]:
        """The connection, logged in, with its offer, or LoginFailed; a try that came to nothing leaves nothing open."""
        try:
            return await self._run(resolve, trust)
        except BaseException as error:
            failed = self._failed(error)
            self._hang_up()
            if failed is None:
                raise
            raise failed from None

    async def _run(self, resolve: Resolve, trust: Trust) -> tuple[Wire, Offer]:
        provider = self._provider
        wire = await self._connect(resolve, trust)
        banner = await wire.reply(provider.timeouts.command)
        if banner.code != _READY:
            raise SMTPResponseException(banner.code, banner.message)
        wire.check()
        self._smtp.protocol, self._smtp.transport = wire, wire.transport
        greeting = await self._greet()
        if provider.tls is Tls.STARTTLS:
            await self._encrypt(wire, trust, greeting)
            greeting = await self._greet()
        if provider.auth is not Auth.NONE:
            await self._authenticate(greeting)
        wire.check()
        return wire, read_offer(self._smtp.esmtp_extensions)

    # -------------------------------------------------------------------------------------------------- the stages
    async def _connect(self, resolve: Resolve, trust: Trust) -> Wire:
        provider = self._provider
        context = self._context(trust) if provider.tls is Tls.IMPLICIT else None
        async with asyncio.timeout(provider.timeouts.connect / SECOND):
            addresses = await self._addresses(resolve)
        self._refuse_clear_text(addresses)
        share = provider.timeouts.connect / SECOND / len(addresses)
        for address in addresses[:-1]:
            try:
                return await self._connect_to(address, context, within=share)
            except ssl.SSLError:
                raise
            except OSError:
                self._hang_up()  # the next address of the same host may answer; the last one's error is reported
        return await self._connect_to(addresses[-1], context, within=share)

    def _context(self, trust: Trust) -> ssl.SSLContext:
        try:
            return trust(self._provider)
        except OSError:
            raise _Unfit(Failure.UNVERIFIED) from None

    async def _addresses(self, resolve: Resolve) -> Sequence[str]:
        host = self._provider.host
        if _is_address(host):
            return [host]
        addresses = (await resolve(self._provider.name, host))[:ADDRESSES_TRIED]
        if not addresses:
            raise _Unfit(Failure.UNREACHABLE)
        return addresses

    def _refuse_clear_text(self, addresses: Sequence[str]) -> None:
        """Configuration forbids this already; a name that suddenly points elsewhere must not get a password."""
        provider = self._provider
        if provider.tls is not Tls.NONE or provider.allow_plaintext:
            return
        if not all(ip_address(address.partition("%")[0]).is_loopback for address in addresses):
            raise _Unfit(Failure.UNVERIFIED)

    async def _connect_to(self, address: str, context: ssl.SSLContext | None, *, within: float) -> Wire:
        provider = self._provider
        async with asyncio.timeout(within):
            transport, wire = await self._loop.create_connection(
                lambda: Wire(self._loop, is_encrypted_first=context is not None), address, provider.port
            )
            self._wire = wire
            harden(transport, provider.timeouts.command)
            if context is not None:
                await wire.encrypt(context, provider.host, within=within)
        return wire

    def _hang_up(self) -> None:
        wire, self._wire = self._wire, None
        if wire is not None:
            wire.reset()

    async def _greet(self) -> SMTPResponse:
        self._stage = Stage.EHLO
        return await self._smtp.ehlo()

    async def _encrypt(self, wire: Wire, trust: Trust, greeting: SMTPResponse) -> None:
        self._stage = Stage.STARTTLS
        if not self._smtp.supports_extension("starttls"):
            raise _Unfit(Failure.NOT_OFFERED, read_reply(*greeting))
        await self._smtp.starttls(tls_context=self._context(trust), server_hostname=self._provider.host)
        wire.adopt_encryption()
        wire.check()

    async def _authenticate(self, greeting: SMTPResponse) -> None:
        """One mechanism, once: a second try with another would be a second refused login."""
        self._stage = Stage.AUTH
        offered = self._smtp.server_auth_methods
        if self._provider.auth is not Auth.PASSWORD or not {"plain", "login"} & set(offered):
            raise _Unfit(Failure.NOT_OFFERED, read_reply(*greeting))
        log_in = self._smtp.auth_plain if "plain" in offered else self._smtp.auth_login
        self._is_login_sent = True
        try:
            await log_in(self._mailbox.username, self._secret)
        except SMTPResponseException as error:
            if not 200 <= error.code < 300:  # 235 by RFC 4954, 4; some say 250, and mean the same
                raise

    # ------------------------------------------------------------------------------------------------ what went wrong
    def _failed(self, error: BaseException) -> LoginFailed | None:
        """What an error means for mailbox or provider; None: it is none of the provider's."""
        if isinstance(error, _Unfit):
            return self._judged(error.failure, error.said)
        if isinstance(error, SMTPResponseException):
            reply = read_reply(error.code, str(error.message))
            return self._judged(reply, reply)
        if isinstance(error, WireFailed):
            return self._judged(error.failure, None)
        if isinstance(error, ssl.SSLError):
            return self._judged(Failure.UNVERIFIED, None)
        if isinstance(error, TimeoutError):
            return self._judged(Failure.TIMEOUT, None)
        if isinstance(error, (OSError, SMTPException)):
            seen = self._wire.failure if self._wire is not None else Failure.UNREACHABLE
            return self._judged(seen or Failure.LOST, None)
        return None

    def _judged(self, seen: Reply | Failure, said: Reply | None) -> LoginFailed:
        judgement = classify(self._stage, seen, Context(self._provider.name))
        return LoginFailed(
            LoginFailure(
                judgement.reply_class,
                self._stage,
                said,
                is_provider=judgement.is_provider,
                is_login_sent=self._is_login_sent,
            )
        )


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
