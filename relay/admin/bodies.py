"""What may be sent to the HTTP side: a little JSON, and nothing that a page of another site can send.

Law: a body is here whole, and within its bound, before anything is done with it; one that is no JSON by its type, and
a request that a browser says comes from elsewhere, are refused unread.
"""

from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from relay.admin.problems import problem

BODY_MOST: int = 256 * 1024
"""Bytes: the longest secret has 64 KiB, and in JSON a byte of it may take two, or six where it is a control."""

READING = frozenset({"GET", "HEAD", "OPTIONS"})
JSON = "application/json"
NO_JSON = "only application/json is understood; an empty body needs no type"
ELSEWHERE = "a page of another site asked this"
TOO_LARGE = f"the body is larger than {BODY_MOST // 1024} KiB"


class Bodies:
    """Lets through what is small and JSON."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Part of ASGI."""
        if scope["type"] != "http" or scope["method"] in READING:
            return await self._app(scope, receive, send)
        headers = Headers(scope=scope)
        if is_foreign(headers):
            return await problem(403, ELSEWHERE)(scope, receive, send)
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind not in ("", JSON):
            return await problem(415, NO_JSON)(scope, receive, send)
        body = None if _length(headers) > BODY_MOST else await _whole(receive)
        if body is None:
            return await problem(413, TOO_LARGE, {"Connection": "close"})(scope, receive, send)
        if body and kind != JSON:
            return await problem(415, NO_JSON)(scope, receive, send)
        return await self._app(scope, _replayed(body, receive), send)


def is_foreign(headers: Headers) -> bool:
    """Whether a browser says that another site's page asks (Fetch Metadata; RFC 6454, 7); programs say nothing."""
    if headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
        return True
    origin = headers.get("origin")
    return origin is not None and urlsplit(origin).netloc.lower() != headers.get("host", "").lower()


def _length(headers: Headers) -> int:
    said = headers.get("content-length", "0")
    return int(said) if said.isascii() and said.isdigit() else 0


async def _whole(receive: Receive) -> bytes | None:
    """The body; None: it is too large."""
    body, has_more = b"", True
    while has_more:
        message = await receive()
        if message["type"] != "http.request":
            return body
        body += message.get("body", b"")
        has_more = message.get("more_body", False)
        if len(body) > BODY_MOST:
            return None
    return body


def _replayed(body: bytes, receive: Receive) -> Receive:
    """Gives the body once more, then what the server says next."""
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        return waiting.pop() if waiting else await receive()

    return again
