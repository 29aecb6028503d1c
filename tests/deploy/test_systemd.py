"""The systemd unit: sandboxed, patient enough for a drain, and told the truth by the real process."""

import configparser
import re
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from relay.app.stopping import CLOSING
from relay.config.loading import load_service
from relay.core.limits import SECOND
from relay.core.routing import Timeouts
from tests.deploy.rules import ROOT
from tests.integration.relay_process import PATIENCE, Folder, RelayProcess

READY, ALIVE, STOPPING = "READY=1", "WATCHDOG=1", "STOPPING=1"
"""As sd_notify(3) has them."""

UNIT = ROOT / "deploy" / "systemd" / "relay.service"
NODE = ROOT / "deploy" / "systemd" / "relay.service.d" / "node.conf"
EXPOSURE = 25
"""Tenths of `systemd-analyze security`: what a service that listens and reads files of root cannot be without."""


LONGEST_DRAIN = 660
"""Seconds; what the README has a node write: `timeouts.final` and a margin."""


def settings(unit: Path = UNIT) -> dict[str, list[str]]:
    """The [Service] section: every value of each key."""
    found: dict[str, list[str]] = {}
    for line in re.split(r"^\[\w+\]$", unit.read_text().partition("[Service]")[2], maxsplit=1, flags=re.MULTILINE)[
        0
    ].splitlines():
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
    assert config.drain <= LONGEST_DRAIN * SECOND
    assert int(settings()["TimeoutStopSec"][0]) >= LONGEST_DRAIN + closing_parts * CLOSING
    assert f"drain: {LONGEST_DRAIN}s" in UNIT.read_text()
    assert Timeouts().final < LONGEST_DRAIN * SECOND, "an attempt that waits for its last reply ends by itself"


def test_a_node_gets_the_address_of_its_store_as_a_credential() -> None:
    found = settings(NODE)
    (credential,) = found["LoadCredential"]
    assert credential == "store.url:/etc/relay/keys/store.url"
    assert "Environment" not in found, "no secret in the environment of the unit"
    assert set(found) == {"LoadCredential", "RestartSec"}, "all else is relay.service's"


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
@pytest.mark.parametrize("has_node", [False, True])
def test_systemd_takes_the_unit(tmp_path: Path, has_node: bool) -> None:
    copy = tmp_path / "relay.service"
    copy.write_text(UNIT.read_text().replace("/opt/relay/bin/relay", shutil.which("true") or "/bin/true"))
    if has_node:
        (tmp_path / "relay.service.d").mkdir()
        shutil.copy(NODE, tmp_path / "relay.service.d")
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(copy)],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert not {"relay.service", "node.conf"} & set(re.findall(r"[\w.]+", done.stderr)), done.stderr


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
    """systemd's end of the socket; it takes at once what it is told, as the kernel keeps only ten messages in line."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.heard: list[str] = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(address)
        self._said = threading.Condition()
        self._listener = threading.Thread(target=self._listen)
        self._listener.start()

    def _listen(self) -> None:
        while told := self._socket.recv(1000).decode():
            with self._said:
                self.heard.append(told)
                self._said.notify_all()

    def wait_for(self, word: str, *, times: int = 1) -> None:
        """Waits until it was told this so often."""
        with self._said:
            assert self._said.wait_for(lambda: self.heard.count(word) >= times, PATIENCE), self.heard

    def close(self) -> None:
        """It hears nothing more."""
        self._socket.sendto(b"", self.address)
        self._listener.join(PATIENCE)
        self._socket.close()


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as opened:
        yield opened


def test_the_relay_says_that_it_is_ready_that_it_lives_and_that_it_stops(tmp_path: Path, stack: ExitStack) -> None:
    short = stack.enter_context(TemporaryDirectory(dir="/tmp"))  # the path of a socket has 107 bytes
    manager = Manager(f"{short}/notify")
    stack.callback(manager.close)
    environ = {"NOTIFY_SOCKET": manager.address, "WATCHDOG_USEC": "1000000"}
    relay = RelayProcess(Folder(tmp_path, provider=9).config, environ=environ)
    stack.callback(relay.kill)
    manager.wait_for(READY)
    assert relay.wait_for("ready")
    assert relay.get("/readyz")[0] == 200
    manager.wait_for(ALIVE, times=manager.heard.count(ALIVE) + 3)
    assert relay.stop() == 0
    manager.wait_for(STOPPING)
    assert [told for told in manager.heard if told != ALIVE] == [READY, STOPPING]
