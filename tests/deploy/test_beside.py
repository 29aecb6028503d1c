"""Whoever works in the network of a relay's container comes back with it: deploy/compose/beside.sh, and who uses it."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from tests.deploy.rules import ROOT
from tests.fakes.redisservers import until

SCRIPT = ROOT / "deploy" / "compose" / "beside.sh"
THERE = "Iface Destination Gateway\neth0 000039AC 00000000\n"
GONE = "Iface Destination Gateway\n"
PATIENCE = 60


@contextmanager
def beside(folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """The script with a program under it, and the program's pid."""
    (folder / "routes").write_text(THERE)
    told = folder / "pid"
    program = ["sh", "-c", f"echo $$ >{told}.new; mv {told}.new {told}; exec sleep {2 * PATIENCE}"]
    environment = {**os.environ, "ROUTES": str(folder / "routes"), "BACK_IN": "0"}
    with subprocess.Popen(["sh", str(SCRIPT), *program], env=environment) as process:
        try:
            until(told.exists, "the program runs")
            yield process, int(told.read_text())
        finally:
            process.kill()


def is_running(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    try:
        return stat.read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_it_ends_with_its_program_when_the_network_has_gone(tmp_path: Path) -> None:
    with beside(tmp_path) as (process, program):
        assert process.poll() is None
        assert is_running(program)
        (tmp_path / "routes").write_text(GONE)
        assert process.wait(PATIENCE) == 1, "so that it is started again"
        until(lambda: not is_running(program), "nothing is left of it")


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGUSR1])
def test_a_stop_reaches_the_program(tmp_path: Path, how: signal.Signals) -> None:
    with beside(tmp_path) as (process, program):
        process.send_signal(how)
        process.wait(PATIENCE)
        assert not is_running(program)


def test_every_service_in_the_network_of_another_one_comes_back_with_it() -> None:
    services = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text())["services"]
    beside = {name: each for name, each in services.items() if "network_mode" in each}
    assert set(beside) == {"prometheus", "watch-1", "watch-2"}
    for name, each in beside.items():
        other = each["network_mode"].removeprefix("service:")
        assert each["depends_on"][other]["restart"] is True, name
        assert each["restart"] == "unless-stopped"
        started = each["entrypoint"] if "entrypoint" in each else each["command"]
        assert started[:2] == ["sh", "/etc/beside.sh"], name
        assert "./compose/beside.sh:/etc/beside.sh:ro" in each["volumes"]
