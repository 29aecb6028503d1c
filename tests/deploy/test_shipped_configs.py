"""Every configuration that is shipped passes `relay check`, as a user would run it."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.deploy.getting_started import files, write_files
from tests.deploy.rules import ROOT

SHIPPED = sorted(file for folder in ("config", "deploy") for file in (ROOT / folder).rglob("relay*.yaml"))
PATIENCE = 60


def check(config: Path) -> str:
    command = [sys.executable, "-c", "from relay.cli import main; main()", "check", "--config", str(config)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("config", SHIPPED, ids=lambda file: str(file.relative_to(ROOT)))
def test_a_shipped_configuration_passes_the_check(config: Path) -> None:
    assert ": error: " not in check(config)


def test_those_of_the_service_and_of_the_composition_are_among_them() -> None:
    assert {str(file.relative_to(ROOT)) for file in SHIPPED} == {
        "config/relay.yaml",
        "config/relay.full.yaml",
        "deploy/compose/relay.yaml",
        "deploy/compose/relay-nodes.yaml",
    }


def test_the_configuration_of_getting_started_passes_the_check(tmp_path: Path) -> None:
    write_files(tmp_path)
    assert ": error: " not in check(tmp_path / "relay.yaml")


def test_what_a_node_has_otherwise_than_one_that_is_alone_passes_the_check(tmp_path: Path) -> None:
    """The lines of docs/nodes.md, laid over those of getting started."""
    (written,) = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs" / "nodes.md").read_text(), re.DOTALL)
    node = yaml.safe_load(written)
    write_files(tmp_path)
    alone = yaml.safe_load(files()["relay.yaml"])
    submission = {**alone["submission"], **node["submission"]}
    (tmp_path / "relay.yaml").write_text(json.dumps({**alone, **node, "submission": submission}))
    assert ": error: " not in check(tmp_path / "relay.yaml")
    unit = ROOT / "deploy" / "systemd" / "relay.service.d" / "node.conf"
    assert f"`store: {node['store']}`" in unit.read_text()
