"""Each row of docs/crash-table.md by `kill -9`; what was offered, accepted and sent is judged from outside the process.

Nothing accepted may be lost; what was sent twice must have been reported in doubt; and only what passed the gate is.
"""

import os
import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from relay.store.engine.batches import Step

ROOT = Path(__file__).parents[2]
ROUNDS = int(os.environ.get("RELAY_CRASH_ROUNDS", "6"))
"""How often the process is killed at random under load; a nightly run takes 200."""


def points_in_docs() -> list[str]:
    """Those of SQLite; for Redis there is another table."""
    text = (ROOT / "docs" / "crash-table.md").read_text().partition("\n## On Redis\n")[0]
    return re.findall(r"^\| `([a-z-]+)` \|", text, re.MULTILINE)


def points_in_code() -> set[str]:
    named = {
        name
        for file in (ROOT / "relay").rglob("*.py")
        for name in re.findall(r"crash_point\(\s*\"([a-z-]+)\"", file.read_text())
    }
    return named | {f"{step}-{what}" for step in Step if step is not Step.NOTHING for what in ("recorded", "durable")}


@dataclass
class Told:
    """What the process said in all its lives."""

    offered: set[str] = field(default_factory=set)
    accepted: dict[str, int] = field(default_factory=dict)
    sent: list[tuple[int, str, str]] = field(default_factory=list)
    settled: set[int] = field(default_factory=set)
    doubts: Counter[int] = field(default_factory=Counter)
    held: dict[int, str] = field(default_factory=dict)
    passed: set[str] = field(default_factory=set)

    def hear(self, lines: Iterable[str]) -> None:
        for line in lines:
            word, *more = line.split()
            if word == "offered":
                self.offered.add(more[0])
            elif word == "accepted":
                self.accepted[more[0]] = int(more[1])
            elif word == "sent":
                self.sent.append((int(more[0]), more[1], more[2]))
            elif word == "settled":
                self.settled.add(int(more[0]))
            elif word == "doubt":
                self.doubts[int(more[0])] += 1
            elif word == "held":
                self.held[int(more[0])] = more[1]
            elif word == "passed":
                self.passed.add(more[0])

    def judge(self) -> None:
        """Nothing lost, nothing doubled without a doubt, nothing from nowhere."""
        expired = {"expired"}
        final: dict[str, set[int]] = {}
        copies: Counter[int] = Counter()
        for delivery, name, kind in self.sent:
            assert name in self.offered, f"{name} was never offered"
            if kind != "deferred":
                final.setdefault(name, set()).add(delivery)
                copies[delivery] += 1
        for delivery, name in self.held.items():
            assert self.doubts[delivery] == 2, "only a second doubt holds"
            final.setdefault(name, set()).add(delivery)
        for name, recipients in self.accepted.items():
            if name not in expired:
                assert len(final.get(name, ())) == recipients, f"{name} was accepted and not sent to all"
        for delivery, many in copies.items():
            assert many - 1 <= self.doubts[delivery], f"{delivery} was sent {many} times"


def run(
    folder: Path, *what: str, crash_at: str | None = None, patience: float = 60
) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    environ.pop("RELAY_CRASH_AT", None)
    if crash_at is not None:
        environ["RELAY_CRASH_AT"] = crash_at
    command = [sys.executable, "-m", "tests.crash.driver", what[0], str(folder), *what[1:]]
    return subprocess.run(command, env=environ, capture_output=True, text=True, timeout=patience, check=False)


def finish(folder: Path, told: Told) -> None:
    """A last life that is left in peace."""
    ended = run(folder, "rest", patience=60 + 10 * ROUNDS)  # the load of many rounds waits there
    assert ended.returncode == 0, ended.stderr
    told.hear(ended.stdout.splitlines())


def test_the_table_names_every_point_of_the_code_once() -> None:
    listed = points_in_docs()
    assert len(listed) == len(set(listed))
    assert set(listed) == points_in_code()


def test_a_life_without_crashes_passes_every_point(tmp_path: Path) -> None:
    ended = run(tmp_path, "tour")
    assert ended.returncode == 0, ended.stderr
    told = Told()
    told.hear(ended.stdout.splitlines())
    assert told.passed == set(points_in_docs())
    told.judge()


@pytest.mark.parametrize("point", points_in_docs())
def test_a_crash_at_each_point_loses_nothing(tmp_path: Path, point: str) -> None:
    told = Told()
    ended = run(tmp_path, "tour", crash_at=point)
    assert ended.returncode == -signal.SIGKILL, f"{point} was not passed: {ended.stderr}"
    told.hear(ended.stdout.splitlines())
    finish(tmp_path, told)
    told.judge()


@pytest.mark.parametrize("point", ["take-durable", "gate-recorded"])
def test_what_was_claimed_and_not_gated_is_not_in_doubt(tmp_path: Path, point: str) -> None:
    told = Told()
    told.hear(run(tmp_path, "tour", crash_at=point).stdout.splitlines())
    finish(tmp_path, told)
    assert not told.doubts


@pytest.mark.parametrize("point", ["gate-durable", "settle-recorded"])
def test_what_was_gated_and_not_settled_is_in_doubt_and_sent_once_more(tmp_path: Path, point: str) -> None:
    told = Told()
    told.hear(run(tmp_path, "tour", crash_at=point).stdout.splitlines())
    before = [delivery for delivery, *_ in told.sent]
    finish(tmp_path, told)
    assert sum(told.doubts.values()) == 1
    (doubtful,) = told.doubts
    assert before == ([doubtful] if point == "settle-recorded" else [])
    assert [delivery for delivery, *_ in told.sent].count(doubtful) == len(before) + 1


@pytest.mark.parametrize("point", ["outcome-kept", "outcomes-settled", "outcomes-cleared"])
def test_an_outcome_that_the_store_could_not_take_is_neither_lost_nor_in_doubt_after_a_crash(
    tmp_path: Path, point: str
) -> None:
    told = Told()
    told.hear(run(tmp_path, "tour", crash_at=point).stdout.splitlines())
    *_, (kept, *_) = told.sent
    finish(tmp_path, told)
    assert not told.doubts[kept]
    assert [delivery for delivery, *_ in told.sent].count(kept) == 1
    told.judge()


def test_kills_at_random_under_load_lose_nothing(tmp_path: Path) -> None:
    told = Told()
    for turn in range(ROUNDS):
        environ = {**os.environ, "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-m", "tests.crash.driver", "load", str(tmp_path), f"r{turn}"]
        with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            lines = []
            for line in process.stdout:
                lines.append(line)
                if len(lines) == 150 + 37 * turn:
                    process.kill()
            told.hear(line for line in lines if line.endswith("\n"))
        assert process.returncode == -signal.SIGKILL
    assert len(told.accepted) > 10 * ROUNDS
    finish(tmp_path, told)
    told.judge()
