"""Every kind of problem by example: each folder has a configuration and the very lines that `relay check` prints.

Law: the lines are exact, so that an editor can jump to the place; `{here}` stands for the folder.
"""

import os
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from relay.cli.check import check

HERE = Path(__file__).parent
CASES = sorted(folder for folder in HERE.iterdir() if (folder / "relay.yaml").is_file())

app = typer.Typer()
app.command()(check)


def environment(folder: Path) -> dict[str, str | None]:
    """What the folder's `environment` sets and nothing else; the key is in RELAY_KEY unless it says otherwise."""
    written = folder / "environment"
    lines = written.read_text().splitlines() if written.is_file() else []
    return {**dict.fromkeys(os.environ), "RELAY_KEY": "set", **dict(line.split("=", 1) for line in lines)}


@pytest.mark.parametrize("folder", CASES, ids=lambda folder: folder.name)
def test_each_problem_is_named_at_its_place(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    for kept in folder.glob("*.url"):  # an address with a password; a checkout knows no such modes
        kept.chmod(0o600)
    expected = (folder / "expected.txt").read_text().replace("{here}", str(folder))

    result = CliRunner().invoke(app, ["--config", "relay.yaml"], env=environment(folder))

    assert result.stdout == expected
    assert result.exit_code == (1 if ": error: " in expected else 0)


def test_every_folder_says_what_it_expects() -> None:
    assert len(CASES) >= 25
    assert [folder.name for folder in CASES if not (folder / "expected.txt").read_text()] == []
