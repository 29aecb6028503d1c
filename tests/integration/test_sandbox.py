"""The sandbox over real sockets, with Python's own SMTP client as the peer that did not write it."""

import asyncio
import os
import signal
import smtplib
import socket
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import TypeVar

import pytest

from relay.sandbox import Sandbox, SandboxSettings, Tls, judge, read_log
from relay.sandbox.certificates import CertificateTrouble, make_certificates
from relay.sandbox.sandbox import SandboxStopped

ROOT = Path(__file__).parents[2]
PATIENCE = 20.0
"""Seconds after which a blocking client gives up: a hang, not a measure."""

MESSAGE = b"Message-ID: <1@x>\r\nSubject: ciao\r\n\r\n.dot\r\n..\r\n\xe8 bytes \xff\r\n"

T = TypeVar("T")


async def blocking(work: Callable[[], T]) -> T:
    """Runs a blocking client beside the sandbox."""
    return await asyncio.to_thread(work)


@contextmanager
def connect(port: int, *, user: str = "mario", password: str = "pw") -> Iterator[smtplib.SMTP]:
    with smtplib.SMTP("127.0.0.1", port, timeout=PATIENCE) as client:
        client.login(user, password)
        yield client


def send(port: int, *, count: int = 1, user: str = "mario", password: str = "pw") -> None:
    with connect(port, user=user, password=password) as client:
        for number in range(count):
            client.sendmail("d@x.test", ["p@y.test"], MESSAGE.replace(b"<1@x>", f"<{user}-{number}@x>".encode()))


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox(SandboxSettings()) as running:
        yield running


# ------------------------------------------------------------------------------------------------------- in-process
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
    async with Sandbox(SandboxSettings(max_sessions=1, idle_seconds=0.05)) as sandbox:
        first, first_writer = await asyncio.open_connection("127.0.0.1", sandbox.port)
        await sandbox.wait_for("connect")
        second, second_writer = await asyncio.open_connection("127.0.0.1", sandbox.port)
        assert (await second.read()).startswith(b"421 4.3.2")
        assert b"421 4.4.2" in await first.read()
        for writer in (first_writer, second_writer):
            writer.close()


async def test_a_client_that_talks_now_and_then_is_not_idle_and_a_hung_one_is_dropped() -> None:
    async with Sandbox(SandboxSettings(idle_seconds=0.05, replies=("mail:!hang",))) as sandbox:
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


# ------------------------------------------------------------------------------------------------------ as a process
class Running:
    """A sandbox process, started as a user would."""

    def __init__(self, *options: str, listen: str = "127.0.0.1:0") -> None:
        command = [sys.executable, "-c", "from relay.cli import main; main()", "sandbox", "--listen", listen, *options]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment)
        assert self.process.stdout is not None
        self.first_line = self.process.stdout.readline().decode()
        self.port = int(self.first_line.rpartition(":")[2] or 0)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> tuple[int, str]:
        self.process.send_signal(how)
        _, complaint = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, complaint.decode()

    def kill(self) -> None:
        if self.process.poll() is None:
            self.stop(signal.SIGKILL)
        for pipe in (self.process.stdout, self.process.stderr):
            assert pipe is not None
            pipe.close()


@pytest.fixture
def start() -> Iterator[Callable[..., Running]]:
    with ExitStack() as stack:

        def run(*options: str, **more: str) -> Running:
            running = Running(*options, **more)
            stack.callback(running.kill)
            return running

        yield run


def test_the_first_line_says_where_it_listens_and_a_signal_ends_it_cleanly(start: Callable[..., Running]) -> None:
    running = start()
    assert running.first_line == f"listening on 127.0.0.1:{running.port}\n"
    send(running.port)
    assert running.stop() == (0, "")


@pytest.mark.needs("openssl")
@pytest.mark.parametrize("tls", ["starttls", "implicit"])
def test_with_tls_the_second_line_names_the_authority_to_trust(start: Callable[..., Running], tls: str) -> None:
    running = start("--tls", tls)
    assert running.process.stdout is not None
    words, _, authority = running.process.stdout.readline().decode().strip().rpartition(" ")
    assert words == "certificate authority"
    context = ssl.create_default_context(cafile=authority)
    kind = partial(smtplib.SMTP_SSL, context=context) if tls == "implicit" else smtplib.SMTP
    with kind("127.0.0.1", running.port, timeout=PATIENCE) as client:
        if tls == "starttls":
            client.starttls(context=context)
        client.login("mario", "pw")
        assert client.sendmail("d@x.test", ["p@y.test"], MESSAGE) == {}
    assert running.stop() == (0, "")


def test_the_log_and_the_inbox_survive_kill_9(start: Callable[..., Running], tmp_path: Path) -> None:
    running = start("--log", str(tmp_path / "log.jsonl"), "--inbox", str(tmp_path / "inbox"))
    with connect(running.port) as client:
        for number in range(20):
            client.sendmail("d@x.test", ["p@y.test"], MESSAGE.replace(b"<1@x>", f"<{number}@x>".encode()))
        running.stop(signal.SIGKILL)
    log = read_log(tmp_path / "log.jsonl")
    assert judge.lost_ids(log, [f"<{number}@x>" for number in range(20)]) == set()
    assert len(list((tmp_path / "inbox").glob("*.eml"))) == 20


def test_a_killed_and_restarted_provider_still_knows_what_it_counted(
    start: Callable[..., Running], tmp_path: Path
) -> None:
    options = ("--log", str(tmp_path / "log.jsonl"), "--limit", "3/1h")
    first = start(*options)
    send(first.port, count=2)
    first.stop(signal.SIGKILL)
    second = start(*options)
    with pytest.raises(smtplib.SMTPSenderRefused, match="rate limit exceeded"):
        send(second.port, count=2)
    assert len([record for record in read_log(tmp_path / "log.jsonl") if record["event"] == "delivered"]) == 3


def test_a_password_corrected_in_the_users_file_works_at_the_next_login(
    start: Callable[..., Running], tmp_path: Path
) -> None:
    users = tmp_path / "users"
    users.write_text("mario:old\n")
    running = start("--users", str(users))
    with pytest.raises(smtplib.SMTPAuthenticationError):
        send(running.port, password="new")
    users.write_text("mario:new\n")
    send(running.port, password="new")


def test_faults_and_replies_come_from_the_command_line(start: Callable[..., Running]) -> None:
    running = start("--reply", r"mail:450-4.7.1 one\n450 4.7.1 two*1", "--fault", "refuse-auth:0.5", "--seed", "7")
    outcomes = []
    for _ in range(20):
        try:
            send(running.port)
        except smtplib.SMTPAuthenticationError:
            outcomes.append("refused")
        except smtplib.SMTPSenderRefused as refused:
            outcomes.append(str(refused.smtp_error))
        else:
            outcomes.append("sent")
    assert outcomes.count(str(b"4.7.1 one\n4.7.1 two")) == 1
    assert {"refused", "sent"} < set(outcomes)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--limit", "many"], "not a rolling limit"),
        (["--fault", "explode:1"], "not a fault"),
        (["--reply", "lunch:450 x"], "not a scripted reply"),
        (["--users", "/nonexistent/users"], "cannot be read"),
        (["--tls", "sometimes"], "sometimes"),
    ],
)
def test_wrong_use_is_said_and_exits_2(start: Callable[..., Running], options: list[str], words: str) -> None:
    running = start(*options)
    _, complaint = running.process.communicate(timeout=PATIENCE)
    assert running.first_line == ""
    assert running.process.returncode == 2
    text = " ".join(complaint.decode().replace("│", " ").split())
    assert words in text
    assert "Traceback" not in text


@pytest.mark.parametrize("listen", ["2526", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:70000"])
def test_where_to_listen_is_checked(start: Callable[..., Running], listen: str) -> None:
    running = start(listen=listen)
    running.process.communicate(timeout=PATIENCE)
    assert running.process.returncode == 2


def test_a_port_taken_or_a_log_that_cannot_be_written_exits_1(start: Callable[..., Running], tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        for running in (
            start(listen=f"127.0.0.1:{taken.getsockname()[1]}"),
            start("--log", str(tmp_path / "no" / "log")),
        ):
            _, complaint = running.process.communicate(timeout=PATIENCE)
            assert running.process.returncode == 1
            assert complaint.startswith(b"relay: ")
            assert b"Traceback" not in complaint
