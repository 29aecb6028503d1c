"""Getting started, as the page says it: an Aruba and a Gmail mailbox, with sandboxes standing in their place."""

import asyncio
import email
import email.policy
import json
import os
import re
import smtplib
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from relay.sandbox.certificates import CertificateFiles, make_certificates
from tests.deploy.getting_started import PAGE, files
from tests.deploy.rules import ROOT, anchors
from tests.integration.relay_process import PATIENCE, RelayProcess
from tests.integration.sandbox_peer import SandboxProcess

ROSSI, BIANCHI = "m.rossi@studiorossi.it", "mario.bianchi@gmail.com"
PATIENT = "paziente@example.org"
PLACES = {
    "data_dir: /var/lib/relay": "data_dir: var",
    "keys_dir: /run/credentials/relay.service": "keys_dir: keys",
    "0.0.0.0:465": "127.0.0.1:0",
    "0.0.0.0:587": "127.0.0.1:0",
}
"""What a test cannot have as the page has it: folders of root, and ports below 1024."""


def run(*arguments: str, stdin: str = "", environ: dict[str, str] | None = None) -> str:
    command = [sys.executable, "-c", "from relay.cli import main; main()", *arguments]
    done = subprocess.run(
        command, input=stdin, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, check=False,
        env={**os.environ, **(environ or {})},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


class Reader:
    """Somebody who does what the page says."""

    def __init__(self, path: Path, stack: ExitStack) -> None:
        self.path = path
        self.stack = stack
        self.certificates: CertificateFiles = asyncio.run(make_certificates(path, names=("localhost",)))
        for folder in ("tls", "secrets", "keys"):
            (path / folder).mkdir()

    def provider(self, name: str, account: str, password: str) -> int:
        """A sandbox with implicit TLS that knows one mailbox, like the provider's own host."""
        users = self.path / f"{name}.users"
        users.write_text(f"{account}:{password}\n")
        running = SandboxProcess(
            *("--tls", "implicit", "--users", str(users), "--inbox", str(self.path / name)),
            *("--certificate", str(self.certificates.certificate), "--key", str(self.certificates.key)),
        )
        self.stack.callback(running.kill)
        return running.port

    def follow(self, *, aruba: int, gmail: int) -> None:
        """Steps 2 to 7."""
        key = subprocess.run(["openssl", "rand", "-base64", "32"], capture_output=True, check=True, timeout=PATIENCE)
        (self.path / "keys" / "relay.key").write_bytes(key.stdout)
        (self.path / "tls" / "fullchain.pem").write_bytes(self.certificates.certificate.read_bytes())
        (self.path / "tls" / "privkey.pem").write_bytes(self.certificates.key.read_bytes())
        (self.path / "secrets" / "m.rossi").write_text("aruba-password\n")
        (self.path / "secrets" / "mario.bianchi").write_text("abcdefghijklmnop\n")
        replaced = {
            **PLACES,
            "PASTE-THE-HASH-HERE": run("hash-password", stdin="la password del gestionale\n").strip(),
            "{profile: aruba}": f"{{profile: aruba, host: 127.0.0.1, port: {aruba}, tls_ca: ca.pem}}",
            "{profile: gmail}": f"{{profile: gmail, host: 127.0.0.1, port: {gmail}, tls_ca: ca.pem}}",
        }
        content = files()
        for what, by in replaced.items():
            assert any(what in text for text in content.values()), what
            content = {name: text.replace(what, by) for name, text in content.items()}
        (self.path / "relay.yaml").write_text(content["relay.yaml"] + 'http: {listen: "127.0.0.1:0"}\n')
        (self.path / "routing.yaml").write_text(content["routing.yaml"])

    @property
    def config(self) -> Path:
        return self.path / "relay.yaml"

    def mails(self, provider: str) -> list[email.message.Message]:
        found = sorted((self.path / provider).glob("*.eml"))
        return [email.message_from_bytes(file.read_bytes(), policy=email.policy.default) for file in found]


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    with ExitStack() as stack:
        yield Reader(tmp_path, stack)


def smtp_ports(relay: RelayProcess) -> tuple[int, int]:
    """Of the listener with implicit TLS, and of the one with STARTTLS."""
    found = [each["address"] for each in relay.records if each["event"] == "listening" and each["what"] == "smtp"]
    implicit, starttls = (int(address.rpartition(":")[2]) for address in found)
    return implicit, starttls


def hand_in(client: smtplib.SMTP, sender: str) -> str:
    """As the clinical software does; the id that it was told."""
    client.login("studio-rossi", "la password del gestionale")
    client.mail(sender)
    client.rcpt(PATIENT)
    code, reply = client.data(f"From: {sender}\r\nTo: {PATIENT}\r\nSubject: Ricetta\r\n\r\nBuongiorno\r\n")
    assert code == 250, reply
    return reply.decode().rpartition(" ")[2]


@pytest.mark.needs("openssl")
def test_who_does_what_the_page_says_sends_through_aruba_and_gmail(reader: Reader) -> None:
    reader.follow(
        aruba=reader.provider("aruba", ROSSI, "aruba-password"),
        gmail=reader.provider("gmail", BIANCHI, "abcdefghijklmnop"),
    )
    assert "error" not in run("check", "--config", str(reader.config))
    relay = RelayProcess(reader.config)
    reader.stack.callback(relay.kill)
    relay.wait_until_ready()
    implicit, starttls = smtp_ports(relay)
    trust = ssl.create_default_context(cafile=str(reader.certificates.authority))
    with smtplib.SMTP_SSL("localhost", implicit, timeout=PATIENCE, context=trust) as client:
        first = hand_in(client, ROSSI)
    with smtplib.SMTP("localhost", starttls, timeout=PATIENCE) as client:
        client.starttls(context=trust)
        second = hand_in(client, BIANCHI)
    relay.wait_for("delivered", id=first, provider="aruba")
    relay.wait_for("delivered", id=second, provider="gmail")
    assert [mail["From"] for mail in reader.mails("aruba")] == [ROSSI]
    assert [mail["From"] for mail in reader.mails("gmail")] == [BIANCHI]
    _ask(reader, relay, first)
    assert relay.stop() == 0


def _ask(reader: Reader, relay: RelayProcess, ident: str) -> None:
    """Step 9: what became of it. The port was chosen by the kernel, so it is written where the command looks."""
    text = reader.config.read_text().replace('"127.0.0.1:0"}\n', f'"127.0.0.1:{relay.http}"}}\n')
    reader.config.write_text(text)
    environ = {"RELAY_CONFIG": str(reader.config)}
    assert "delivered" in run("explain", ident, environ=environ)
    assert "aruba" in run("status", environ=environ)
    shown = json.loads(run("queue", "show", ident, "--json", environ=environ))
    assert shown["state"] == "delivered"


@pytest.mark.needs("openssl")
def test_a_password_that_was_mistyped_is_found_and_mended_as_the_runbook_says(reader: Reader) -> None:
    reader.follow(
        aruba=reader.provider("aruba", ROSSI, "another-password"),
        gmail=reader.provider("gmail", BIANCHI, "abcdefghijklmnop"),
    )
    relay = RelayProcess(reader.config)
    reader.stack.callback(relay.kill)
    relay.wait_until_ready()
    trust = ssl.create_default_context(cafile=str(reader.certificates.authority))
    with smtplib.SMTP_SSL("localhost", smtp_ports(relay)[0], timeout=PATIENCE, context=trust) as client:
        ident = hand_in(client, ROSSI)
    assert relay.wait_for("login_failed", provider="aruba")["class"] == "auth-rejected"
    (reader.path / "secrets" / "m.rossi").write_text("another-password\n")
    relay.wait_for("delivered", id=ident)


def test_the_page_leads_nowhere_that_is_not_there() -> None:
    for page, anchor in re.findall(r"\]\(([\w./-]+\.md)#([\w-]+)\)", PAGE.read_text()):
        assert anchor in anchors(PAGE.parent / page), anchor
    for path in re.findall(r"deploy/[\w./-]+", PAGE.read_text()):
        assert (ROOT / path).exists(), path
