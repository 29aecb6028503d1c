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

UNREAD_MOST: int = 16 * 1024 * 1024
"""Bytes of a body that is too large that are let by: a file handed in by mistake has less."""

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
        body, has_more = (b"", True) if _length(headers) > BODY_MOST else await _begun(receive)
        if has_more:
            waits_for_word = "expect" in headers  # 100-continue: it sends nothing that it is not asked for
            return await _refuse(scope, receive, send, has_more=not waits_for_word)
        if len(body) > BODY_MOST:
            return await _refuse(scope, receive, send, has_more=False)
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


async def _begun(receive: Receive) -> tuple[bytes, bool]:
    """The body until it is whole or too large, and whether there is more of it."""
    body, has_more = b"", True
    while has_more and len(body) <= BODY_MOST:
        message = await receive()
        if message["type"] != "http.request":
            return body, False
        body += message.get("body", b"")
        has_more = message.get("more_body", False)
    return body, has_more


async def _refuse(scope: Scope, receive: Receive, send: Send, *, has_more: bool) -> None:
    """Answers at once, and ends the answer when the client has said what it has: a connection that is closed while it
    still speaks is reset, and the answer lost.
    """

    async def unended(message: Message) -> None:
        await send({**message, "more_body": True} if message["type"] == "http.response.body" else message)

    await problem(413, TOO_LARGE, {"Connection": "close"})(scope, receive, unended)
    many = 0
    while has_more and many <= UNREAD_MOST:
        message = await receive()
        many += len(message.get("body", b""))
        has_more = message["type"] == "http.request" and message.get("more_body", False)
    await send({"type": "http.response.body", "body": b"", "more_body": False})


def _replayed(body: bytes, receive: Receive) -> Receive:
    """Gives the body once more, then what the server says next."""
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        return waiting.pop() if waiting else await receive()

    return again
