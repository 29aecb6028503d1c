"""Damaged, missing and forbidden files: the relay does not start on them and says why; `relay queue check` looks."""

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, redirect_stderr, redirect_stdout
from hashlib import sha256
from io import StringIO
from pathlib import Path

import pytest

from relay.cli.frame import run
from relay.sandbox import read_log
from tests.crash.small_disk import mounted
from tests.integration.relay_process import HASTY, Folder, RelayProcess
from tests.integration.sandbox_peer import SandboxProcess

MAILS = 6

AMONG_THE_MAILS = 0.75
"""Where in the log half of the mails are before and half behind, whatever a slow machine wrote besides."""


@pytest.fixture
def provider(tmp_path: Path) -> Iterator[SandboxProcess]:
    peer = SandboxProcess("--log", str(tmp_path / "sandbox.jsonl"))
    yield peer
    peer.kill()


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A relay's folder that was killed with mail in its queue: its provider could not be reached."""
    path = tmp_path_factory.mktemp("stopped")
    relay = RelayProcess(Folder(path, provider=1).config)
    try:
        relay.wait_until_ready().send(MAILS)
    finally:
        relay.kill()
    return path


@pytest.fixture
def folder(tmp_path: Path, stopped: Path, provider: SandboxProcess) -> Folder:
    """The same, to be damaged; its provider can be reached now."""
    shutil.copytree(stopped, tmp_path, dirs_exist_ok=True)
    return Folder(tmp_path, provider=provider.port, health=HASTY)


def check(folder: Folder, *options: str) -> tuple[int, str]:
    """Exit code and all that `relay queue check` said."""
    said = StringIO()
    with redirect_stdout(said), redirect_stderr(said):
        code = run(["queue", "check", "--config", str(folder.config), *options])
    return int(code), said.getvalue()


def refusal(folder: Folder) -> str:
    """What a relay says that does not start."""
    relay = RelayProcess(folder.config)
    try:
        assert relay.wait() == 1
        assert not relay.count("ready")
        return relay.complaints[-1]
    finally:
        relay.kill()


def delivers(folder: Folder, many: int) -> None:
    relay = RelayProcess(folder.config)
    try:
        relay.wait_until_ready()
        relay.wait_for("delivered", times=many)
        assert relay.stop() == 0
    finally:
        relay.kill()


def database(folder: Folder) -> Path:
    return folder.path / "var" / "relay.db"


def segment(folder: Folder) -> Path:
    (found,) = (folder.path / "var" / "segments").glob("*.seg")
    return found


def overwrite(path: Path, at: int, what: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        file.write(what)


def fold(folder: Folder) -> None:
    """Everything is in the database's own file."""
    assert check(folder, "--repair")[0] == 0


def log(folder: Folder) -> Path:
    return folder.path / "var" / "relay.db-wal"


def flip(path: Path, share: float) -> None:
    """Changes one bit."""
    at = int(path.stat().st_size * share)
    overwrite(path, at, bytes([path.read_bytes()[at] ^ 1]))


def everything(folder: Folder) -> dict[str, tuple[int, str]]:
    """Every file of data_dir: when it was written, and what is in it."""
    files = [path for path in (folder.path / "var").rglob("*") if path.is_file()]
    return {path.name: (path.stat().st_mtime_ns, sha256(path.read_bytes()).hexdigest()) for path in files}


def bodies(folder: Folder) -> set[str]:
    paths = (folder.path / "var").rglob("*.seg")
    return {sha256(path.read_bytes()).hexdigest() for path in paths}


def spoil(folder: Folder, statement: str) -> None:
    fold(folder)
    with closing(sqlite3.connect(database(folder))) as connection, connection:
        connection.execute(statement)


def test_a_bit_that_flips_in_the_log_refuses_the_start_and_nothing_is_changed(folder: Folder) -> None:
    flip(log(folder), AMONG_THE_MAILS)
    before = everything(folder)
    said = refusal(folder)
    assert "relay.db-wal is damaged" in said
    assert "nothing was changed" in said
    assert "copy data_dir" in said
    code, said = check(folder)
    assert code == 1
    assert "relay.db-wal is damaged" in said
    assert "in the part that can be read are" in said
    after = everything(folder)
    assert all(after[name] == found for name, found in before.items() if name.startswith(("relay.db", "0000")))


def test_a_damaged_log_is_repaired_only_after_it_was_copied(folder: Folder) -> None:
    flip(log(folder), AMONG_THE_MAILS)
    damaged, mail, tail = log(folder).read_bytes(), bodies(folder), segment(folder).read_bytes()[-100:]
    code, said = check(folder, "--repair")
    assert code == 0, said
    assert "deliveries" in said
    assert (folder.path / "var" / "aside" / "relay.db-wal").read_bytes() == damaged
    assert bodies(folder) == mail
    assert (folder.path / "var" / "aside" / segment(folder).name).samefile(segment(folder))
    assert check(folder)[0] == 0
    waiting = int(said.splitlines()[-1].split()[0])
    assert 0 < waiting < MAILS
    delivers(folder, waiting)
    assert (folder.path / "var" / "aside" / "00000001.seg").read_bytes().endswith(tail)


def test_a_damaged_header_of_the_log_refuses_the_start(folder: Folder) -> None:
    overwrite(log(folder), 20, b"\xff")
    assert "relay.db-wal is damaged at byte 0" in refusal(folder)
    code, said = check(folder)
    assert code == 1
    assert "relay.db-wal is damaged at byte 0" in said


def test_bodies_that_a_log_cut_short_knows_nothing_of_are_said_and_kept(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("relay.store.segments.files.FileSegments.unanswered_bytes", 100)
    with log(folder).open("r+b") as file:
        file.truncate(int(log(folder).stat().st_size * AMONG_THE_MAILS))
    code, said = check(folder)
    assert code == 1
    assert "mail that the database does not know" in said
    tail = segment(folder).read_bytes()[-100:]
    assert check(folder, "--repair")[0] == 0
    assert check(folder)[0] == 0
    delivers(folder, int(said.splitlines()[-2].split()[0]))
    assert (folder.path / "var" / "aside" / "00000001.seg").read_bytes().endswith(tail)


@pytest.mark.parametrize("has_log", [True, False])
def test_a_look_changes_no_byte_and_a_repair_loses_none(folder: Folder, has_log: bool) -> None:
    if not has_log:
        fold(folder)
    before = everything(folder)
    assert check(folder)[0] == 0
    assert everything(folder) == before
    assert check(folder, "--repair")[0] == 0
    assert {name: found for name, found in everything(folder).items() if name.endswith(".seg")} == {
        name: found for name, found in before.items() if name.endswith(".seg")
    }


@pytest.mark.parametrize("table", ["routing", "routed_accounts"])
def test_a_damaged_routing_is_said_and_made_again_from_its_files(folder: Folder, table: str) -> None:
    spoil(folder, f"UPDATE {table} SET body = zeroblob(length(body))")
    code, said = check(folder)
    assert code == 1
    assert "the routing that was applied last cannot be read" in said
    routing = (folder.path / "routing.yaml").read_text()
    (folder.path / "routing.yaml").write_text("nonsense: 1")
    assert "relay check" in refusal(folder)
    (folder.path / "routing.yaml").write_text(routing)
    relay = RelayProcess(folder.config).wait_until_ready()
    try:
        relay.wait_for("trouble")
        relay.wait_for("delivered", times=MAILS)
        assert relay.stop() == 0
    finally:
        relay.kill()
    assert check(folder)[0] == 0


@pytest.mark.parametrize("kept", [0, 0.5])
def test_a_database_cut_short_has_a_next_step(folder: Folder, kept: float) -> None:
    fold(folder)
    with database(folder).open("r+b") as file:
        file.truncate(int(database(folder).stat().st_size * kept))
    for options in ([], ["--repair"]):
        code, said = check(folder, *options)
        assert code == 1
        assert "put relay.db back from a backup" in said
        assert "sqlite3 relay.db .dump" in said
        assert "`relay queue check` says" not in said
    assert segment(folder).exists()


def test_a_queue_that_is_whole_is_said_to_be(folder: Folder) -> None:
    code, said = check(folder)
    assert (code, said) == (0, f"{MAILS} deliveries wait, 0 are held, 0 are finished\n")
    delivers(folder, MAILS)
    assert check(folder) == (0, f"0 deliveries wait, 0 are held, {MAILS} are finished\n")


def test_a_running_relay_is_not_looked_at(folder: Folder) -> None:
    relay = RelayProcess(folder.config).wait_until_ready()
    try:
        code, said = check(folder)
        assert code == 1
        assert "another relay uses" in said
    finally:
        relay.kill()


def test_a_second_relay_on_one_data_dir_is_refused(folder: Folder) -> None:
    relay = RelayProcess(folder.config).wait_until_ready()
    try:
        assert "another relay uses" in refusal(folder)
    finally:
        relay.kill()


def test_a_destroyed_header_refuses_the_start_and_names_the_backup(folder: Folder) -> None:
    fold(folder)
    overwrite(database(folder), 0, b"\0" * 100)
    assert "put it back from a backup" in refusal(folder)
    code, said = check(folder)
    assert code == 1
    assert "put relay.db back from a backup" in said
    assert segment(folder).exists()


def test_a_destroyed_page_is_found_and_named(folder: Folder) -> None:
    fold(folder)
    for page in range(2, database(folder).stat().st_size // 4096, 2):
        overwrite(database(folder), page * 4096, os.urandom(4096))
    code, said = check(folder)
    assert code == 1
    assert "relay.db" in said
    assert "relay queue check" in refusal(folder)


def test_a_log_that_was_cut_short_loses_what_was_never_answered_alone(folder: Folder) -> None:
    overwrite(log(folder), log(folder).stat().st_size - 10, b"garbage!")
    code, said = check(folder)
    assert code == 0, said
    assert "deliveries wait" in said


def test_one_flipped_byte_holds_one_message_and_the_others_leave(folder: Folder, tmp_path: Path) -> None:
    path = segment(folder)
    flipped = path.read_bytes()[100] ^ 1
    overwrite(path, 100, bytes([flipped]))
    code, said = check(folder)
    assert code == 1
    assert said.count("cannot be read") == 1
    code, said = check(folder, "--repair")
    assert code == 0
    assert f"{MAILS - 1} deliveries wait, 1 are held" in said, "as it is after the repair"
    code, said = check(folder)
    assert code == 0
    assert f"{MAILS - 1} deliveries wait, 1 are held" in said
    delivers(folder, MAILS - 1)
    assert sum(record["event"] == "delivered" for record in read_log(tmp_path / "sandbox.jsonl")) == MAILS - 1


def test_a_segment_cut_short_loses_its_tail_alone(folder: Folder) -> None:
    path = segment(folder)
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)
    code, said = check(folder, "--repair")
    assert code == 0
    assert 1 <= said.count("repaired") < MAILS


def test_a_segment_that_is_gone_is_named_and_may_be_put_back(folder: Folder) -> None:
    path = segment(folder)
    path.rename(folder.path / "elsewhere")
    code, said = check(folder)
    assert code == 1
    assert said.count(path.name) == MAILS
    (folder.path / "elsewhere").rename(path)
    assert check(folder)[0] == 0
    delivers(folder, MAILS)


def test_a_file_that_nobody_points_to_is_moved_aside_and_not_deleted(folder: Folder) -> None:
    stray = segment(folder).with_name("00000077.seg")
    stray.write_bytes(b"from an older backup")
    assert check(folder)[0] == 1
    assert check(folder, "--repair")[0] == 0
    assert (folder.path / "var" / "aside" / "00000077.seg").read_bytes() == b"from an older backup"
    assert check(folder)[0] == 0


def test_a_missing_key_is_said_and_no_other_is_made(folder: Folder) -> None:
    (folder.path / "keys" / "relay.key").rename(folder.path / "key")
    code, said = check(folder)
    assert code == 1
    assert "the key of this store is missing" in said
    assert not (folder.path / "keys" / "relay.key").exists()


def test_where_there_is_no_store_that_is_said(folder: Folder) -> None:
    folder.service["data_dir"] = "nowhere"
    folder.write()
    code, said = check(folder)
    assert code == 1
    assert "no relay has run" in said
    assert not (folder.path / "nowhere").exists()
    assert check(Folder(folder.path, provider=1), "--nonsense")[0] == 2


def test_a_data_dir_that_is_a_file_refuses_the_start(tmp_path: Path) -> None:
    folder = Folder(tmp_path, provider=1)
    (tmp_path / "var").write_text("no folder")
    assert "data_dir" in refusal(folder)


def test_a_disk_that_may_only_be_read_refuses_the_start(tmp_path: Path) -> None:
    with mounted(tmp_path / "disk", megabytes=32) as disk:
        folder = Folder(tmp_path, provider=1, data_dir="disk/var")
        relay = RelayProcess(folder.config).wait_until_ready()
        assert relay.stop() == 0
        relay.kill()
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        said = refusal(folder)
        assert "read-only" in said
        assert str(disk) in said
        assert "read-only" in check(folder)[1]


def test_files_of_somebody_else_refuse_the_start(folder: Folder) -> None:
    if os.geteuid() == 0:
        database(folder).unlink()
        database(folder).mkdir()  # what no privilege opens
    else:
        database(folder).chmod(0)
    said = refusal(folder)
    assert "cannot be opened" in said
