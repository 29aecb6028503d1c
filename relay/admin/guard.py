"""Who may see what of the HTTP side, decided before any route is looked up.

Law: a path that is not named here as open needs the admin's token, so that a new route is closed until it is opened.
"""

from ipaddress import ip_address

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from relay.admin.problems import problem
from relay.admin.token import is_token

OPEN_FROM_HERE = frozenset({"/healthz", "/readyz", "/metrics"})
"""Open to this machine: what watches the process and scrapes it has no token."""

UNAUTHORIZED = "the admin's token is needed: Authorization: Bearer, with the content of data_dir/admin.token"


class Guard:
    """Lets requests through, or answers 401."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Part of ASGI."""
        if scope["type"] != "http" or self._may_pass(scope):
            await self._app(scope, receive, send)
            return
        await problem(401, UNAUTHORIZED, {"WWW-Authenticate": "Bearer"})(scope, receive, send)

    def _may_pass(self, scope: Scope) -> bool:
        if scope["path"] in OPEN_FROM_HERE and is_near(scope):
            return True
        return is_token(Headers(scope=scope).get("authorization", ""), self._token)


def is_near(scope: Scope) -> bool:
    """Whether the request comes from this machine; a proxy here that forwards others' requests says whose they are."""
    client = scope.get("client")
    try:
        return client is not None and ip_address(client[0]).is_loopback
    except ValueError:
        return False
