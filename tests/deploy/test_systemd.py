"""The systemd unit: sandboxed, patient enough for a drain, and told the truth by the real process."""

import configparser
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from relay.app.service import CLOSING
from relay.config.loading import load_service
from relay.core.limits import SECOND
from tests.deploy.rules import ROOT
from tests.integration.relay_process import PATIENCE, Folder, RelayProcess

UNIT = ROOT / "deploy" / "systemd" / "relay.service"
EXPOSURE = 25
"""Tenths of `systemd-analyze security`: what a service that listens and reads files of root cannot be without."""


def settings() -> dict[str, list[str]]:
    """The [Service] section: every value of each key."""
    found: dict[str, list[str]] = {}
    for line in UNIT.read_text().partition("[Service]")[2].partition("[Install]")[0].splitlines():
        key, is_set, value = line.partition("=")
        if is_set and not line.startswith("#"):
            found.setdefault(key, []).append(value)
    return found


def test_it_runs_as_nobody_special_and_can_gain_nothing() -> None:
    found = settings()
    assert found["User"] == ["relay"]
    assert found["CapabilityBoundingSet"] == found["AmbientCapabilities"] == ["CAP_NET_BIND_SERVICE"]
    for key in ("NoNewPrivileges", "PrivateTmp", "PrivateDevices", "ProtectHome", "MemoryDenyWriteExecute"):
        assert found[key] == ["yes"], key
    assert found["ProtectSystem"] == ["strict"]
    assert found["LimitCORE"] == ["0"], "a core has the key and somebody's mail in it"


def test_its_key_comes_as_a_credential_and_no_secret_stands_in_it() -> None:
    assert settings()["LoadCredential"] == ["relay.key:/etc/relay/keys/relay.key"]
    assert "RELAY_KEY=" not in UNIT.read_text()


def test_it_waits_for_a_drain_before_it_kills() -> None:
    config = load_service(ROOT / "config" / "relay.yaml", {}).value
    assert config is not None
    closing_parts = 2  # what closes after the drain: clients, then the store
    assert int(settings()["TimeoutStopSec"][0]) >= config.drain / SECOND + closing_parts * CLOSING


def test_it_is_watched() -> None:
    found = settings()
    assert found["Type"] == ["notify"]
    assert found["NotifyAccess"] == ["main"]
    assert int(found["WatchdogSec"][0]) >= 10, "a busy machine is no reason to kill a relay"
    assert found["Restart"] == ["always"]


def test_it_is_a_unit_that_a_parser_of_ini_files_reads() -> None:
    parser = configparser.RawConfigParser(strict=False)
    parser.read_string(UNIT.read_text())
    assert parser.sections() == ["Unit", "Service", "Install"]


@pytest.mark.needs("systemd-analyze")
def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    copy = tmp_path / "relay.service"
    copy.write_text(UNIT.read_text().replace("/opt/relay/bin/relay", shutil.which("true") or "/bin/true"))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(copy)],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert "relay.service" not in done.stderr, done.stderr


@pytest.mark.needs("systemd-analyze")
def test_systemd_finds_little_exposed() -> None:
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", f"--threshold={EXPOSURE}", "--no-pager", str(UNIT)],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr


class Manager:
    """systemd's end of the socket."""

    def __init__(self, path: Path) -> None:
        self.address = str(path)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.address)
        self.socket.settimeout(PATIENCE)

    def hear(self) -> str:
        """The next thing that it is told."""
        return self.socket.recv(1000).decode()


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as opened:
        yield opened


def test_the_relay_says_that_it_is_ready_that_it_lives_and_that_it_stops(tmp_path: Path, stack: ExitStack) -> None:
    manager = Manager(tmp_path / "notify")
    stack.callback(manager.socket.close)
    environ = {"NOTIFY_SOCKET": manager.address, "WATCHDOG_USEC": "1000000"}
    relay = RelayProcess(Folder(tmp_path, provider=9).config, environ=environ)
    stack.callback(relay.kill)
    first = manager.hear()
    while first == "WATCHDOG=1":  # it lives before it is ready
        first = manager.hear()
    assert first == "READY=1"
    assert relay.wait_for("ready")
    assert relay.get("/readyz")[0] == 200
    assert [manager.hear() for _ in range(3)] == ["WATCHDOG=1"] * 3
    assert relay.stop() == 0
    manager.socket.setblocking(False)
    heard = []
    while True:
        try:
            heard.append(manager.hear())
        except BlockingIOError:
            break
    assert "STOPPING=1" in heard
