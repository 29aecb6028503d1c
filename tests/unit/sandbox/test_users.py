"""A user list is read again when it changes, so a corrected password works at the next login."""

import os
from pathlib import Path

import pytest

from relay.errors import ConfigError
from relay.sandbox.users import Users, read_users

LATER = 4_000_000_000.0
"""Wall time at which any file written now is old."""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "users"
    file.write_text("mario:old\n")
    return file


def test_without_a_list_everybody_may() -> None:
    users = Users()
    assert users.is_open
    assert users.accepts("anybody", "anything".__eq__, now=0)


def test_a_mapping_is_a_list() -> None:
    users = Users({"mario": "pw"})
    assert not users.is_open
    assert users.accepts("mario", "pw".__eq__, now=0)
    assert not users.accepts("mario", "no".__eq__, now=0)
    assert not users.accepts("anna", "pw".__eq__, now=0)


@pytest.mark.parametrize("now", [0.0, LATER], ids=["just written", "long ago"])
def test_a_corrected_password_works_at_the_next_login(file: Path, now: float) -> None:
    users = Users(file=file)
    assert users.accepts("mario", "old".__eq__, now=now)
    os.utime(file, (1, 1))
    file.write_text("mario:new\n")
    assert users.accepts("mario", "new".__eq__, now=now)
    assert not users.accepts("mario", "old".__eq__, now=now)


def test_a_change_within_one_tick_of_the_clock_is_seen(file: Path) -> None:
    users = Users(file=file)
    before = file.stat()
    assert users.accepts("mario", "old".__eq__, now=before.st_mtime)
    file.write_text("mario:new\n")
    os.utime(file, ns=(before.st_mtime_ns, before.st_mtime_ns))
    assert users.accepts("mario", "new".__eq__, now=before.st_mtime)


def test_a_file_that_stays_as_it_is_is_not_read_again(file: Path) -> None:
    users = Users(file=file)
    assert users.accepts("mario", "old".__eq__, now=LATER)
    before = file.stat()
    file.write_text("mario:new\n")
    os.utime(file, ns=(before.st_mtime_ns, before.st_mtime_ns))
    assert users.accepts("mario", "old".__eq__, now=LATER)


def test_a_file_renamed_over_is_read_even_with_the_same_time_and_size(file: Path) -> None:
    users = Users(file=file)
    os.utime(file, (1, 1))
    assert users.accepts("mario", "old".__eq__, now=LATER)
    other = file.with_name("other")
    other.write_text("mario:new\n")
    os.utime(other, (1, 1))
    other.replace(file)
    assert users.accepts("mario", "new".__eq__, now=LATER)


def test_while_the_file_is_being_replaced_the_list_read_last_stays(file: Path) -> None:
    users = Users(file=file)
    assert users.accepts("mario", "old".__eq__, now=0)
    file.unlink()
    assert users.accepts("mario", "old".__eq__, now=0)
    assert not users.accepts("mario", "other".__eq__, now=0)


def test_a_list_that_is_not_there_at_the_start_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        Users(file=tmp_path / "missing")


def test_passwords_may_hold_colons_and_blanks_and_comments_are_left_out() -> None:
    assert read_users("# who\n\na@x.it:p:w \r\n b :\n") == {"a@x.it": "p:w ", "b": ""}
