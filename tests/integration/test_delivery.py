"""Delivery over real sockets to the sandbox provider, on both event loops: what arrives, and what must not."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import uvloop

from relay.core.envelope import Envelope, Recipient, Verdict
from relay.core.limits import MINUTE, SECOND
from relay.core.routing import Auth, Provider, Tls
from relay.core.words import MailboxId, Stage
from relay.delivery.dispatcher import Dispatcher
from relay.delivery.fence import Fence
from relay.delivery.keeper import SessionTerms
from relay.delivery.smtp import Route, SmtpUpstream
from relay.delivery.trust import SystemTrust
from relay.delivery.upstream import LoginFailed
from relay.sandbox.sandbox import Sandbox
from relay.sandbox.settings import SandboxSettings
from relay.sandbox.settings import Tls as SandboxTls
from tests.fakes.observer import FakeObserver
from tests.fakes.peer import Dialogue, Peer
from tests.fakes.store import FakeStore
from tests.fakes.tokens import FakeTokens

BODY = b"Subject: ricetta\r\nMessage-ID: <1@example.it>\r\n\r\n.\r\n..\r\nBuongiorno\xe8\r\n.fine\r\n"
BOTH_LOOPS = pytest.mark.parametrize("run", [asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
Run = Callable[[Coroutine[Any, Any, None]], None]


def doctor(number: int = 0) -> MailboxId:
    return MailboxId("sandbox", f"dottore{number}@example.it")


@dataclass
class World:
    """A sandbox, and a relay's delivery in front of it."""

    sandbox: Sandbox
    provider: Provider
    store: FakeStore
    observer: FakeObserver

    def upstream(self, **changes: Any) -> SmtpUpstream:
        provider = replace(self.provider, **changes)
        return SmtpUpstream(
            "relay.example.it", lambda mailbox: Route(provider, "segreta"), resolve=_resolve, trust=SystemTrust()
        )


async def _resolve(provider: str, host: str) -> Sequence[str]:
    return ["127.0.0.1"] if host == "localhost" else []


@asynccontextmanager
async def world(settings: SandboxSettings | None = None, **changes: Any) -> AsyncIterator[World]:
    """The sandbox listens; nothing delivers yet."""
    async with Sandbox(settings or SandboxSettings()) as sandbox:
        provider = replace(Provider("sandbox", "127.0.0.1", sandbox.port, tls=Tls.NONE), **changes)
        yield World(sandbox, provider, FakeStore(BODY), FakeObserver())


@asynccontextmanager
async def delivering(it: World, terms: SessionTerms | None = None) -> AsyncIterator[None]:
    """A dispatcher runs, and stops in order."""
    dispatcher = Dispatcher(
        it.store,
        it.upstream(),
        node="node-1",
        observe=it.observer,
        terms_of=lambda provider: terms or SessionTerms(),
        fence=Fence(lambda: 0, lease=MINUTE),
    )
    running = asyncio.ensure_future(dispatcher.run())
    try:
        yield
    finally:
        await dispatcher.stop()
        await running
    assert it.observer.breaks == []
    assert {(box.sessions, box.opening) for box in it.store.boxes.values()} == {(0, 0)}


@BOTH_LOOPS
def test_mail_arrives_byte_for_byte_under_the_right_login(run: Run, tmp_path: Path) -> None:
    async def main() -> None:
        async with world(SandboxSettings(inbox=tmp_path)) as it:
            it.store.content_of = lambda claim: BODY + claim.message.encode() + b"\r\n"
            async with delivering(it, SessionTerms(messages=7)):
                for number in range(5):
                    it.store.put(doctor(number), *(f"{number}-{turn}" for turn in range(10)), connections=2)
                await it.store.until_settled(50)
            assert {result.verdict for result in it.store.results()} == {Verdict.DELIVERED}
            assert len(it.sandbox.delivered) == 50
            for record in it.sandbox.delivered:
                assert record["user"] == record["from"]
        bodies = sorted(path.read_bytes().split(BODY, 1)[1] for path in tmp_path.rglob("*") if path.is_file())
        assert bodies == sorted(f"{number}-{turn}\r\n".encode() for number in range(5) for turn in range(10))

    run(main())


@BOTH_LOOPS
def test_over_the_providers_limit_the_mailbox_is_told_to_slow_down(run: Run) -> None:
    async def main() -> None:
        async with world(SandboxSettings(limits=("2/1h",))) as it, delivering(it):
            it.store.put(doctor(), "m1", "m2", "m3")
            await it.store.until_settled(3)
            (result,) = it.store.settled["m3"]
            assert (result.verdict, result.reply_class, result.stage) == (Verdict.DEFERRED, "rate-limited", Stage.MAIL)
            assert result.is_mail_written
            assert result.is_end_known
            it.store.put(doctor(1), "other")
            await it.store.until_settled(4)
            assert it.store.settled["other"][0].verdict is Verdict.DELIVERED

    run(main())


@BOTH_LOOPS
def test_a_large_mail_goes_through(run: Run) -> None:
    async def main() -> None:
        async with world() as it:
            content = b"Subject: x\r\n\r\n" + (b"y" * 76 + b"\r\n") * 60_000
            it.store.content_of = lambda claim: content
            async with delivering(it):
                it.store.put(doctor(), "big")
                await it.store.until_settled(1)
            (record,) = it.sandbox.delivered
            assert record["size"] == len(content)

    run(main())


@BOTH_LOOPS
def test_a_gate_that_refuses_ends_in_a_reset_on_the_wire(run: Run) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        ends: list[Exception | None] = []

        class Ended(Dialogue):
            def connection_lost(self, exc: Exception | None) -> None:
                ends.append(exc)
                super().connection_lost(exc)

        peer = Peer()
        server = await loop.create_server(lambda: Ended(peer), "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with world() as it:
            session = await it.upstream(port=port).open(doctor())

            async def refuse() -> bool:
                return False

            envelope = Envelope("dottore0@example.it", (Recipient("p@example.org"),))
            result = await session.transmit(envelope, BODY, refuse)
            assert result.verdict is Verdict.DROPPED
            await peer.dialogues[0].lost
        server.close()
        await server.wait_closed()
        assert isinstance(ends[0], ConnectionResetError)
        assert peer.messages == []

    run(main())


@BOTH_LOOPS
def test_the_socket_says_nothing_more_once_it_is_closed(run: Run) -> None:
    async def main() -> None:
        async with world() as it:
            session = await it.upstream().open(doctor())
            assert session._wire.transport is not None
            sock = session._wire.transport.get_extra_info("socket")
            linger = sock.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 8)
            assert struct.unpack("ii", linger) == (1, 0)
            assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 60_000
            assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            await session.close()

    run(main())


# logins


@BOTH_LOOPS
@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN", "CRAM-MD5", "XOAUTH2"])
def test_every_mechanism_logs_in_as_the_right_mailbox(run: Run, mechanism: str) -> None:
    async def main() -> None:
        is_token = mechanism == "XOAUTH2"
        users = {doctor().username: "ya29.token" if is_token else "segreta"}
        settings = SandboxSettings(mechanisms=(mechanism,), users=users)
        async with world(settings, auth=Auth.OAUTH2 if is_token else Auth.PASSWORD) as it:
            upstream = it.upstream()
            upstream._tokens = FakeTokens("ya29.token")
            await (await upstream.open(doctor())).close()
            with pytest.raises(LoginFailed) as caught:
                await upstream.open(doctor(1))
            assert caught.value.failure.reply_class == "auth-rejected"
            (right, wrong) = [record for record in it.sandbox.log if record["event"] == "auth"]
            assert (right["user"], (right["reply"] or "")[:3]) == (doctor().username, "235")
            assert (wrong["user"], (wrong["reply"] or "")[:3]) == (doctor(1).username, "535")

    run(main())


# encryption


async def _send_one(it: World, **changes: Any) -> Verdict:
    session = await it.upstream(**changes).open(doctor())

    async def gate() -> bool:
        return True

    envelope = Envelope("dottore0@example.it", (Recipient("p@example.org"),))
    result = await session.transmit(envelope, BODY, gate)
    await session.close()
    return result.verdict


TLS = pytest.mark.parametrize("tls", [Tls.STARTTLS, Tls.IMPLICIT])


@BOTH_LOOPS
@TLS
@pytest.mark.needs("openssl")
def test_mail_goes_over_verified_encryption(run: Run, tls: Tls) -> None:
    async def main() -> None:
        async with world(SandboxSettings(tls=SandboxTls(tls.value)), tls=tls) as it:
            assert await _send_one(it, host="localhost", tls_ca=str(it.sandbox.authority)) is Verdict.DELIVERED

    run(main())


@BOTH_LOOPS
@TLS
@pytest.mark.needs("openssl")
@pytest.mark.parametrize("case", ["unknown authority", "another name"])
def test_no_password_goes_to_a_host_that_cannot_prove_who_it_is(run: Run, tls: Tls, case: str) -> None:
    async def main() -> None:
        async with world(SandboxSettings(tls=SandboxTls(tls.value)), tls=tls) as it:
            changes: dict[str, Any] = {"host": "localhost"}
            if case == "another name":
                changes = {"host": "localhost.localdomain", "tls_ca": str(it.sandbox.authority)}
            upstream = it.upstream(**changes)
            upstream._resolve = _here
            with pytest.raises(LoginFailed) as caught:
                await upstream.open(doctor())
            failure = caught.value.failure
            assert (failure.reply_class, failure.is_provider, failure.is_login_sent) == ("tls-required", True, False)
            assert not [record for record in it.sandbox.log if record["event"] == "auth"]

    run(main())


async def _here(provider: str, host: str) -> Sequence[str]:
    return ["127.0.0.1"]


@BOTH_LOOPS
@pytest.mark.needs("openssl")
def test_a_stripped_starttls_stops_before_the_login(run: Run) -> None:
    async def main() -> None:
        settings = SandboxSettings(tls=SandboxTls.STARTTLS, faults=("no-starttls:1",))
        async with world(settings, tls=Tls.STARTTLS, host="localhost") as it:
            with pytest.raises(LoginFailed) as caught:
                await it.upstream(tls_ca=str(it.sandbox.authority)).open(doctor())
            assert caught.value.failure.reply_class == "tls-required"
            assert caught.value.failure.stage is Stage.STARTTLS
            assert not [record for record in it.sandbox.log if record["event"] == "auth"]

    run(main())


@BOTH_LOOPS
@TLS
def test_a_host_that_speaks_no_tls_is_given_up(run: Run, tls: Tls) -> None:
    async def main() -> None:
        peer = Peer({"STARTTLS": [b"220 go ahead\r\nrubbish"]}, ("STARTTLS", "AUTH PLAIN"))
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: Dialogue(peer), "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with world() as it:
            timeouts = replace(it.provider.timeouts, connect=SECOND, command=SECOND)
            with pytest.raises(LoginFailed) as caught:
                await it.upstream(tls=tls, host="localhost", port=port, timeouts=timeouts).open(doctor())
            assert caught.value.failure.is_provider
            assert not caught.value.failure.is_login_sent
        server.close()
        await server.wait_closed()
        assert "AUTH" not in peer.verbs()

    run(main())


@BOTH_LOOPS
def test_ipv6_and_ipv4_are_tried_in_the_order_of_the_resolver(run: Run) -> None:
    async def main() -> None:
        async with world(host="mail.test", allow_plaintext=True) as it:
            upstream = it.upstream()

            async def resolve(provider: str, host: str) -> Sequence[str]:
                return ["::1", "127.0.0.1"]

            upstream._resolve = resolve
            session = await upstream.open(doctor())
            assert session._wire.transport is not None
            assert session._wire.transport.get_extra_info("peername")[0] == "127.0.0.1"
            await session.close()

    run(main())


def test_a_refused_connection_is_the_providers_failure() -> None:
    async def main() -> None:
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            port = unused.getsockname()[1]
            async with world() as it:
                with pytest.raises(LoginFailed) as caught:
                    await it.upstream(port=port).open(doctor())
        failure = caught.value.failure
        assert (failure.reply_class, failure.stage, failure.is_provider) == ("network", Stage.CONNECT, True)

    asyncio.run(main())


@BOTH_LOOPS
@pytest.mark.needs("openssl")
def test_a_large_mail_goes_through_encryption_and_the_gate_waits_for_it(run: Run) -> None:
    async def main() -> None:
        async with world(SandboxSettings(tls=SandboxTls.IMPLICIT), tls=Tls.IMPLICIT, host="localhost") as it:
            session = await it.upstream(tls_ca=str(it.sandbox.authority)).open(doctor())
            content = b"Subject: x\r\n\r\n" + (b"y" * 76 + b"\r\n") * 60_000
            left: list[int] = []

            async def gate() -> bool:
                assert session._wire._writer is not None
                left.append(session._wire._writer.get_write_buffer_size())
                return True

            envelope = Envelope("dottore0@example.it", (Recipient("p@example.org"),))
            assert (await session.transmit(envelope, content, gate)).verdict is Verdict.DELIVERED
            assert left == [0]
            await session.close()

    run(main())
