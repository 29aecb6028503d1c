"""An authorization server on loopback: real HTTP, answers that a test scripts, and a memory of what it was asked.

Law: by itself it renews as Microsoft does: each refresh token works until it is used, and a new one comes with every
access token; what it has granted is remembered, so that a provider can be told to take it.
"""

import asyncio
import json
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any
from urllib.parse import parse_qsl

LAST_TURNS: int = 10
"""Of the loop, in which connections that were accepted before the end are heard of."""

Raw = bytes
"""A whole answer as it goes over the wire."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it came."""

    line: str
    headers: dict[str, str]
    form: dict[str, str]


def answer(status: int, body: object = None, **headers: str) -> Raw:
    """A whole HTTP answer; a body that is no bytes is JSON; header names are written with _ for -."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    fields = {"Content-Type": "application/json", "Content-Length": str(len(content)), "Connection": "close"}
    fields |= {name.replace("_", "-"): value for name, value in headers.items()}
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"HTTP/1.1 {status} x\r\n{head}\r\n".encode() + content


def refusal(error: str, *codes: int, status: int = 400, **more: Any) -> Raw:
    """A refusal as Microsoft words it."""
    described = "".join(f"AADSTS{code}: this is why. Trace ID: 0000aaaa" for code in codes)
    return answer(status, {"error": error, "error_description": described, "error_codes": list(codes), **more})


@dataclass
class OAuthServer:
    """Answers at `/token`: scripted answers first, then it grants."""

    seconds: int = 3600
    is_rotating: bool = True
    tls: ssl.SSLContext | None = None
    granted: Callable[[str, str], None] = lambda refresh_token, access_token: None
    """Told of every grant before it is answered."""
    script: list[Raw] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0
    gate: Callable[[], Awaitable[object]] | None = None
    """Awaited before each answer."""
    trickle: Raw = b""
    """Said again and again in the head of an answer that never ends, slowly enough for each read to succeed."""
    spent: set[str] = field(default_factory=set)

    async def __aenter__(self) -> "OAuthServer":
        self._tasks: set[asyncio.Task[None]] = set()
        self._lines: set[asyncio.StreamWriter] = set()
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0, ssl=self.tls)
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for listener in self._server.sockets:
            asyncio.get_running_loop().remove_reader(listener.fileno())
        for _ in range(LAST_TURNS):
            await asyncio.sleep(0)  # asyncio loses what was accepted by a server that is closed in the same turn
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for line in self._lines:
            line.transport.abort()
        await asyncio.sleep(0)
        await self._server.wait_closed()

    @property
    def url(self) -> str:
        """Where tokens are asked for."""
        return f"{'http' if self.tls is None else 'https'}://127.0.0.1:{self.port}/token"

    @property
    def refresh_tokens(self) -> list[str]:
        """What was shown, in order."""
        return [asked.form["refresh_token"] for asked in self.asked]

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Known at once: a task that is cancelled before it begins could close nothing."""
        self._lines.add(writer)
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await self._answer(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            return  # whoever asked has hung up
        finally:
            self.at_once -= 1
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = dict(each.lower().split(": ", 1) for each in lines if each)
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        asked = Asked(line, headers, dict(parse_qsl(body.decode())))
        self.asked.append(asked)
        if self.gate is not None:
            await self.gate()
        if self.trickle:
            writer.write(b"HTTP/1.1 200 OK\r\n")
        while self.trickle:
            writer.write(self.trickle)
            await writer.drain()
            await asyncio.sleep(0.02)
        writer.write(self.script.pop(0) if self.script else self._grant(asked.form.get("refresh_token", "")))
        await writer.drain()

    def _grant(self, refresh_token: str) -> Raw:
        if refresh_token in self.spent:
            return refusal("invalid_grant", 70000)
        number = len(self.asked)
        access = f"access-{number}-for-{refresh_token}"
        told: dict[str, Any] = {"token_type": "Bearer", "access_token": access, "expires_in": self.seconds}
        if self.is_rotating:
            self.spent.add(refresh_token)
            told["refresh_token"] = f"renewed-{number}-of-{refresh_token}"
        self.granted(refresh_token, access)
        return answer(200, told)
