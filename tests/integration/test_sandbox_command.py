"""`relay sandbox` as a user starts it: what it prints, what it exits with, and what survives its death."""

import signal
import smtplib
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest

from relay.sandbox import judge, read_log
from tests.integration.sandbox_peer import MESSAGE, PATIENCE, SandboxProcess, connect, send

Start = Callable[..., SandboxProcess]


@pytest.fixture
def start() -> Iterator[Start]:
    with ExitStack() as stack:

        def run(*options: str, **more: str) -> SandboxProcess:
            running = SandboxProcess(*options, **more)
            stack.callback(running.kill)
            return running

        yield run


def test_the_first_line_says_where_it_listens_and_a_signal_ends_it_cleanly(start: Start) -> None:
    running = start()
    assert running.first_line == f"listening on 127.0.0.1:{running.port}\n"
    send(running.port)
    assert running.stop() == (0, "")


@pytest.mark.needs("openssl")
@pytest.mark.parametrize("tls", ["starttls", "implicit"])
def test_with_tls_the_second_line_names_the_authority_to_trust(start: Start, tls: str) -> None:
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


def test_the_log_and_the_inbox_survive_kill_9(start: Start, tmp_path: Path) -> None:
    running = start("--log", str(tmp_path / "log.jsonl"), "--inbox", str(tmp_path / "inbox"))
    with connect(running.port) as client:
        for number in range(20):
            client.sendmail("d@x.test", ["p@y.test"], MESSAGE.replace(b"<1@x>", f"<{number}@x>".encode()))
        running.stop(signal.SIGKILL)
    log = read_log(tmp_path / "log.jsonl")
    assert judge.lost_ids(log, [f"<{number}@x>" for number in range(20)]) == set()
    assert len(list((tmp_path / "inbox").glob("*.eml"))) == 20


def test_a_killed_and_restarted_provider_still_knows_what_it_counted(start: Start, tmp_path: Path) -> None:
    options = ("--log", str(tmp_path / "log.jsonl"), "--limit", "3/1h")
    first = start(*options)
    send(first.port, count=2)
    first.stop(signal.SIGKILL)
    second = start(*options)
    with pytest.raises(smtplib.SMTPSenderRefused, match="rate limit exceeded"):
        send(second.port, count=2)
    assert len([record for record in read_log(tmp_path / "log.jsonl") if record["event"] == "delivered"]) == 3


def test_a_password_corrected_in_the_users_file_works_at_the_next_login(start: Start, tmp_path: Path) -> None:
    users = tmp_path / "users"
    users.write_text("mario:old\n")
    running = start("--users", str(users))
    with pytest.raises(smtplib.SMTPAuthenticationError):
        send(running.port, password="new")
    users.write_text("mario:new\n")
    send(running.port, password="new")


def test_faults_and_replies_come_from_the_command_line(start: Start) -> None:
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
        (["--mechanism", "GSSAPI"], "not one of PLAIN, LOGIN, CRAM-MD5, XOAUTH2"),
        (["--tls", "sometimes"], "sometimes"),
    ],
)
def test_wrong_use_is_said_and_exits_2(start: Start, options: list[str], words: str) -> None:
    running = start(*options)
    _, complaint = running.process.communicate(timeout=PATIENCE)
    assert running.first_line == ""
    assert running.process.returncode == 2
    text = " ".join(complaint.decode().replace("│", " ").split())
    assert words in text
    assert "Traceback" not in text


@pytest.mark.parametrize("listen", ["2526", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:70000"])
def test_where_to_listen_is_checked(start: Start, listen: str) -> None:
    running = start(listen=listen)
    running.process.communicate(timeout=PATIENCE)
    assert running.process.returncode == 2


def test_a_port_taken_or_a_log_that_cannot_be_written_exits_1(start: Start, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        place, log = f"127.0.0.1:{taken.getsockname()[1]}", str(tmp_path / "no" / "log")
        for running, said in (
            (start(listen=place), f"relay: cannot listen at {place}: another process listens there"),
            (start("--log", log), f"relay: {log} cannot be used: no such file or directory"),
        ):
            _, complaint = running.process.communicate(timeout=PATIENCE)
            assert running.process.returncode == 1
            assert complaint.decode().strip() == said
