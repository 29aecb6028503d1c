"""The relay as a process before a provider with XOAUTH2: one doctor's permission, and the relay's own registration."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from relay.core.meaning import Fault
from tests.fakes.oauth import OAuthServer, refusal
from tests.integration.connected import PROGRAM, FileRefreshTokens
from tests.integration.relay_process import Folder, RelayProcess
from tests.integration.sandbox_peer import SandboxProcess

pytestmark = pytest.mark.timeout(300)

ANNA, BRUNO = "anna@d.test", "bruno@d.test"


@dataclass
class World:
    """The relay's folder, its authorization server, and what the provider has seen."""

    path: Path
    folder: Folder
    server: OAuthServer
    refresh: FileRefreshTokens

    def accept(self, refresh_token: str, access_token: str) -> None:
        """The provider takes what was granted to whoever has this refresh token, and nothing older."""
        (user,) = [user for user, kept in self.refresh.read().items() if kept == refresh_token]
        users = dict(line.split(":", 1) for line in (self.path / "users").read_text().splitlines())
        text = "".join(f"{name}:{token}\n" for name, token in {**users, user: access_token}.items())
        (self.path / "users.new").write_text(text)
        (self.path / "users.new").replace(self.path / "users")

    def logins(self) -> set[tuple[str, str]]:
        lines = map(json.loads, (self.path / "provider.jsonl").read_text().splitlines())
        return {(line["user"], line["reply"][:3]) for line in lines if line["event"] == "auth"}


@asynccontextmanager
async def world(path: Path) -> AsyncIterator[World]:
    refresh = FileRefreshTokens(path / "refresh.json")
    refresh.write({user: f"refresh-of-{user}" for user in (ANNA, BRUNO)})
    (path / "users").write_text("")
    options = ["--users", str(path / "users"), "--log", str(path / "provider.jsonl"), "--mechanism", "XOAUTH2"]
    with ExitStack() as stack:
        sandbox = await asyncio.to_thread(SandboxProcess, *options)
        stack.callback(sandbox.kill)
        async with OAuthServer() as server:
            folder = Folder(path, provider=sandbox.port)
            oauth = {"client_id": "relay", "client_secret": "file:client", "token_url": server.url}
            (path / "client").write_text("client-secret")
            folder.routing["providers"]["lab"] |= {"auth": "oauth2", "oauth": oauth}
            folder.write()
            it = World(path, folder, server, refresh)
            server.granted = it.accept
            yield it


@asynccontextmanager
async def running(it: World) -> AsyncIterator[RelayProcess]:
    environ = {"REFRESH_TOKENS": str(it.path / "refresh.json")}
    relay = await asyncio.to_thread(RelayProcess, it.folder.config, environ=environ, program=PROGRAM)
    try:
        yield await asyncio.to_thread(relay.wait_until_ready)
    finally:
        await asyncio.to_thread(relay.kill)


async def test_a_wrong_client_secret_is_no_doctors_fault_and_mended_it_is_tried_at_once(tmp_path: Path) -> None:
    async with world(tmp_path) as it:
        it.server.script = [refusal("invalid_client", 7000215, status=401)] * 10
        async with running(it) as relay:
            await asyncio.to_thread(relay.send, 3)
            failure = await asyncio.to_thread(lambda: relay.wait_for("login_failed", mailbox=ANNA))
            assert (failure["class"], failure["reason"]) == ("auth-method", Fault.OAUTH_CLIENT)
            stop = await asyncio.to_thread(lambda: relay.wait_for("health_changed", provider="lab"))
            assert (stop["mailbox"], stop["health"]) == (None, Fault.OAUTH_CLIENT)
            await asyncio.to_thread(lambda: relay.send(sender=BRUNO))
            it.server.script.clear()
            (tmp_path / "new-client").write_text("the right one")
            it.folder.routing["providers"]["lab"]["oauth"]["client_secret"] = "file:new-client"
            it.folder.write()
            await asyncio.to_thread(lambda: relay.wait_for("delivered", times=4))
            assert it.server.asked[-1].form["client_secret"] == "the right one"
            changes = [record for record in relay.records if record["event"] == "health_changed"]
            assert {change["health"] for change in changes if change["mailbox"] is not None} <= {"ok"}
        assert it.logins() == {(ANNA, "235"), (BRUNO, "235")}
        assert it.refresh.read().keys() == {ANNA, BRUNO}
        assert all(token.startswith("renewed-") for token in it.refresh.read().values())


async def test_a_lost_permission_stops_one_doctor_and_shows_in_no_login(tmp_path: Path) -> None:
    async with world(tmp_path) as it:
        it.server.spent.add(f"refresh-of-{ANNA}")
        async with running(it) as relay:
            (ident,) = await asyncio.to_thread(relay.send)
            failure = await asyncio.to_thread(lambda: relay.wait_for("login_failed", mailbox=ANNA))
            assert (failure["class"], failure["reason"]) == ("auth-method", Fault.OAUTH_CONSENT)
            said = await asyncio.to_thread(lambda: relay.wait_for("token_refused", mailbox=ANNA))
            assert (said["reason"], said["said"]) == (Fault.OAUTH_CONSENT, "invalid_grant AADSTS70000")
            await asyncio.to_thread(lambda: relay.wait_for("health_changed", mailbox=ANNA, health=Fault.OAUTH_CONSENT))
            await asyncio.to_thread(lambda: relay.send(sender=BRUNO))
            await asyncio.to_thread(lambda: relay.wait_for("delivered", account=BRUNO))
            token = (tmp_path / "var" / "admin.token").read_text().strip()
            _, body = await asyncio.to_thread(lambda: relay.get(f"/api/v1/messages/{ident}", token=token))
            (delivery,) = json.loads(body)["deliveries"]
            assert (delivery["reason"], delivery["needs"]) == (Fault.OAUTH_CONSENT, "owner")
            tokens = [*it.refresh.read().values(), *(asked.form["refresh_token"] for asked in it.server.asked)]
            everything = "".join(relay.lines) + body
            assert all(secret not in everything for secret in [*tokens, "client-secret", "access-"])
        assert it.logins() == {(BRUNO, "235")}
