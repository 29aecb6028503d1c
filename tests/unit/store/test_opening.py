import fcntl
import os
import sqlite3
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from relay.core.routing import Routing
from relay.errors import DataDirInUse, StoreBroken, StoreFull, StoreKeyError, StoreTooNew, StoreUnavailable
from relay.store.needs import Outside, StoreSettings
from relay.store.segments.port import BATCH_BYTES
from relay.store.sqlite import hold, open_store
from relay.store.sqlite.database import Database, translated
from relay.store.sqlite.log import Condition, Log
from relay.store.sqlite.opening import cached
from relay.store.sqlite.reserve import Reserve
from relay.vault import Keyring
from tests.unit.store.workbench import Bench, Chance, Disk, HandClock, at_once, message


def outside(keys: Path) -> Outside:
    return Outside(
        clock=HandClock(),
        random=Chance(),
        cipher_for=Keyring(keys, None, Chance()).vault_for,
        commit=Disk(),
        read=at_once,
        fatal=lambda error: None,
        free_bytes=lambda: 1,
    )


async def test_a_store_on_disk_is_the_relays_own_and_comes_back(tmp_path: Path) -> None:
    data = hold(tmp_path / "var")
    store = open_store(data, StoreSettings(), outside(tmp_path / "keys"))
    await store.apply(Routing(), {})
    await store.close()
    data.release()
    assert stat.S_IMODE((tmp_path / "var").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "var" / "relay.db").stat().st_mode) == 0o600
    data = hold(tmp_path / "var")
    store = open_store(data, StoreSettings(), outside(tmp_path / "keys"))
    assert (await store.applied()).version == 1  # type: ignore[union-attr]
    await store.close()
    data.release()


def test_a_second_relay_is_kept_out_until_the_first_lets_go(tmp_path: Path) -> None:
    first = hold(tmp_path)
    with pytest.raises(DataDirInUse, match="another relay"):
        hold(tmp_path)
    first.release()
    hold(tmp_path).release()


def test_the_lock_is_the_kernels_and_dies_with_its_process(tmp_path: Path) -> None:
    (tmp_path / "relay.lock").write_text("left behind by a crash")
    data = hold(tmp_path)
    with pytest.raises(BlockingIOError):
        fcntl.flock(os.open(tmp_path / "relay.lock", os.O_RDWR), fcntl.LOCK_EX | fcntl.LOCK_NB)
    data.release()


async def test_a_store_whose_key_is_gone_is_refused_and_no_key_is_made(tmp_path: Path) -> None:
    data = hold(tmp_path / "var")
    await open_store(data, StoreSettings(), outside(tmp_path / "keys")).close()
    with pytest.raises(StoreKeyError):
        open_store(data, StoreSettings(), outside(tmp_path / "other"))
    assert not (tmp_path / "other").exists()
    data.release()


async def test_mail_whose_database_is_gone_is_neither_deleted_nor_begun_over(tmp_path: Path) -> None:
    data = hold(tmp_path / "var")
    store = open_store(data, StoreSettings(), outside(tmp_path / "keys"))
    await store.put(message(1))
    await store.close()
    for file in (tmp_path / "var").glob("relay.db*"):
        file.unlink()
    with pytest.raises(StoreBroken, match=r"restore relay\.db"):
        open_store(data, StoreSettings(), outside(tmp_path / "keys"))
    assert list((tmp_path / "var" / "segments").iterdir())
    data.release()


async def test_a_start_keeps_aside_what_may_be_mail_and_removes_what_a_crash_left(tmp_path: Path) -> None:
    ground = replace(outside(tmp_path / "keys"), free_bytes=lambda: 1 << 40)
    for lost, is_kept in ((BATCH_BYTES + 1, True), (100, False)):
        var = tmp_path / str(lost)
        data = hold(var)
        store = open_store(data, StoreSettings(), ground)
        await store.put(message(1))
        await store.close()
        (var / "segments" / "00000009.seg").write_bytes(bytes([7]) * lost)
        await open_store(data, StoreSettings(), ground).close()
        data.release()
        assert not (var / "segments" / "00000009.seg").exists()
        assert (var / "segments" / "00000001.seg").exists()
        assert (var / "aside" / "00000009.seg").exists() is is_kept


async def test_a_log_whose_last_transaction_is_in_doubt_is_copied_before_it_is_folded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = hold(tmp_path / "var")
    await open_store(data, StoreSettings(), outside(tmp_path / "keys")).close()
    data.log.write_bytes(b"what a power cut left")
    monkeypatch.setattr("relay.store.sqlite.opening.examine", lambda path: Log(Condition.DOUBTFUL, 2, 1, 32))
    await open_store(data, StoreSettings(), outside(tmp_path / "keys")).close()
    assert (tmp_path / "var" / "aside" / "relay.db-wal").read_bytes() == b"what a power cut left"
    data.release()


async def test_a_store_opens_on_a_full_disk_by_giving_up_its_reserve(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = hold(tmp_path / "var")
    await open_store(data, StoreSettings(), outside(tmp_path / "keys")).close()
    reserve = Reserve(tmp_path / "var", 4096)
    reserve.keep()
    commit = Database.commit

    def commit_if_there_is_room(self: Database) -> None:
        if (tmp_path / "var" / "reserve").exists():
            raise StoreFull
        commit(self)

    monkeypatch.setattr(Database, "commit", commit_if_there_is_room)
    ground = replace(outside(tmp_path / "keys"), give_up_reserve=reserve.give_up)
    await open_store(data, StoreSettings(), ground).close()
    reserve.keep()
    with pytest.raises(StoreFull):
        open_store(data, StoreSettings(), outside(tmp_path / "keys"))
    data.release()


async def test_a_store_of_a_newer_relay_is_refused() -> None:
    bench = Bench()
    bench.connection.execute("UPDATE meta SET value = '99' WHERE name = 'schema'")
    with pytest.raises(StoreTooNew, match="99"):
        bench.open()


def test_stores_have_ids_of_their_own() -> None:
    ids = set()
    for _ in range(2):
        bench = Bench()
        ((found,),) = bench.rows("SELECT value FROM meta WHERE name = 'store_id'")
        ids.add(found)
        bench.chance = Chance()
    assert all(len(each) == 32 for each in ids)


def test_a_database_that_is_locked_by_somebody_else_is_said(tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "relay.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    data = hold(tmp_path)
    with pytest.raises(StoreUnavailable, match=r"LOCKED|BUSY"):
        open_store(data, StoreSettings(), outside(tmp_path / "keys"))
    data.release()
    other.close()


def test_a_file_that_is_no_database_is_said(tmp_path: Path) -> None:
    (tmp_path / "relay.db").write_text("this is no database, and it is long enough to be read as one" * 100)
    data = hold(tmp_path)
    with pytest.raises(StoreBroken, match="NOTADB"):
        open_store(data, StoreSettings(), outside(tmp_path / "keys"))
    data.release()


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (sqlite3.SQLITE_FULL, StoreFull),
        (sqlite3.SQLITE_IOERR, StoreBroken),
        (4106, StoreBroken),
        (sqlite3.SQLITE_CORRUPT, StoreBroken),
        (sqlite3.SQLITE_BUSY, StoreUnavailable),
    ],
)
def test_errors_of_the_database_are_told_apart(code: int, kind: type[Exception]) -> None:
    error = sqlite3.OperationalError("paziente@x.test")
    error.sqlite_errorcode, error.sqlite_errorname = code, "SQLITE_SOMETHING"
    assert type(translated(error)) is kind
    assert "paziente" not in str(translated(error))


def test_a_transaction_begins_with_the_first_write_and_a_rollback_leaves_nothing() -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    database = Database(connection)
    database.write("CREATE TABLE t (x)")
    database.commit()
    assert database.read("SELECT * FROM t") == []
    assert not database.is_writing
    database.write("INSERT INTO t VALUES (1)")
    assert database.read("SELECT * FROM t") == [(1,)]
    database.rollback()
    database.rollback()
    assert database.read_one("SELECT * FROM t") is None
    for broken in (database.read, database.read_one, database.write):
        with pytest.raises(StoreUnavailable):
            broken("SELECT nonsense")
    with pytest.raises(StoreUnavailable):
        database.write_many("INSERT INTO nowhere VALUES (?)", [(1,)])
    database.close()


def test_the_reserve_is_kept_given_up_and_kept_again(tmp_path: Path) -> None:
    reserve = Reserve(tmp_path, 8192)
    assert not reserve.give_up()
    reserve.keep()
    reserve.keep()
    assert (tmp_path / "reserve").stat().st_blocks * 512 >= 8192
    assert reserve.give_up()
    assert not reserve.give_up()


def test_no_reserve_is_taken_from_a_disk_that_is_nearly_full(tmp_path: Path) -> None:
    found = os.statvfs(tmp_path)
    Reserve(tmp_path, found.f_bavail * found.f_frsize // 2).keep()
    assert list(tmp_path.iterdir()) == []


def test_the_disk_is_not_asked_for_every_mail() -> None:
    clock, asked = HandClock(), []

    def look() -> int:
        asked.append(1)
        return len(asked)

    free = cached(look, clock.boottime, 1000)
    assert [free(), free()] == [1, 1]
    clock.advance(1000)
    assert free() == 2


def test_space_left_is_asked_of_the_disk_itself(tmp_path: Path) -> None:
    data = hold(tmp_path)
    assert data.free_bytes() > 0
    data.release()
