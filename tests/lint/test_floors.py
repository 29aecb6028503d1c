"""The floors of the house hold: every import contract finds a forbidden import planted in a copy.

A contract that cannot fail protects nothing, so one without a plant fails here.
"""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
LINT_IMPORTS = "from importlinter.cli import lint_imports_command; lint_imports_command()"


class Plant(NamedTuple):
    """One forbidden import: the contract that must find it, where it is planted, what it imports."""

    contract: str
    floor: str
    imports: str

    @property
    def module(self) -> str:
        """The planted module, `relay.<floor>.planted_<what it imports>`."""
        return f"relay.{self.floor}.planted_{self.imports.replace('.', '_')}"


PLANTS = [
    Plant("floors", "submission", "relay.cli"),
    Plant("floors", "submission", "relay.delivery"),
    Plant("floors", "notify", "relay.delivery"),
    Plant("floors", "sandbox", "relay.admin"),
    Plant("floors", "store", "relay.vault"),
    Plant("floors", "store", "relay.delivery"),
    Plant("floors", "providers", "relay.config"),
    Plant("floors", "observe", "relay.store"),
    Plant("floors", "core", "relay.store"),
    Plant("core-decides", "core", "asyncio"),
    Plant("core-decides", "core", "socket"),
    Plant("core-decides", "core", "os"),
    Plant("core-decides", "core", "time"),
    Plant("core-decides", "core", "random"),
    Plant("core-decides", "core", "pydantic"),
    Plant("config-above", "delivery", "relay.config"),
    Plant("config-above", "store", "relay.config"),
    Plant("ports-only", "delivery", "relay.store.sqlite"),
    Plant("ports-only", "admin", "relay.store.sqlite"),
    Plant("ports-only", "submission", "relay.store.redis"),
    Plant("ports-only", "notify", "relay.store.engine"),
    Plant("engine-on-ledgers", "store.engine", "relay.store.sqlite"),
    Plant("engine-on-ledgers", "store.ports", "relay.store.redis"),
    Plant("adapters-apart", "store.sqlite", "relay.store.redis"),
    Plant("adapters-apart", "store.redis", "relay.store.sqlite"),
    Plant("only-submission-aiosmtpd", "delivery", "aiosmtpd"),
    Plant("only-submission-aiosmtpd", "cli", "argon2"),
    Plant("only-submission-dns", "delivery", "dns"),
    Plant("only-delivery-aiosmtplib", "notify", "aiosmtplib"),
    Plant("only-store-databases", "delivery", "sqlite3"),
    Plant("only-store-databases", "admin", "redis"),
    Plant("only-vault-cryptography", "store", "cryptography"),
    Plant("only-admin-fastapi", "notify", "fastapi"),
    Plant("only-observe-prometheus", "admin", "prometheus_client"),
    Plant("only-cli-terminal", "admin", "typer"),
    Plant("only-askers-httpx", "submission", "httpx"),
]


def contracts() -> dict[str, str]:
    """Every contract of the project by id, with its name."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    return {contract["id"]: contract["name"] for contract in settings["tool"]["importlinter"]["contracts"]}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package and of its contracts."""
    copy = tmp_path_factory.mktemp("house")
    shutil.copytree(ROOT / "relay", copy / "relay", ignore=shutil.ignore_patterns("__pycache__", ".*"))
    shutil.copy(ROOT / "pyproject.toml", copy)
    return copy


@pytest.fixture(scope="module")
def report(house: Path) -> dict[str, str]:
    """What `lint-imports` says of each broken contract of the copy, all forbidden imports planted at once."""
    for plant in PLANTS:
        path = house / Path(*plant.module.split(".")).with_suffix(".py")
        path.write_text(f'"""Planted."""\nimport {plant.imports}\n')
    found_in = os.pathsep.join([str(house), *filter(None, [os.environ.get("PYTHONPATH")])])
    linted = subprocess.run(
        [sys.executable, "-c", LINT_IMPORTS, "--no-cache"],
        cwd=house,
        env=os.environ | {"PYTHONPATH": found_in, "COLUMNS": "1000", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    _, found, broken = linted.stdout.partition("Broken contracts")
    assert found, linted.stdout + linted.stderr
    sections = re.split(r"^(.+)\n-+$", broken, flags=re.MULTILINE)
    return dict(zip(sections[1::2], sections[2::2], strict=True))


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: f"{plant.contract}:{plant.floor}->{plant.imports}")
def test_a_planted_import_is_found(report: dict[str, str], plant: Plant) -> None:
    section = report[contracts()[plant.contract]]
    chain = rf"^\s*-\s+{re.escape(plant.module)} -> {re.escape(plant.imports)}\b"
    assert re.search(chain, section, re.MULTILINE), section


def test_every_contract_has_a_plant() -> None:
    assert {plant.contract for plant in PLANTS} == contracts().keys()
