"""Damaged, missing and forbidden files: the relay does not start on them and says why; `relay queue check` looks."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path

import pytest

from relay.cli.frame import run
from relay.sandbox import read_log
from tests.crash.small_disk import mounted
from tests.integration.relay_process import Folder, RelayProcess
from tests.integration.sandbox_peer import SandboxProcess

MAILS = 6


@pytest.fixture
def provider(tmp_path: Path) -> Iterator[SandboxProcess]:
    peer = SandboxProcess("--log", str(tmp_path / "sandbox.jsonl"))
    yield peer
    peer.kill()


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A relay's folder that was killed with mail in its queue: its provider could not be reached."""
    path = tmp_path_factory.mktemp("stopped")
    relay = RelayProcess(Folder(path, provider=1).config).wait_until_ready()
    try:
        relay.send(MAILS)
    finally:
        relay.kill()
    return path


@pytest.fixture
def folder(tmp_path: Path, stopped: Path, provider: SandboxProcess) -> Folder:
    """The same, to be damaged; its provider can be reached now."""
    shutil.copytree(stopped, tmp_path, dirs_exist_ok=True)
    return Folder(tmp_path, provider=provider.port)


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
    assert check(folder)[0] == 0


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
    assert "put it back from a backup" in said
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
    log = folder.path / "var" / "relay.db-wal"
    overwrite(log, log.stat().st_size - 10, b"garbage!")
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
    assert f"{MAILS} deliveries wait" in said
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
