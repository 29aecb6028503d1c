import base64
import stat
from pathlib import Path

import pytest

from relay.errors import StoreKeyError
from relay.vault import KEY_FILE, Keyring


def chance(many: int) -> bytes:
    return b"r" * many


def other(many: int) -> bytes:
    return b"o" * many


def test_the_first_start_makes_a_key_that_only_the_relay_can_read(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "keys"
    vault = Keyring(folder, None, chance).vault_for(None)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / KEY_FILE).stat().st_mode) == 0o600
    assert [path.name for path in folder.iterdir()] == [KEY_FILE]
    assert Keyring(folder, None, other).vault_for(vault.fingerprint).open(vault.seal(b"x", b""), b"") == b"x"


def test_a_key_that_is_there_is_used_for_a_new_store_too(tmp_path: Path) -> None:
    first = Keyring(tmp_path, None, chance).vault_for(None)
    assert Keyring(tmp_path, None, other).vault_for(None).fingerprint == first.fingerprint


def test_a_key_half_written_by_a_crash_is_made_again(tmp_path: Path) -> None:
    (tmp_path / "relay.new").write_text("half")
    Keyring(tmp_path, None, chance).vault_for(None)
    assert [path.name for path in tmp_path.iterdir()] == [KEY_FILE]


def test_an_existing_store_without_its_key_is_refused_and_no_key_is_made(tmp_path: Path) -> None:
    with pytest.raises(StoreKeyError, match="missing"):
        Keyring(tmp_path, None, chance).vault_for("f" * 32)
    assert list(tmp_path.iterdir()) == []


def test_an_existing_store_with_another_key_is_refused(tmp_path: Path) -> None:
    Keyring(tmp_path, None, chance).vault_for(None)
    with pytest.raises(StoreKeyError, match="not the key"):
        Keyring(tmp_path, None, chance).vault_for("f" * 32)


def test_relay_key_stands_before_the_file(tmp_path: Path) -> None:
    given = base64.b64encode(b"g" * 32).decode()
    first = Keyring(tmp_path, given, chance).vault_for(None)
    assert list(tmp_path.iterdir()) == [], "no file is made where the key was given"
    again = Keyring(tmp_path / "elsewhere", f" {given}\n", chance).vault_for(first.fingerprint)
    assert again.fingerprint == first.fingerprint


@pytest.mark.parametrize(("given", "says"), [("no base64!", "base64"), ("Zm9v", "3 bytes"), ("", "0 bytes")])
def test_a_bad_relay_key_is_refused_without_showing_it(tmp_path: Path, given: str, says: str) -> None:
    with pytest.raises(StoreKeyError, match=says) as caught:
        Keyring(tmp_path, given, chance).vault_for(None)
    assert not given or given not in str(caught.value)


def test_a_key_file_that_is_no_key_is_refused(tmp_path: Path) -> None:
    (tmp_path / KEY_FILE).write_bytes(b"\xff\xfe")
    with pytest.raises(StoreKeyError, match="cannot be read"):
        Keyring(tmp_path, None, chance).vault_for(None)
    assert (tmp_path / KEY_FILE).read_bytes() == b"\xff\xfe", "it is never replaced"


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreKeyError):
        Keyring(tmp_path / "file" / "keys", None, chance).vault_for(None)
