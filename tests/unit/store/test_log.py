"""The log of the database as it is found after a crash, a power cut or damage."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from relay.store.sqlite.log import FRAME_HEADER_BYTES, HEADER_BYTES, Condition, examine

FRAME = FRAME_HEADER_BYTES + 4096


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Six transactions; the last one has many frames."""
    database, copy = tmp_path / "some.db", tmp_path / "log"
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("CREATE TABLE t (x)")
        for _ in range(4):
            connection.execute("INSERT INTO t VALUES (randomblob(3000))")
        connection.execute("INSERT INTO t VALUES (randomblob(40000))")
        copy.write_bytes(database.with_name("some.db-wal").read_bytes())
    return copy


def changed(log: Path, at: int) -> Path:
    content = bytearray(log.read_bytes())
    content[at] ^= 1
    log.write_bytes(content)
    return log


def test_a_log_that_was_not_touched_is_whole(log: Path) -> None:
    found = examine(log)
    assert found.condition is Condition.WHOLE
    assert found.frames == found.readable == (log.stat().st_size - HEADER_BYTES) // FRAME


def test_no_log_is_whole(tmp_path: Path) -> None:
    assert examine(tmp_path / "nowhere").condition is Condition.WHOLE
    (tmp_path / "empty").write_bytes(b"")
    assert examine(tmp_path / "empty").condition is Condition.WHOLE


@pytest.mark.parametrize("frames", [0, 1, 3])
@pytest.mark.parametrize("left", [0, 10, FRAME - 1])
def test_a_log_that_ends_early_is_what_a_crash_leaves(log: Path, frames: int, left: int) -> None:
    log.write_bytes(log.read_bytes()[: HEADER_BYTES + frames * FRAME + left])
    assert examine(log).condition is Condition.WHOLE


@pytest.mark.parametrize("at", [0, 4, 8, 16, 20, 24])
def test_a_bit_that_flips_before_a_synced_commit_is_damage_wherever_it_is(log: Path, at: int) -> None:
    assert examine(changed(log, at)).condition is Condition.DAMAGED  # of the log's header
    changed(log, at)
    for place in (0, 4, 8, 12, 16, 20, 24, 4000):
        assert examine(changed(log, HEADER_BYTES + 3 * FRAME + place)).condition is Condition.DAMAGED, place
        changed(log, HEADER_BYTES + 3 * FRAME + place)


def test_a_last_transaction_with_a_hole_may_be_what_a_power_cut_leaves(log: Path) -> None:
    found = examine(log)
    assert examine(changed(log, HEADER_BYTES + (found.frames - 4) * FRAME + 30)).condition is Condition.DOUBTFUL


def test_frames_of_a_log_before_this_one_are_no_damage(tmp_path: Path) -> None:
    """SQLite writes a log over from its start, and leaves what lies behind."""
    database = tmp_path / "some.db"
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("CREATE TABLE t (x)")
        for _ in range(9):
            connection.execute("INSERT INTO t VALUES (randomblob(3000))")
        connection.execute("PRAGMA wal_checkpoint(RESTART)").fetchall()
        connection.execute("INSERT INTO t VALUES (1)")
        found = examine(database.with_name("some.db-wal"))
    assert found.condition is Condition.WHOLE
    assert 0 < found.readable < found.frames
