"""Who may see what of the HTTP side, decided before any route is looked up.

Law: a path that is not named here as open needs the admin's token, so that a new route is closed until it is opened;
and what is open is open to this machine's own programs, not to a page that a browser on it has loaded from elsewhere.
"""

from ipaddress import ip_address

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from relay.admin.problems import problem
from relay.admin.token import is_token

OPEN_FROM_HERE = frozenset({"/healthz", "/readyz", "/metrics"})
"""Open to this machine: what watches the process and scrapes it has no token."""

UNAUTHORIZED = "the admin's token is needed: Authorization: Bearer, with the content of data_dir/admin.token"

MISDIRECTED = "without the token this answers only to localhost or an IP address as Host"


class Guard:
    """Lets requests through, or answers 401, or 421 where a name that is not this machine's leads here."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Part of ASGI."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        headers = Headers(scope=scope)
        if is_token(headers.get("authorization", ""), self._token):
            return await self._app(scope, receive, send)
        if scope["path"] not in OPEN_FROM_HERE or not is_near(scope):
            return await problem(401, UNAUTHORIZED, {"WWW-Authenticate": "Bearer"})(scope, receive, send)
        if not is_own_name(headers.get("host", "")):
            return await problem(421, MISDIRECTED)(scope, receive, send)
        return await self._app(scope, receive, send)


def is_near(scope: Scope) -> bool:
    """Whether the request comes from this machine; a proxy here that forwards others' requests says whose they are."""
    client = scope.get("client")
    return client is not None and _is_loopback(client[0])


def is_own_name(host: str) -> bool:
    """Whether a Host header is one that no foreign name server can have led here (DNS rebinding): see RFC 9110, 7.2.

    A browser sends the name that its page came from; an address, or localhost, is a page of this machine's own.
    """
    name = host.partition("]")[0].removeprefix("[") if host.startswith("[") else host.partition(":")[0]
    if name.lower().rstrip(".") == "localhost" or not name:
        return True
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def _is_loopback(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False
