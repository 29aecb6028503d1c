"""HEAD wherever GET is answered, as RFC 9110 (9.3.2) has it: monitors ask like that whether somebody is there.

Law: status and headers are those of GET, and no body follows them.
"""

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class Headless:
    """Asks with GET for whoever asks with HEAD."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Part of ASGI."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            return await self._app(scope, receive, send)

        async def send_without(message: Message) -> None:
            await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

        return await self._app({**scope, "method": "GET"}, receive, send_without)
