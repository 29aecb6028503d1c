"""The sandbox over real sockets, with Python's own SMTP client as the peer that did not write it."""

import asyncio
import smtplib
import ssl
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

import pytest

from relay.sandbox import Sandbox, SandboxSettings, Tls, judge
from relay.sandbox.certificates import CertificateTrouble, make_certificates
from relay.sandbox.sandbox import SandboxStopped
from tests.integration.sandbox_peer import MESSAGE, PATIENCE, connect, send

T = TypeVar("T")

LONG_ENOUGH = 1.0
"""Seconds of silence that a busy machine does not make between a greeting and what is said to it."""


async def blocking(work: Callable[[], T]) -> T:
    """Runs a blocking client beside the sandbox."""
    return await asyncio.to_thread(work)


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox(SandboxSettings()) as running:
        yield running


async def test_a_message_arrives_byte_for_byte(tmp_path: Path) -> None:
    async with Sandbox(SandboxSettings(inbox=tmp_path)) as sandbox:
        port = sandbox.port
        await blocking(lambda: send(port))
        (record,) = await sandbox.wait_for("delivered")
    assert record["file"] is not None
    assert (tmp_path / record["file"]).read_bytes() == MESSAGE.replace(b"<1@x>", b"<mario-0@x>")
    assert (record["user"], record["from"], record["rcpt"]) == ("mario", "d@x.test", "p@y.test")


@pytest.mark.needs("openssl")
@pytest.mark.parametrize("tls", [Tls.STARTTLS, Tls.IMPLICIT])
async def test_a_client_that_trusts_the_made_authority_gets_through_verified_tls(tls: Tls) -> None:
    async with Sandbox(SandboxSettings(tls=tls)) as sandbox:
        port, authority = sandbox.port, sandbox.authority
        assert authority is not None
        context = ssl.create_default_context(cafile=str(authority))

        def work() -> None:
            if tls is Tls.IMPLICIT:
                client: smtplib.SMTP = smtplib.SMTP_SSL("127.0.0.1", port, context=context, timeout=PATIENCE)
            else:
                client = smtplib.SMTP("localhost", port, timeout=PATIENCE)
                client.starttls(context=context)
            with client:
                client.login("mario", "pw")
                client.sendmail("d@x.test", ["p@y.test"], MESSAGE)

        await blocking(work)
        assert len(sandbox.delivered) == 1
    assert not authority.exists(), "the keys of one run go with it"


@pytest.mark.needs("openssl")
@pytest.mark.parametrize("tls", [Tls.STARTTLS, Tls.IMPLICIT])
async def test_a_client_that_does_not_trust_it_fails_and_the_next_one_is_served(tls: Tls) -> None:
    async with Sandbox(SandboxSettings(tls=tls)) as sandbox:
        port, context = sandbox.port, ssl.create_default_context(cafile=str(sandbox.authority))

        def work(trusted: ssl.SSLContext) -> int:
            if tls is Tls.IMPLICIT:
                with smtplib.SMTP_SSL("127.0.0.1", port, context=trusted, timeout=PATIENCE) as client:
                    return client.noop()[0]
            with smtplib.SMTP("127.0.0.1", port, timeout=PATIENCE) as client:
                client.starttls(context=trusted)
                return client.noop()[0]

        with pytest.raises(ssl.SSLCertVerificationError):
            await blocking(lambda: work(ssl.create_default_context()))
        assert await blocking(lambda: work(context)) == 250


async def test_ten_clients_at_once_lose_and_double_nothing(sandbox: Sandbox) -> None:
    port = sandbox.port
    users = [f"user{number}" for number in range(10)]
    await asyncio.gather(*(blocking(partial(send, port, count=20, user=user)) for user in users))
    expected = {(f"<{user}-{number}@x>", "p@y.test") for user in users for number in range(20)}
    assert judge.lost(sandbox.log, expected) == set()
    assert judge.doubled(sandbox.log) == {}
    assert set(judge.most_sessions(sandbox.log).values()) == {1}


async def test_a_message_of_megabytes_arrives(sandbox: Sandbox) -> None:
    port, big = sandbox.port, MESSAGE + b"0123456789abcde\r\n" * 300_000

    def work() -> None:
        with connect(port) as client:
            client.sendmail("d@x.test", ["p@y.test"], big)

    await blocking(work)
    assert [record["size"] for record in sandbox.delivered] == [len(big)]


async def test_users_limits_faults_and_replies_change_while_it_runs(sandbox: Sandbox) -> None:
    port = sandbox.port
    sandbox.set_users({"mario": "right"})
    with pytest.raises(smtplib.SMTPAuthenticationError):
        await blocking(lambda: send(port))
    await blocking(lambda: send(port, password="right"))
    sandbox.set_users(None)
    sandbox.set_replies("mail:550 5.7.1 no")
    with pytest.raises(smtplib.SMTPSenderRefused, match="no"):
        await blocking(lambda: send(port))
    sandbox.set_replies()
    sandbox.add_reply("eod:554 5.6.0 virus*1")
    with pytest.raises(smtplib.SMTPDataError, match="virus"):
        await blocking(lambda: send(port))
    sandbox.set_faults("drop-after-dot:1")
    with pytest.raises(smtplib.SMTPServerDisconnected):
        await blocking(lambda: send(port))
    sandbox.set_faults()
    sandbox.set_limits("4/1h")
    with pytest.raises(smtplib.SMTPSenderRefused, match="rate limit exceeded"):
        await blocking(lambda: send(port, count=9))
    assert judge.worst_windows(judge.sent(sandbox.log), 3600.0) == {"mario": 5 + 1}, "4 taken before, 1 refused twice"


async def test_waiting_ends_with_the_last_record_or_gives_up(sandbox: Sandbox) -> None:
    port = sandbox.port
    waiting = asyncio.create_task(sandbox.wait_for("delivered", count=5, where=lambda record: record["user"] == "anna"))
    await asyncio.gather(blocking(lambda: send(port, count=9)), blocking(lambda: send(port, count=5, user="anna")))
    assert {record["user"] for record in await waiting} == {"anna"}
    with pytest.raises(TimeoutError):
        await sandbox.wait_for("delivered", count=999, timeout=0)


async def test_a_broken_banner_a_silence_and_a_flood_reach_the_client_as_such(sandbox: Sandbox) -> None:
    async def read_all(script: str, *, then_break: bool = False) -> bytes:
        sandbox.set_replies(script)
        faults = sum(record["event"] == "fault" for record in sandbox.log)
        reader, writer = await asyncio.open_connection("127.0.0.1", sandbox.port)
        await sandbox.wait_for("fault", count=faults + 1)
        if then_break:
            sandbox.break_connections()
        try:
            got = await reader.read() if then_break else await reader.read(20_000_000)
        except ConnectionResetError:
            got = b""
        writer.close()
        return got

    assert await read_all("connect:!drop 22") == b"22"
    assert await read_all("connect:!drop") == b""
    assert await read_all("connect:!hang", then_break=True) == b""
    assert set(await read_all("connect:!flood")) == set(b"2")
    assert await read_all("connect:!raw hello there") == b"hello there\r\n"


async def test_too_many_sessions_and_idle_ones_are_sent_away() -> None:
    async with Sandbox(SandboxSettings(max_sessions=1)) as sandbox:
        _, first_writer = await asyncio.open_connection("127.0.0.1", sandbox.port)
        await sandbox.wait_for("connect")
        second, second_writer = await asyncio.open_connection("127.0.0.1", sandbox.port)
        assert (await second.read()).startswith(b"421 4.3.2")
        for writer in (first_writer, second_writer):
            writer.close()
    async with Sandbox(SandboxSettings(idle_seconds=0.05)) as sandbox:
        reader, writer = await asyncio.open_connection("127.0.0.1", sandbox.port)
        assert b"421 4.4.2" in await reader.read()
        writer.close()


async def test_a_client_that_talks_now_and_then_is_not_idle_and_a_hung_one_is_dropped() -> None:
    async with Sandbox(SandboxSettings(idle_seconds=LONG_ENOUGH, replies=("mail:!hang",))) as sandbox:
        for lines, end in ((b"NOOP\r\n", b"421 4.4.2 Idle for too long\r\n"), (b"HELO x\r\nMAIL FROM:<a@x>\r\n", b"")):
            reader, writer = await asyncio.open_connection("127.0.0.1", sandbox.port)
            await reader.readline()
            writer.write(lines)
            await reader.readline()
            assert await reader.read() == end
            writer.close()


@pytest.mark.needs("openssl")
@pytest.mark.parametrize("hello", [b"", b"no TLS at all\r\n"])
async def test_a_client_that_never_finishes_its_handshake_holds_nothing_up(hello: bytes) -> None:
    async with Sandbox(SandboxSettings(tls=Tls.STARTTLS)) as sandbox:
        reader, writer = await asyncio.open_connection("127.0.0.1", sandbox.port)
        await reader.readline()
        writer.write(b"STARTTLS\r\n")
        assert (await reader.readline()).startswith(b"220")
        writer.write(hello)
        if hello:
            await sandbox.wait_for("disconnect")
    assert [record["event"] for record in sandbox.log] == ["connect", "disconnect"]
    writer.close()


@pytest.mark.needs("openssl")
async def test_an_own_certificate_is_shown(tmp_path: Path) -> None:
    files = await make_certificates(tmp_path, names=("mail.example.test",))
    settings = SandboxSettings(tls=Tls.IMPLICIT, certificate=files.certificate, key=files.key)
    async with Sandbox(settings) as sandbox:
        assert sandbox.authority is None
        context = ssl.create_default_context(cafile=str(files.authority))
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", sandbox.port, ssl=context, server_hostname="mail.example.test"
        )
        assert (await reader.readline()).startswith(b"220")
        writer.close()


@pytest.mark.needs("openssl")
async def test_certificates_that_cannot_be_made_are_said_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CertificateTrouble, match="could not make"):
        await make_certificates(tmp_path / "missing")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CertificateTrouble, match="openssl command is missing"):
        await Sandbox(SandboxSettings(tls=Tls.IMPLICIT)).start()


async def test_a_sandbox_started_on_an_older_log_goes_on_counting(tmp_path: Path) -> None:
    settings = SandboxSettings(log=tmp_path / "log", limits=("1/1h",))
    async with Sandbox(settings) as first:
        port = first.port
        await blocking(lambda: send(port))
    async with Sandbox(settings) as second:
        port = second.port
        with pytest.raises(smtplib.SMTPSenderRefused, match="rate limit exceeded"):
            await blocking(lambda: send(port))


async def test_stopping_breaks_what_is_open_and_may_be_done_twice() -> None:
    sandbox = Sandbox(SandboxSettings())
    await sandbox.start()
    _, writer = await asyncio.open_connection("127.0.0.1", sandbox.port)
    await sandbox.wait_for("connect")
    await sandbox.stop()
    await sandbox.stop()
    assert [record["event"] for record in sandbox.log] == ["connect", "disconnect"]
    writer.close()
    with pytest.raises(SandboxStopped):
        _ = sandbox.port
