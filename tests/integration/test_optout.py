"""A patient opts out, and a relay that runs refuses him at RCPT, for every address of that doctor and for no other."""

import json
import os
import smtplib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.relay_process import PATIENCE, ROOT, Folder, RelayProcess


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    folder = Folder(tmp_path, provider=9, contact="Assistenza 0974 000000")
    folder.routing["accounts"]["anna@d.test"]["aliases"] = ["info@d.test"]
    folder.write()
    return folder


@pytest.fixture
def relay(folder: Folder) -> Iterator[RelayProcess]:
    running = RelayProcess(folder.config)
    try:
        running.wait_until_ready()
        folder.service["http"] = {"listen": f"127.0.0.1:{running.http}"}
        folder.config.write_text(json.dumps(folder.service))
        yield running
    finally:
        running.kill()


def optout(folder: Folder, *arguments: str, said: str = "") -> str:
    """What the command says; `said` is its stdin."""
    command = [sys.executable, "-c", "from relay.cli import main; main()", "optout", *arguments]
    environ = {**os.environ, "PYTHONPATH": str(ROOT), "RELAY_CONFIG": str(folder.config)}
    done = subprocess.run(
        command, input=said, capture_output=True, text=True, env=environ, timeout=PATIENCE, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def rcpt(relay: RelayProcess, sender: str, to: str = "paziente@example.org") -> str:
    with smtplib.SMTP("127.0.0.1", relay.smtp, timeout=PATIENCE) as client:
        client.ehlo()
        client.mail(sender)
        code, text = client.rcpt(to)
        return f"{code} {text.decode()}"


def test_who_opted_out_is_refused_until_it_is_taken_back(folder: Folder, relay: RelayProcess) -> None:
    assert rcpt(relay, "anna@d.test").startswith("250 ")
    said = optout(folder, "-", "--account", "info@d.test", said="paziente@example.org\n")
    assert "does not write to this recipient any more" in said
    for sender in ("anna@d.test", "info@d.test"):
        refused = rcpt(relay, sender, "Paziente@EXAMPLE.org")
        assert refused.startswith("550 5.7.1 Paziente@EXAMPLE.org asked on ")
        assert refused.endswith("Assistenza 0974 000000")
    assert rcpt(relay, "bruno@d.test").startswith("250 ")
    (listed,) = json.loads(optout(folder, "--list", "--account", "anna@d.test", "--json"))["items"]
    assert listed["kind"] == "optout"
    optout(folder, "paziente@example.org", "--account", "anna@d.test", "--remove")
    assert rcpt(relay, "anna@d.test").startswith("250 ")
    assert not [line for line in relay.lines if "paziente" in line.lower() or "example.org" in line.lower()]
    stored = b"".join(path.read_bytes() for path in (folder.path / "var").rglob("*") if path.is_file())
    assert b"paziente" not in stored.lower()
