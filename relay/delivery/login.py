"""One try to open a session: connects, greets, encrypts and logs in.

Law: exactly one mechanism is tried, once; without verified encryption nothing is said to a host that is not this
machine or expressly allowed, and without a login nothing where one is demanded.
"""

import asyncio
import ssl
from collections.abc import Sequence
from dataclasses import replace
from ipaddress import ip_address

from aiosmtplib import SMTP, SMTPResponse, SMTPResponseException

from relay.core.classify import NO_CONTEXT, Context, classify
from relay.core.envelope import LoginFailure
from relay.core.limits import SECOND
from relay.core.meaning import Failure, Fault, ReplyClass
from relay.core.reply import read_reply
from relay.core.routing import Provider, Tls
from relay.core.words import Stage
from relay.delivery.commands import Offer, read_offer
from relay.delivery.mechanisms import BadCredentials, Credentials, Exchange, choose, without_secret
from relay.delivery.resolver import Resolve
from relay.delivery.setbacks import Unfit, seen_in
from relay.delivery.trust import Trust
from relay.delivery.upstream import LoginFailed
from relay.delivery.wire import Wire, WireFailed, harden

ADDRESSES_TRIED: int = 4
"""Of one name, so that each has a fair part of the time to connect."""

TLS_ASKED: int = 10 * SECOND
"""Microseconds for a host that did not greet to show that it speaks TLS from the first byte."""

_READY = 220
_CHALLENGE = 334


class Login:
    """One try to open a session, and how far it has come."""

    def __init__(
        self, provider: Provider, credentials: Credentials | None, *, hostname: str, context: Context = NO_CONTEXT
    ) -> None:
        self._provider = provider
        self._judging = context
        self._credentials = credentials
        self._loop = asyncio.get_running_loop()
        self._wire: Wire | None = None
        self._address = ""
        self._stage = Stage.CONNECT
        self._is_login_sent = False
        seconds = self._provider.timeouts.command / SECOND
        self._smtp = SMTP(hostname=self._provider.host, local_hostname=hostname, timeout=seconds, start_tls=False)

    def censored(self, text: str) -> str:
        """What the provider says, at whichever stage, without the secret."""
        return text if self._credentials is None else without_secret(text, self._credentials)

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
        banner = await self._banner(wire, trust)
        if banner.code != _READY:
            raise SMTPResponseException(banner.code, banner.message)
        wire.check()
        self._smtp.protocol, self._smtp.transport = wire, wire.transport
        greeting = await self._greet()
        if provider.tls is Tls.STARTTLS:
            await self._encrypt(wire, trust, greeting)
            greeting = await self._greet()
        if self._credentials is not None:
            await self._authenticate(self._credentials, greeting)
        wire.check()
        return wire, read_offer(self._smtp.esmtp_extensions)

    # -------------------------------------------------------------------------------------------------- the stages
    async def _banner(self, wire: Wire, trust: Trust) -> SMTPResponse:
        """A host that waits for TLS has none: it keeps silent, hangs up, or says so in TLS."""
        try:
            return await wire.reply(self._provider.timeouts.command)
        except WireFailed:
            is_encrypted_there = self._provider.tls is Tls.STARTTLS and (
                wire.is_answered_in_tls or (wire.is_silent and await self._speaks_tls_first(trust))
            )
            if is_encrypted_there:
                raise Unfit(Failure.UNVERIFIED, fault=Fault.TLS_EXPECTED) from None
            raise

    async def _speaks_tls_first(self, trust: Trust) -> bool:
        """Whether the host, which greeted nobody, greets over TLS: the classic slip of 465 and 587."""
        address, context = self._address, self._context(trust)
        failed, self._wire = self._wire, None
        try:
            await self._connect_to(address, context, within=TLS_ASKED / SECOND)
        except ssl.SSLCertVerificationError:
            return True
        except (OSError, WireFailed):
            return False
        finally:
            self._hang_up()
            self._wire = failed
        return True

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
            raise Unfit(Failure.UNVERIFIED, fault=Fault.TLS_CA_UNREADABLE) from None

    async def _addresses(self, resolve: Resolve) -> Sequence[str]:
        host = self._provider.host
        if _is_address(host):
            return [host]
        addresses = (await resolve(self._provider.name, host))[:ADDRESSES_TRIED]
        if not addresses:
            raise Unfit(Failure.UNREACHABLE)
        return addresses

    def _refuse_clear_text(self, addresses: Sequence[str]) -> None:
        """Configuration forbids this already; a name that suddenly points elsewhere must not get a password."""
        provider = self._provider
        if provider.tls is not Tls.NONE or provider.allow_plaintext:
            return
        if not all(ip_address(address.partition("%")[0]).is_loopback for address in addresses):
            raise Unfit(Failure.UNVERIFIED, fault=Fault.CLEAR_TEXT)

    async def _connect_to(self, address: str, context: ssl.SSLContext | None, *, within: float) -> Wire:
        provider = self._provider
        self._address = address
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
            raise Unfit(Failure.NOT_OFFERED, read_reply(*greeting), fault=Fault.TLS_NOT_OFFERED)
        await self._smtp.starttls(tls_context=self._context(trust), server_hostname=self._provider.host)
        wire.adopt_encryption()
        if wire.failure is not None:
            raise Unfit(wire.failure, fault=Fault.TLS_INJECTED)

    async def _authenticate(self, credentials: Credentials, greeting: SMTPResponse) -> None:
        """One mechanism, once: a second try with another would be a second refused login."""
        self._stage = Stage.AUTH
        mechanism = choose(self._provider.auth, self._smtp.server_auth_methods)
        if mechanism is None and not self._smtp.supports_extension("auth"):
            raise Unfit(Failure.NO_LOGIN, read_reply(*greeting), fault=Fault.AUTH_NOT_OFFERED)
        if mechanism is None:
            raise Unfit(Failure.NOT_OFFERED, read_reply(*greeting))
        exchange = Exchange(mechanism, credentials)
        answer = await self._say(exchange.command)
        while answer.code == _CHALLENGE:
            answer = await self._say(exchange.answer(str(answer.message)))
        if not 200 <= answer.code < 300:  # 235 by RFC 4954, 4; some say 250, and mean the same
            raise SMTPResponseException(answer.code, exchange.censored(str(answer.message)))

    async def _say(self, line: bytes) -> SMTPResponse:
        assert self._wire is not None
        self._is_login_sent = True
        self._wire.ask(line + b"\r\n")
        return await self._wire.reply(self._provider.timeouts.command)

    def _failed(self, error: BaseException) -> LoginFailed | None:
        """What an error means for mailbox or provider; None: it is none of the provider's."""
        if isinstance(error, BadCredentials):
            fault = Fault.UNUSABLE_CREDENTIALS
            return LoginFailed(
                LoginFailure("no-credentials", Stage.AUTH, None, is_provider=False, is_login_sent=False, fault=fault)
            )
        seen = seen_in(error, self._stage, self._wire)
        if seen is None:
            return None
        said = None if seen.said is None else replace(seen.said, text=self.censored(seen.said.text))
        judgement = classify(self._stage, seen.what, self._judging)
        return LoginFailed(
            LoginFailure(
                judgement.reply_class,
                self._stage,
                said,
                is_provider=judgement.is_provider,
                is_login_sent=self._is_login_sent,
                fault=None if judgement.reply_class is ReplyClass.IP_BLOCKED else seen.fault,  # it says what it refuses
            )
        )


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
