"""One request for an access token over HTTP: shows a refresh token, reads the answer (RFC 6749, 6).

Law: nothing is said to a host whose certificate does not prove its name, but for this machine; no redirect is followed,
nothing is asked twice, and an answer has a bound in time and size. Whatever goes wrong is an answer, not an error.
"""

import asyncio
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import SplitResult, urlencode, urlsplit

import httpx

from relay.core.meaning import Fault
from relay.delivery.oauth_answers import Blame, Grant, Refusal, read_answer
from relay.delivery.resolver import Resolve
from relay.delivery.trust import fault_of

WITHIN: float = 30.0
"""Seconds for the whole of it: it is part of a login, and mail waits behind it."""

CONNECT_WITHIN: float = 5.0
"""Seconds for each address of the name."""

ADDRESSES_TRIED: int = 4
"""Of one name."""

ANSWER_BYTES: int = 65_536
"""An answer with its tokens has 2 to 6 kB."""


@dataclass(frozen=True, slots=True)
class OAuthIdentity:
    """The relay as an authorization server knows it, and where that one is asked."""

    provider: str
    token_url: str
    scope: str
    client_id: str
    client_secret: str | None = field(default=None, repr=False)

    def form(self, refresh_token: str) -> dict[str, str]:
        """What is posted."""
        fields = {"grant_type": "refresh_token", "refresh_token": refresh_token, "client_id": self.client_id}
        fields |= {"client_secret": self.client_secret} if self.client_secret is not None else {}
        return fields | ({"scope": self.scope} if self.scope else {})


def system_context() -> ssl.SSLContext:
    """TLS 1.2 or later, certificate and name verified against the system's authorities."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


class TokenEndpoint:
    """Asks authorization servers; a connection serves one request, because a mailbox needs one in an hour."""

    def __init__(self, resolve: Resolve, context_of: Callable[[], ssl.SSLContext] = system_context) -> None:
        self._resolve = resolve
        self._context_of = context_of
        self._context: ssl.SSLContext | None = None

    async def __call__(self, identity: OAuthIdentity, refresh_token: str) -> Grant | Refusal:
        """What the server grants for a refresh token, or why nothing; never raises for what a peer does."""
        try:
            async with asyncio.timeout(WITHIN):
                return await self._ask(identity, refresh_token)
        except (OSError, httpx.HTTPError, httpx.InvalidURL) as error:  # a time-out is an OSError too
            return Refusal(Blame.TIME, Fault.OAUTH_UNREACHABLE, _named(error))

    async def _ask(self, identity: OAuthIdentity, refresh_token: str) -> Grant | Refusal:
        url = urlsplit(identity.token_url)
        addresses = await self._addresses(identity.provider, url.hostname or "")
        if not addresses or not _is_private_enough(url, addresses):
            return Refusal(Blame.TIME, Fault.OAUTH_UNREACHABLE, "no address" if not addresses else "clear text refused")
        content = urlencode(identity.form(refresh_token)).encode()
        for address in addresses[:-1]:
            try:
                return await self._post(url, address, content)
            except (httpx.ConnectError, httpx.ConnectTimeout):
                continue  # nothing was said yet, and the next address of the same host may answer
        return await self._post(url, addresses[-1], content)

    async def _addresses(self, provider: str, host: str) -> Sequence[str]:
        try:
            return [str(ip_address(host))]
        except ValueError:
            return (await self._resolve(provider, host))[:ADDRESSES_TRIED]

    async def _post(self, url: SplitResult, address: str, content: bytes) -> Grant | Refusal:
        """To this address, in the name of the URL's host: the library would look it up in threads that all share."""
        if self._context is None:
            self._context = self._context_of()
        async with (
            httpx.AsyncClient(
                verify=self._context,
                trust_env=False,
                follow_redirects=False,
                timeout=httpx.Timeout(WITHIN, connect=CONNECT_WITHIN),
            ) as client,
            client.stream(
                "POST",
                _at(url, address),
                content=content,
                headers={
                    "Host": url.netloc,
                    "Content-Type": "application/x-www-form-urlencoded",
                    "Accept": "application/json",
                    "Accept-Encoding": "identity",
                },
                extensions={"sni_hostname": url.hostname or ""},
            ) as response,
        ):
            body = await _bounded(response)
            if body is None:
                return Refusal(Blame.TIME, Fault.OAUTH_UNREAD, f"http {response.status_code} of too many bytes")
            return read_answer(response.status_code, body, response.headers.get("Retry-After"))


async def _bounded(response: httpx.Response) -> bytes | None:
    """The body as sent, without undoing any compression that nobody asked for; None: it is too long."""
    body = bytearray()
    async for block in response.aiter_raw():
        body += block
        if len(body) > ANSWER_BYTES:
            return None
    return bytes(body)


def _at(url: SplitResult, address: str) -> str:
    host = f"[{address}]" if ":" in address else address
    port = f":{url.port}" if url.port is not None else ""
    return url._replace(netloc=host + port, fragment="").geturl()


def _is_private_enough(url: SplitResult, addresses: Sequence[str]) -> bool:
    """Configuration forbids it already; a name that suddenly points elsewhere must not get a refresh token."""
    if url.scheme == "https":
        return True
    return url.scheme == "http" and all(ip_address(each.partition("%")[0]).is_loopback for each in addresses)


def _tls_error(error: BaseException | None) -> ssl.SSLError | None:
    while error is not None and not isinstance(error, ssl.SSLError):
        error = error.__cause__ or error.__context__
    return error


def _named(error: BaseException) -> str:
    """The kind of error alone: a text may hold anything."""
    tls = _tls_error(error)
    return str(fault_of(tls)) if tls is not None else type(error).__name__
