"""Time, chance and threads come in as arguments: ruff finds each banned name, and lets the composition root use it."""

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def banned_names() -> list[str]:
    """Every name that the project bans."""
    ruff = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["ruff"]["lint"]
    return sorted(ruff["flake8-tidy-imports"]["banned-api"])


def user_of(names: list[str]) -> str:
    """A module that uses one banned name per line."""
    lines = []
    for name in names:
        module, dot, attribute = name.rpartition(".")
        lines.append(f"from {module} import {attribute}" if dot and module[0].islower() else f"import {name}")
    return "\n".join(lines) + "\n"


def banned_lines(source: str, *, path: str) -> set[int]:
    """The lines of `source`, were it the file `path`, in which ruff sees a banned name."""
    checked = subprocess.run(
        [
            sys.executable,
            "-m",
            "ruff",
            "check",
            "--select=TID251",
            "--output-format=json",
            "--stdin-filename",
            path,
            "-",
        ],
        cwd=ROOT,
        input=source,
        capture_output=True,
        text=True,
        check=False,
    )
    return {found["location"]["row"] for found in json.loads(checked.stdout) if found["code"] == "TID251"}


@pytest.mark.parametrize(
    "path", ["relay/core/planted.py", "relay/delivery/planted.py", "relay/store/planted.py", "relay/app/planted.py"]
)
def test_each_banned_name_is_found(path: str) -> None:
    names = banned_names()
    assert banned_lines(user_of(names), path=path) == set(range(1, len(names) + 1))


USES = [
    "import time\ntime.monotonic()\n",
    "from time import monotonic\n",
    "import os\nos.urandom(8)\n",
    "from datetime import UTC, datetime\ndatetime.now(UTC)\n",
    "import asyncio\nasyncio.to_thread(print)\n",
    "import threading\nthreading.Thread(target=print)\n",
]


@pytest.mark.parametrize("use", USES)
def test_a_banned_name_is_found_however_it_is_imported(use: str) -> None:
    assert banned_lines(use, path="relay/core/planted.py")


@pytest.mark.parametrize("path", ["relay/app/machine.py", "relay/cli/planted.py"])
def test_the_composition_root_owns_clock_and_chance(path: str) -> None:
    assert banned_lines(user_of(banned_names()), path=path) == set()
