"""The admin's token: made once, readable by one user, and nothing else opens the API."""

import errno
import os

import pytest

from relay.admin import admin_token
from relay.admin.token import is_token
from relay.errors import ConfigError


def randomness(many):
    return bytes(range(many))


TOKEN = bytes(range(32)).hex()


def test_the_first_start_makes_a_token_that_only_the_owner_reads(tmp_path):
    path = tmp_path / "admin.token"
    old = os.umask(0)
    try:
        assert admin_token(path, randomness) == TOKEN
    finally:
        os.umask(old)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.read_text() == f"{TOKEN}\n"
    assert [each.name for each in tmp_path.iterdir()] == ["admin.token"]


def test_the_next_start_keeps_it(tmp_path):
    path = tmp_path / "admin.token"
    admin_token(path, randomness)
    assert admin_token(path, lambda many: b"\xff" * many) == TOKEN


def test_a_crash_while_it_was_made_leaves_no_half_token(tmp_path):
    (tmp_path / ".admin.token.new").write_text("00")
    assert admin_token(tmp_path / "admin.token", randomness) == TOKEN


@pytest.fixture
def full_disk(monkeypatch):
    """Whatever is written from here on finds no room."""

    def nothing_fits(descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    return lambda: monkeypatch.setattr(os, "fsync", nothing_fits)


def test_a_full_disk_does_not_keep_the_relay_from_starting_with_the_token_that_it_has(tmp_path, full_disk):
    path = tmp_path / "admin.token"
    admin_token(path, randomness)
    before = tmp_path.stat().st_mtime_ns
    full_disk()
    assert admin_token(path, randomness) == TOKEN
    assert tmp_path.stat().st_mtime_ns == before, "nothing was made beside it"


def test_a_first_start_on_a_full_disk_says_so_and_leaves_nothing_behind(tmp_path, full_disk):
    full_disk()
    with pytest.raises(ConfigError, match=r"admin\.token: .*No space left"):
        admin_token(tmp_path / "admin.token", randomness)
    assert list(tmp_path.iterdir()) == []


def test_a_token_that_came_while_ours_was_made_stays(tmp_path):
    path = tmp_path / "admin.token"

    def meanwhile(many):
        admin_token(path, randomness)
        return b"\xff" * many

    assert admin_token(path, meanwhile) == TOKEN
    assert [each.name for each in tmp_path.iterdir()] == ["admin.token"]


def test_a_token_that_others_can_read_is_refused(tmp_path):
    path = tmp_path / "admin.token"
    admin_token(path, randomness)
    path.chmod(0o640)
    with pytest.raises(ConfigError, match="chmod 600"):
        admin_token(path, randomness)


@pytest.mark.parametrize("content", [b"", b"short\n", b"\xff" * 40])
def test_a_file_that_holds_no_token_is_refused(tmp_path, content):
    path = tmp_path / "admin.token"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(ConfigError, match=r"admin\.token"):
        admin_token(path, randomness)


def test_a_folder_that_is_missing_is_named(tmp_path):
    with pytest.raises(ConfigError, match="gone"):
        admin_token(tmp_path / "gone" / "admin.token", randomness)


@pytest.mark.parametrize(
    ("presented", "opens"),
    [
        (f"Bearer {TOKEN}", True),
        (f"bearer {TOKEN}", True),
        (f"Basic {TOKEN}", False),
        (TOKEN, False),
        ("Bearer ", False),
        ("", False),
        ("Bearer perché", False),
    ],
)
def test_only_the_token_opens(presented, opens):
    assert is_token(presented, TOKEN) is opens
