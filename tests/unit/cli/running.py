"""A running relay for the verbs that ask one: the real HTTP application on a fake store, without a socket."""

import asyncio
from pathlib import Path

import httpx
import pytest

from relay.cli import asking
from relay.cli.frame import run
from tests.unit.admin.relay_app import TOKEN, Relay

CONFIG = """\
submission: {listen: [{address: "127.0.0.1:2525", tls: none}]}
http: {listen: "127.0.0.1:8025"}
data_dir: var
routing: routing.yaml
"""


class Wire(httpx.BaseTransport):
    """Brings requests to the application; `trouble` is what the network does instead."""

    def __init__(self, relay: Relay) -> None:
        self._relay = relay
        self.requests: list[httpx.Request] = []
        self.trouble: Exception | None = None
        self.answers: list[httpx.Response] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if self.trouble is not None:
            raise self.trouble
        if self.answers:
            return self.answers.pop(0)
        return asyncio.run(self._answer(request))

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        transport = httpx.ASGITransport(self._relay.app, raise_app_exceptions=False)
        answer = await transport.handle_async_request(request)
        return httpx.Response(answer.status_code, headers=answer.headers, content=await answer.aread())


class Desk:
    """A folder with the relay's configuration, the relay, and the command line."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.relay = Relay()
        self.wire = Wire(self.relay)
        self._capsys = capsys
        self.token = folder / "var" / "admin.token"
        self.token.parent.mkdir()
        self.token.write_text(f"{TOKEN}\n")
        self.config = folder / "relay.yaml"
        self.config.write_text(CONFIG)
        (folder / "routing.yaml").write_text("{}\n")
        monkeypatch.setenv("RELAY_CONFIG", str(self.config))
        made = asking.client_of

        def client_of(place: str, token: str) -> httpx.Client:
            client = made(place, token)
            client._transport = self.wire
            return client

        monkeypatch.setattr(asking, "client_of", client_of)

    def run(self, *arguments: str) -> tuple[int, str, str]:
        """Exit code, stdout, stderr of a command."""
        code = run(list(arguments))
        said = self._capsys.readouterr()
        return code, said.out, said.err

    def says(self, *arguments: str) -> str:
        """What a command prints that does its work."""
        code, out, err = self.run(*arguments)
        assert (code, err) == (0, "")
        return out
