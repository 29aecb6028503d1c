"""One request to a web address of the configuration, and what became of it; no redirect is followed.

Law: the connection goes to the very address that was looked at, with the name's certificate verified; neither time nor
memory that the other side can take is without a bound, and nothing of it but status and Retry-After is ever read.
"""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import httpx

from relay.core.webhooks import Answer, Silence, read_retry_after
from relay.core.weburl import WebUrl, may_ask, url_problem

PATIENCE: float = 30.0
"""Seconds for the whole of it, the look-up included: the most that the Standard Webhooks specification recommends."""

CONNECT: float = 10.0
"""Seconds for one connection and its TLS, so that one dead address of several leaves time for another."""

ADDRESSES: int = 3
"""Of the addresses that a name leads to, at most so many are tried."""

Resolve = Callable[[str], Awaitable[Sequence[str]]]
"""A name's addresses; OSError: it has none, or nobody answers."""


class Asks(Protocol):
    """Makes one request."""

    async def ask(
        self, method: str, url: WebUrl, *, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> Answer | Silence: ...


@dataclass(frozen=True, slots=True)
class WebSettings:
    """Whom the requests of this relay may reach, and as what it introduces itself."""

    user_agent: str = "clinic-relay"
    is_private_allowed: bool = False
    authorities: Path | None = None
    """PEM, besides the system's: for tests and houses with an authority of their own."""


class WebClient:
    """Asks; keeps no connection, no cookie and no proxy of the environment."""

    def __init__(
        self,
        settings: WebSettings,
        *,
        resolve: Resolve,
        wall: Callable[[], int],
        patience: float = PATIENCE,
    ) -> None:
        """`wall` gives wall time in microseconds. OSError: the authorities cannot be read."""
        self._settings = settings
        self._resolve = resolve
        self._wall = wall
        self._patience = patience
        self._context = ssl.create_default_context()
        self._context.minimum_version = ssl.TLSVersion.TLSv1_2
        if settings.authorities is not None:
            self._context.load_verify_locations(cafile=settings.authorities)

    async def ask(
        self, method: str, url: WebUrl, *, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> Answer | Silence:
        """What was answered, or why nothing was; never raises but when it is cancelled."""
        if url_problem(url, is_private_allowed=self._settings.is_private_allowed) is not None:
            return Silence.REFUSED_ADDRESS
        try:
            async with asyncio.timeout(self._patience):
                return await self._ask(method, url, headers=headers or {}, body=body)
        except TimeoutError:
            return Silence.TIMEOUT

    async def _ask(
        self, method: str, url: WebUrl, *, headers: Mapping[str, str], body: bytes | None
    ) -> Answer | Silence:
        try:
            found = await self._resolve(url.host)
        except TimeoutError:
            raise
        except (OSError, UnicodeError):
            return Silence.UNKNOWN_HOST
        allowed = [each for each in found if may_ask(each, is_private_allowed=self._settings.is_private_allowed)]
        answer: Answer | Silence = Silence.REFUSED_ADDRESS if found else Silence.UNKNOWN_HOST
        for address in allowed[:ADDRESSES]:
            answer = await self._ask_at(address, method, url, headers=headers, body=body)
            if answer is not Silence.UNREACHABLE:
                break
        return answer

    async def _ask_at(
        self, address: str, method: str, url: WebUrl, *, headers: Mapping[str, str], body: bytes | None
    ) -> Answer | Silence:
        """Connects to `address`, says the name in SNI and Host, and has the certificate verified for the name."""
        host = f"[{address}]" if ":" in address else address
        to = httpx.URL(scheme=url.scheme, host=host, port=url.port, raw_path=url.target.encode())
        own = {"Host": url.authority, "User-Agent": self._settings.user_agent, "Connection": "close"}
        timeouts = httpx.Timeout(self._patience, connect=min(CONNECT, self._patience))
        transport = httpx.AsyncHTTPTransport(verify=self._context, trust_env=False)
        line = _Line()
        steered = {"sni_hostname": url.host, "trace": line.heard}
        try:
            async with (
                httpx.AsyncClient(transport=transport, trust_env=False, timeout=timeouts) as client,
                client.stream(method, to, headers={**own, **headers}, content=body, extensions=steered) as response,
            ):
                asked = read_retry_after(response.headers.get("retry-after"), self._wall())
                return Answer(response.status_code, asked)
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            return _silence(error)
        finally:
            await line.close()


class _Closable(Protocol):
    async def aclose(self) -> None: ...


class _Line:
    """The one connection of a request, closed whatever happens: httpcore forgets one that is cancelled during TLS."""

    def __init__(self) -> None:
        self._streams: list[_Closable] = []

    async def heard(self, event: str, details: Mapping[str, Any]) -> None:
        """httpcore says what it does."""
        if event == "connection.connect_tcp.complete":
            self._streams.append(details["return_value"])

    async def close(self) -> None:
        """Twice does no harm."""
        for stream in self._streams:
            await stream.aclose()


def _silence(error: Exception) -> Silence:
    if isinstance(error, (httpx.ConnectTimeout, httpx.ConnectError)):
        return Silence.UNVERIFIED if _is_of_tls(error) else Silence.UNREACHABLE
    return Silence.TIMEOUT if isinstance(error, httpx.TimeoutException) else Silence.NONSENSE


def _is_of_tls(error: BaseException | None) -> bool:
    while error is not None and not isinstance(error, ssl.SSLError):
        error = error.__cause__ or error.__context__
    return error is not None
