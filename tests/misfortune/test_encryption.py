"""No encryption comes about with the provider, or none that proves who it is: the mail waits, with the very reason, and
neither a password nor a word of it goes out."""

import asyncio
import socket
import ssl
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from relay.core.limits import SECOND
from relay.core.routing import Provider, Timeouts, Tls
from relay.core.words import Stage
from relay.sandbox.sandbox import Sandbox
from relay.sandbox.settings import SandboxSettings
from relay.sandbox.settings import Tls as SandboxTls
from tests.fakes.peer import Act, Answer, Dialogue, Peer, Trickle
from tests.misfortune.certificates import Shown, make
from tests.misfortune.provider import SICK, Case, misfortune

BOTH = pytest.mark.parametrize("tls", [Tls.STARTTLS, Tls.IMPLICIT])
PATIENT = Timeouts(connect=30 * SECOND)


def stage_of(tls: Tls) -> Stage:
    """Where it is noticed."""
    return Stage.CONNECT if tls is Tls.IMPLICIT else Stage.STARTTLS


@asynccontextmanager
async def shown(
    folder: Path, tls: Tls, *, trusts: bool = True, host: str = "localhost", **certificate: Any
) -> AsyncIterator[tuple[Case, Sandbox]]:
    """A provider with this certificate, and a relay that was told to trust its authority."""
    files = make(folder, **certificate)
    settings = SandboxSettings(tls=SandboxTls(tls.value), certificate=files.certificate, key=files.key)
    async with Sandbox(settings) as sandbox:
        trusted = str(files.authority) if trusts else None
        provider = Provider("sick", host, sandbox.port, tls=tls, tls_ca=trusted, timeouts=PATIENT)
        async with misfortune(Peer(), elsewhere=provider) as case:
            yield case, sandbox


def assert_nothing_was_said(sandbox: Sandbox) -> None:
    assert {record["event"] for record in sandbox.log} <= {"connect", "disconnect", "refused", "fault"}


@BOTH
async def test_a_private_authority_is_trusted_where_it_was_named(tls: Tls, tmp_path: Path) -> None:
    async with shown(tmp_path, tls) as (case, sandbox):
        assert (await case.send()).reply_class == "delivered"
        (record,) = sandbox.delivered
        assert record["user"] == "dottore@example.it"


async def test_a_certificate_signed_by_itself_is_trusted_where_it_was_named_itself(tmp_path: Path) -> None:
    files = make(tmp_path, is_self_signed=True)
    settings = SandboxSettings(tls=SandboxTls.IMPLICIT, certificate=files.certificate, key=files.key)
    async with Sandbox(settings) as sandbox:
        named = str(files.certificate)
        provider = Provider("sick", "localhost", sandbox.port, tls=Tls.IMPLICIT, tls_ca=named, timeouts=PATIENT)
        async with misfortune(Peer(), elsewhere=provider) as case:
            assert (await case.send()).reply_class == "delivered"


@BOTH
@pytest.mark.parametrize(
    ("reason", "wrong"),
    [
        ("tls-expired", {"ends": -1}),
        ("tls-not-yet-valid", {"begins": 1}),
        ("tls-wrong-name", {"name": "smtp.other.test"}),
        ("tls-wrong-name", {"host": "127.0.0.1"}),
        ("tls-self-signed", {"is_self_signed": True}),
        ("tls-untrusted", {"trusts": False}),
    ],
)
async def test_a_certificate_that_proves_nothing_holds_the_mail(
    tls: Tls, reason: str, wrong: dict[str, Any], tmp_path: Path
) -> None:
    async with shown(tmp_path, tls, **wrong) as (case, sandbox):
        failure = await case.refusal()
        assert (failure.reply_class, failure.reason, failure.stage) == ("tls-required", reason, stage_of(tls))
        assert (failure.is_provider, failure.is_login_sent) == (True, False)
        assert_nothing_was_said(sandbox)


@pytest.mark.parametrize(
    ("says", "meaning", "reason"),
    [
        (SandboxSettings(faults=("no-starttls:1",)), "tls-required", "tls-not-offered"),
        (SandboxSettings(replies=("starttls:454 4.7.0 TLS not available",)), "outage", "tls-refused"),
        (SandboxSettings(replies=("starttls:502 5.5.1 no",)), "tls-required", "tls-refused"),
        (SandboxSettings(replies=("starttls:421 4.3.2 closing",)), "outage", "outage"),
        (SandboxSettings(replies=("starttls:220 go\\n250 2.1.0 injected",)), "protocol-error", "tls-injected"),
        (SandboxSettings(replies=("starttls:!drop",)), "network", "network"),
    ],
    ids=["stripped", "not now", "no", "closing", "injected", "drops"],
)
async def test_a_starttls_that_comes_to_nothing_holds_the_mail(
    says: SandboxSettings, meaning: str, reason: str, tmp_path: Path
) -> None:
    files = make(tmp_path)
    settings = replace(says, tls=SandboxTls.STARTTLS, certificate=files.certificate, key=files.key)
    async with Sandbox(settings) as sandbox:
        provider = Provider("sick", "localhost", sandbox.port, tls_ca=str(files.authority), timeouts=PATIENT)
        async with misfortune(Peer(), elsewhere=provider) as case:
            failure = await case.refusal()
            assert (failure.reply_class, failure.reason) == (meaning, reason)
            assert (failure.stage, failure.is_provider, failure.is_login_sent) == (Stage.STARTTLS, True, False)
            assert_nothing_was_said(sandbox)


def _answer_once(listening: socket.socket, files: Shown) -> str:
    """A handshake of a host that speaks TLS 1.0 alone, and why it failed; blocking, so that its alert leaves."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.certificate, files.key)
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1
    connection, _ = listening.accept()
    with connection, pytest.raises(ssl.SSLError) as caught:
        context.wrap_socket(connection, server_side=True)
    return caught.value.reason


async def test_a_host_that_speaks_nothing_newer_than_tls_1_0_holds_the_mail(tmp_path: Path) -> None:
    files = make(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        handshake = asyncio.create_task(asyncio.to_thread(_answer_once, listening, files))
        port = listening.getsockname()[1]
        provider = Provider("sick", "localhost", port, tls=Tls.IMPLICIT, tls_ca=str(files.authority), timeouts=PATIENT)
        async with misfortune(Peer(), elsewhere=provider) as case:
            failure = await case.refusal()
            assert (failure.reply_class, failure.reason) == ("tls-required", "tls-too-old")
        assert await handshake == "UNSUPPORTED_PROTOCOL"


async def test_a_port_that_speaks_in_clear_where_tls_is_due_holds_the_mail() -> None:
    async with Sandbox(SandboxSettings()) as sandbox:
        provider = Provider("sick", "localhost", sandbox.port, tls=Tls.IMPLICIT, timeouts=PATIENT)
        async with misfortune(Peer(), elsewhere=provider) as case:
            failure = await case.refusal()
            assert (failure.reply_class, failure.reason) == ("tls-required", "tls-not-spoken")
            assert_nothing_was_said(sandbox)


async def test_a_port_that_greets_in_clear_is_known_before_and_after_the_handshake_begins() -> None:
    """Which of the two comes first is a matter of microseconds, and changes nothing."""
    banners: tuple[tuple[Answer, ...], ...]
    banners = ((b"220 mail.test\r\n",), (b"421 busy\r\n", Act.CLOSE), (Trickle(b"220 mail.test\r\n", 0.01),))
    for banner in banners:
        loop = asyncio.get_running_loop()
        peer = Peer({"BANNER": [banner] * 9})
        server = await loop.create_server(partial(Dialogue, peer), "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        provider = Provider("sick", "localhost", port, tls=Tls.IMPLICIT, timeouts=PATIENT)
        async with server, misfortune(peer, elsewhere=provider) as case:
            failure = await case.refusal()
            assert (failure.reply_class, failure.reason) == ("tls-required", "tls-not-spoken")


@pytest.mark.parametrize("is_known", [True, False], ids=["verified", "unknown authority"])
async def test_a_port_that_waits_for_tls_where_a_greeting_is_due_is_found_out(tmp_path: Path, is_known: bool) -> None:
    files = make(tmp_path)
    settings = SandboxSettings(tls=SandboxTls.IMPLICIT, certificate=files.certificate, key=files.key)
    async with Sandbox(settings) as sandbox:
        authority = str(files.authority) if is_known else None
        waits = Timeouts(connect=30 * SECOND, command=SECOND // 2)
        provider = Provider("sick", "localhost", sandbox.port, tls=Tls.STARTTLS, tls_ca=authority, timeouts=waits)
        async with misfortune(Peer(), elsewhere=provider) as case:
            failure = await case.refusal()
            assert (failure.reply_class, failure.reason) == ("tls-required", "tls-expected")
            assert_nothing_was_said(sandbox)


async def test_an_alert_of_tls_instead_of_a_greeting_says_what_the_port_wants() -> None:
    loop = asyncio.get_running_loop()
    peer = Peer({"BANNER": [b"\x15\x03\x01\x00\x02\x02\x46"]})
    server = await loop.create_server(partial(Dialogue, peer), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    provider = Provider("sick", "localhost", port, tls=Tls.STARTTLS, timeouts=PATIENT)
    async with server, misfortune(peer, elsewhere=provider) as case:
        failure = await case.refusal()
        assert (failure.reply_class, failure.reason) == ("tls-required", "tls-expected")


async def test_a_mended_certificate_lets_the_mail_go(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    old.mkdir()
    new.mkdir()
    bad = make(old, ends=-1)
    good = make(new)
    both = tmp_path / "both.pem"
    both.write_bytes(bad.authority.read_bytes() + good.authority.read_bytes())
    settings = SandboxSettings(tls=SandboxTls.IMPLICIT, certificate=bad.certificate, key=bad.key)
    async with Sandbox(settings) as sandbox:
        provider = Provider("sick", "localhost", sandbox.port, tls=Tls.IMPLICIT, tls_ca=str(both), timeouts=PATIENT)
        async with misfortune(Peer(), elsewhere=provider) as case:
            assert (await case.refusal()).reason == "tls-expired"
            sandbox.show(good.certificate, good.key)
            case.store.release(SICK)
            await sandbox.wait_for("delivered")
