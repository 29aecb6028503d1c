"""Real mail programs at both ends: whoever speaks SMTP can hand in mail, and whoever takes it gets it."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.integration.ports import free_ports
from tests.integration.relay_process import PATIENCE, Folder, RelayProcess
from tests.integration.sandbox_peer import SandboxProcess
from tests.integration.upstream_postfix import wait_for_port


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def start(stack: ExitStack, folder: Folder) -> RelayProcess:
    relay = RelayProcess(folder.config)
    stack.callback(relay.kill)
    return relay.wait_until_ready()


def relay_with_inbox(stack: ExitStack, path: Path) -> RelayProcess:
    """A relay before a provider that keeps what it takes in `path/inbox`."""
    provider = SandboxProcess("--inbox", str(path / "inbox"))
    stack.callback(provider.kill)
    folder = Folder(path, provider=provider.port)
    folder.routing["clients"] = {"practice": {"password": "pw", "may_send_as": ["*@d.test"]}}
    folder.write()
    return start(stack, folder)


def run(*command: str, stdin: bytes = b"") -> str:
    """What a program said; it must have ended well."""
    done = subprocess.run(command, input=stdin, capture_output=True, timeout=PATIENCE, check=False)
    said = (done.stdout + done.stderr).decode(errors="replace")
    assert done.returncode == 0, said
    return said


def only_mail(path: Path) -> bytes:
    (file,) = (path / "inbox").glob("*.eml")
    return file.read_bytes()


@pytest.mark.needs("swaks")
@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
def test_swaks_logs_in_and_its_mail_arrives(stack: ExitStack, tmp_path: Path, mechanism: str) -> None:
    relay = relay_with_inbox(stack, tmp_path)
    login = ["--auth", mechanism, "--auth-user", "practice", "--auth-password", "pw"]
    mail = ["--from", "anna@d.test", "--to", "paziente@example.org", "--body", "Buongiorno"]
    said = run("swaks", "--server", "127.0.0.1", "--port", str(relay.smtp), *login, *mail)
    assert "queued as" in said
    relay.wait_for("delivered")
    assert b"Buongiorno" in only_mail(tmp_path)


@pytest.mark.needs("curl")
def test_curl_logs_in_and_its_mail_arrives_byte_for_byte(stack: ExitStack, tmp_path: Path) -> None:
    relay = relay_with_inbox(stack, tmp_path)
    body = b"".join(b"%d " % number + bytes(range(0xA0, 0x100)) + b"\r\n.dot\r\n" for number in range(200))
    mail = b"From: anna@d.test\r\nTo: paziente@example.org\r\nSubject: Ricetta\r\n\r\n" + body
    addresses = ["--mail-from", "anna@d.test", "--mail-rcpt", "paziente@example.org"]
    run("curl", "-sS", f"smtp://127.0.0.1:{relay.smtp}", "--user", "practice:pw", *addresses, "-T", "-", stdin=mail)
    relay.wait_for("delivered")
    assert only_mail(tmp_path).partition(b"\r\n\r\n")[2] == body


@contextmanager
def smtp_sink() -> Iterator[int]:
    """Postfix's sink; its port."""
    (port,) = free_ports(1)
    user = ["-u", "root"] if os.geteuid() == 0 else []
    with subprocess.Popen(["smtp-sink", *user, f"127.0.0.1:{port}", "100"]) as process:
        try:
            wait_for_port(port)
            yield port
        finally:
            process.terminate()


@pytest.mark.needs("smtp-source", "smtp-sink")
def test_a_flood_of_postfix_source_reaches_postfix_sink(stack: ExitStack, tmp_path: Path) -> None:
    port = stack.enter_context(smtp_sink())
    folder = Folder(tmp_path, provider=port)
    folder.routing["providers"]["lab"] |= {"auth": "none", "connections": 10}
    folder.write()
    relay = start(stack, folder)
    flood = ["-s", "10", "-m", "200", "-l", "4000", "-f", "anna@d.test", "-t", "paziente@example.org"]
    run("smtp-source", *flood, f"127.0.0.1:{relay.smtp}")
    relay.wait_for("delivered", times=200)
    assert relay.count("accepted") == 200
    accepted = {record["id"] for record in relay.records if record["event"] == "accepted"}
    assert {record["id"] for record in relay.records if record["event"] == "delivered"} == accepted
