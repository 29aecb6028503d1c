"""Mail through XOAUTH2, from the real upstream over an authorization server and a provider that listen on loopback."""

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import uvloop

from relay.core.envelope import Envelope, LoginFailure, Recipient, Verdict
from relay.core.meaning import Fault
from relay.core.routing import Auth, Provider, Tls
from relay.core.words import MailboxId
from relay.delivery import oauth_endpoint
from relay.delivery.oauth import EARLY, OAuthTokens
from relay.delivery.oauth_answers import Blame, Grant, Refusal
from relay.delivery.oauth_endpoint import ANSWER_BYTES, OAuthIdentity, TokenEndpoint, system_context
from relay.delivery.smtp import Route, SmtpUpstream
from relay.delivery.trust import SystemTrust
from relay.delivery.upstream import LoginFailed
from relay.sandbox.certificates import make_certificates
from relay.sandbox.sandbox import Sandbox
from relay.sandbox.settings import SandboxSettings
from tests.fakes.oauth import OAuthServer, answer, refusal
from tests.fakes.tokens import FakeRefreshTokens

pytestmark = pytest.mark.timeout(120)

BOTH_LOOPS = pytest.mark.parametrize("run", [asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
Run = Callable[[Coroutine[Any, Any, None]], None]
ANNA, BRUNO = MailboxId("outlook", "anna@hotmail.it"), MailboxId("outlook", "bruno@hotmail.it")
BODY = b"Subject: ricetta\r\n\r\nBuongiorno\r\n"
SECRET = "client-secret+with/odd=characters&"


async def _resolve(provider: str, host: str) -> Sequence[str]:
    return ["127.0.0.1"] if host == "localhost" else []


@dataclass
class World:
    """Authorization server, provider, and the relay's way of logging in; the provider knows what the server grants."""

    server: OAuthServer
    sandbox: Sandbox
    users: Path
    refresh: FakeRefreshTokens
    client_secret: str = SECRET
    now: float = 0.0
    refusals: list[tuple[MailboxId, Refusal]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.valid: dict[str, str] = {}
        self.server.granted = self._granted
        self.tokens = OAuthTokens(
            lambda mailbox: OAuthIdentity(
                mailbox.provider, self.server.url, "https://s/SMTP.Send offline_access", "client-1", self.client_secret
            ),
            self.refresh,
            TokenEndpoint(_resolve),
            clock=lambda: self.now,
            chance=lambda: 0.0,
            observe=lambda mailbox, refusal: self.refusals.append((mailbox, refusal)),
        )
        provider = Provider("outlook", "127.0.0.1", self.sandbox.port, tls=Tls.NONE, auth=Auth.OAUTH2)
        self.upstream = SmtpUpstream(
            "relay.example.it",
            lambda mailbox: Route(provider, "a password that is never shown"),
            resolve=_resolve,
            trust=SystemTrust(),
            tokens=self.tokens,
        )

    def _granted(self, refresh_token: str, access_token: str) -> None:
        """Whose refresh token it was, logs in with this one from now on."""
        (mailbox,) = [mailbox for mailbox, kept in self.refresh.kept.items() if kept == refresh_token]
        self.accept(mailbox, access_token)

    def accept(self, mailbox: MailboxId, access_token: str | None) -> None:
        """What the provider takes from now on."""
        self.valid[mailbox.username] = access_token or "nothing that anybody has"
        text = "".join(f"{user}:{token}\n" for user, token in self.valid.items())
        new = self.users.with_suffix(".new")
        new.write_text(text)
        new.replace(self.users)

    def logins(self) -> list[tuple[str | None, str]]:
        return [(each["user"], (each["reply"] or "")[:3]) for each in self.sandbox.log if each["event"] == "auth"]

    async def send(self, mailbox: MailboxId) -> None:
        """Opens a session, sends one mail, closes it."""
        session = await self.upstream.open(mailbox)

        async def gate() -> bool:
            return True

        envelope = Envelope(mailbox.username, (Recipient("p@example.org"),))
        assert (await session.transmit(envelope, BODY, gate)).verdict is Verdict.DELIVERED
        await session.close()

    async def failure(self, mailbox: MailboxId) -> LoginFailure:
        with pytest.raises(LoginFailed) as caught:
            await self.upstream.open(mailbox)
        return caught.value.failure


@asynccontextmanager
async def world(folder: Path, **changes: Any) -> AsyncIterator[World]:
    users = folder / "users"
    users.write_text("")
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(OAuthServer(**changes))
        settings = SandboxSettings(mechanisms=("XOAUTH2",), users_file=users)
        sandbox = await stack.enter_async_context(Sandbox(settings))
        yield World(server, sandbox, users, FakeRefreshTokens(ANNA, BRUNO))


# the whole way


@BOTH_LOOPS
def test_mail_leaves_through_xoauth2(run: Run, tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as it:
            await it.send(ANNA)
            await it.send(ANNA)
            await it.send(BRUNO)
            assert [(record["user"], record["from"]) for record in it.sandbox.delivered] == [
                (ANNA.username, ANNA.username),
                (ANNA.username, ANNA.username),
                (BRUNO.username, BRUNO.username),
            ]
            assert len(it.server.asked) == 2, "a token serves many logins"
            first = it.server.asked[0]
            assert first.line == "POST /token HTTP/1.1"
            assert first.headers["host"] == f"127.0.0.1:{it.server.port}"
            assert first.form == {
                "grant_type": "refresh_token",
                "refresh_token": "refresh-0-anna@hotmail.it",
                "client_id": "client-1",
                "client_secret": SECRET,
                "scope": "https://s/SMTP.Send offline_access",
            }

    run(main())


@BOTH_LOOPS
def test_a_token_is_renewed_before_it_ends_with_the_refresh_token_that_came_with_it(run: Run, tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path, seconds=3600) as it:
            for turn in range(5):
                it.now = turn * 3600 * (1 - EARLY[0])
                await it.send(ANNA)
            assert len(it.server.asked) == 5
            assert it.server.refresh_tokens[1:] == [token for _, token in it.refresh.log][:-1]
            assert {reply for _, reply in it.logins()} == {"235"}

    run(main())


@BOTH_LOOPS
def test_fifty_logins_at_once_are_one_request(run: Run, tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as it:
            sessions = await asyncio.gather(*(it.upstream.open(ANNA) for _ in range(50)))
            assert len(it.server.asked) == 1
            assert it.logins() == [(ANNA.username, "235")] * 50
            await asyncio.gather(*(session.close() for session in sessions))

    run(main())


@BOTH_LOOPS
def test_a_token_that_the_provider_refuses_costs_one_refused_login(run: Run, tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as it:
            await it.send(ANNA)
            it.accept(ANNA, None)
            failure = await it.failure(ANNA)
            assert (failure.reply_class, failure.is_login_sent, failure.is_provider) == ("auth-rejected", True, False)
            assert len(it.server.asked) == 1, "nothing is asked before the next login may be tried"
            await it.send(ANNA)
            assert len(it.server.asked) == 2
            assert [reply for _, reply in it.logins()] == ["235", "535", "235"]

    run(main())


# whose trouble it is


@BOTH_LOOPS
def test_a_revoked_permission_is_one_doctors_and_shows_the_provider_nothing(run: Run, tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as it:
            it.server.script = [refusal("invalid_grant", 50173, suberror="bad_token")]
            failure = await it.failure(ANNA)
            assert (failure.reply_class, failure.reason) == ("auth-method", Fault.OAUTH_PASSWORD_CHANGED)
            assert (failure.is_provider, failure.is_login_sent) == (False, False)
            await it.send(BRUNO)
            assert it.logins() == [(BRUNO.username, "235")]
            assert it.refusals[0][1].said == "invalid_grant bad_token AADSTS50173"
            it.refresh.set(ANNA, "signed-in-again")
            await it.send(ANNA)

    run(main())


@BOTH_LOOPS
def test_a_wrong_client_secret_is_the_providers_entry(run: Run, tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as it:
            it.server.script = [refusal("invalid_client", 7000215, status=401)]
            failure = await it.failure(ANNA)
            assert (failure.reply_class, failure.reason) == ("auth-method", Fault.OAUTH_CLIENT)
            assert (failure.is_provider, failure.is_login_sent) == (True, False)
            it.client_secret = "the-right-one"
            await it.send(ANNA)
            assert it.server.asked[-1].form["client_secret"] == "the-right-one"

    run(main())


@BOTH_LOOPS
def test_a_server_that_is_gone_is_tried_again(run: Run, tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as it:
            it.server._server.close()
            await it.server._server.wait_closed()
            failure = await it.failure(ANNA)
            assert (failure.reply_class, failure.reason) == ("auth-temporary", Fault.OAUTH_UNREACHABLE)
            assert (failure.is_provider, failure.is_login_sent) == (False, False)
            assert it.logins() == []

    run(main())


# one request


async def ask(server: OAuthServer) -> Grant | Refusal:
    identity = OAuthIdentity("outlook", server.url, "scope", "client-1", SECRET)
    return await TokenEndpoint(_resolve)(identity, "refresh-0")


UNREAD = (Blame.TIME, Fault.OAUTH_UNREAD)
UNREACHABLE = (Blame.TIME, Fault.OAUTH_UNREACHABLE)


@pytest.mark.parametrize(
    ("raw", "meaning"),
    [
        (answer(302, b"", Location="http://127.0.0.1:1/elsewhere"), UNREAD),
        (answer(307, b"", Location="/token"), UNREAD),
        (answer(200, b'{"access_token": "a"}'.ljust(ANSWER_BYTES)), None),
        (answer(200, b'{"access_token": "a"}'.ljust(ANSWER_BYTES + 1)), UNREAD),
        (answer(200, b'{"access_token": "a", "token_type": "Bearer"}', Content_Encoding="gzip"), None),
        (answer(200, b"<html>"), UNREAD),
        (answer(503, b"", Retry_After="7"), UNREACHABLE),
        (b"", UNREACHABLE),
        (b"SSH-2.0-OpenSSH\r\n", UNREACHABLE),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", UNREACHABLE),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 200_000, UNREACHABLE),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", UNREACHABLE),
    ],
    ids=lambda value: repr(value)[:50],
)
async def test_whatever_a_server_answers_is_an_answer(raw: bytes, meaning: tuple[Blame, Fault] | None) -> None:
    async with OAuthServer(script=[raw]) as server:
        found = await ask(server)
        assert len(server.asked) == 1, "nothing is asked twice, and no redirect is followed"
        if meaning is None:
            assert isinstance(found, Grant)
        else:
            assert isinstance(found, Refusal)
            assert (found.blame, found.fault) == meaning


async def test_a_server_that_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(oauth_endpoint, "WITHIN", 0.2)
    never = asyncio.Event()
    async with OAuthServer(gate=never.wait) as silent, OAuthServer(trickle=b"X: y\r\n") as trickling:
        for server in (silent, trickling):
            found = await ask(server)
            assert isinstance(found, Refusal)
            assert (found.blame, found.fault) == UNREACHABLE


async def test_a_name_is_looked_up_where_the_caller_says_and_the_first_address_that_answers_is_asked() -> None:
    async def resolve(provider: str, host: str) -> Sequence[str]:
        assert (provider, host) == ("outlook", "login.example")
        return ["127.0.0.2", "127.0.0.1"]

    async with OAuthServer() as server:
        url = f"http://login.example:{server.port}/token"
        found = await TokenEndpoint(resolve)(OAuthIdentity("outlook", url, "", "client-1"), "refresh-0")
        assert isinstance(found, Grant)
        assert server.asked[0].headers["host"] == f"login.example:{server.port}"
        assert server.asked[0].form.keys() == {"grant_type", "refresh_token", "client_id"}


async def test_a_refresh_token_that_was_shown_is_not_shown_to_the_next_address() -> None:
    """It may be spent already: what became of it nobody knows."""

    async def resolve(provider: str, host: str) -> Sequence[str]:
        return ["127.0.0.1", "127.0.0.1"]

    async with OAuthServer(script=[b""]) as server:
        url = f"http://login.example:{server.port}/token"
        found = await TokenEndpoint(resolve)(OAuthIdentity("outlook", url, "", "client-1"), "refresh-0")
        assert isinstance(found, Refusal)
        assert len(server.asked) == 1


async def test_in_clear_nothing_is_said_beyond_this_machine() -> None:
    asked: list[str] = []

    async def resolve(provider: str, host: str) -> Sequence[str]:
        asked.append(host)
        return ["192.0.2.1"]

    found = await TokenEndpoint(resolve)(OAuthIdentity("p", "http://localhost:1/token", "", "id"), "refresh-0")
    assert isinstance(found, Refusal)
    assert (found.fault, found.said, asked) == (Fault.OAUTH_UNREACHABLE, "clear text refused", ["localhost"])


async def test_no_proxy_of_the_environment_sees_a_refresh_token(monkeypatch: pytest.MonkeyPatch) -> None:
    async with OAuthServer() as proxy, OAuthServer() as server:
        for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        for name in ("no_proxy", "NO_PROXY"):
            monkeypatch.delenv(name, raising=False)
        assert isinstance(await ask(server), Grant)
        assert proxy.asked == []


@pytest.mark.needs("openssl")
@pytest.mark.parametrize(
    ("host", "is_trusted", "said"),
    [
        ("localhost", True, None),
        ("localhost", False, "tls-untrusted"),
        ("login.example", True, "tls-wrong-name"),
    ],
)
async def test_a_server_proves_its_name_or_hears_nothing(
    tmp_path: Path, host: str, is_trusted: bool, said: str | None
) -> None:
    files = await make_certificates(tmp_path)
    own = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    own.load_cert_chain(files.certificate, files.key)

    def trusting() -> ssl.SSLContext:
        context = system_context()
        if is_trusted:
            context.load_verify_locations(cafile=str(files.authority))
        return context

    async def resolve(provider: str, name: str) -> Sequence[str]:
        return ["127.0.0.1"]

    async with OAuthServer(tls=own) as server:
        url = f"https://{host}:{server.port}/token"
        found = await TokenEndpoint(resolve, trusting)(OAuthIdentity("outlook", url, "", "client-1"), "refresh-0")
        if said is None:
            assert isinstance(found, Grant)
        else:
            assert isinstance(found, Refusal)
            assert (found.fault, found.said, server.asked) == (Fault.OAUTH_UNREACHABLE, said, [])


# secrets


async def test_no_token_and_no_secret_is_logged_by_anybody(caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    caplog.set_level(logging.DEBUG)
    async with world(tmp_path) as it:
        await it.send(ANNA)
        it.accept(ANNA, None)
        await it.failure(ANNA)
        it.server.script = [refusal("invalid_grant", 70008)]
        failure = await it.failure(ANNA)
        assert "httpx" in {record.name for record in caplog.records}, "the library does log what it is asked to do"
        logged = caplog.text + repr(failure)
        ours = [*it.refresh.kept.values(), *it.valid.values(), SECRET]
        assert all(secret not in logged for secret in ours)
