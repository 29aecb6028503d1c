"""A ring of keys: one seals, all open, and hashes stay what they are when the first one goes."""

import base64
from pathlib import Path

import pytest

from relay.core.keymark import KeyMark
from relay.errors import StoreKeyError
from relay.vault import KEY_FILE, Keyring, Vault

OLD, NEW = b"o" * 32, b"n" * 32


class Chance:
    """Bytes that never repeat."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self, many: int) -> bytes:
        self.asked += 1
        return self.asked.to_bytes(many, "big")


def written(key: bytes) -> str:
    return base64.b64encode(key).decode() + "\n"


def test_what_the_old_key_sealed_opens_beside_the_new_one() -> None:
    vault = Vault(OLD, Chance())
    before, hashed = vault.seal(b"ricetta", b"here"), vault.keyed_hash(b"recipient", b"a@b.test")
    new = vault.add(NEW)
    assert vault.seal_with(new, b"x", b"").startswith(vault.head_of(new))
    vault.turn_to(new)
    after = vault.seal(b"ricetta", b"here")
    assert (vault.open(before, b"here"), vault.open(after, b"here")) == (b"ricetta", b"ricetta")
    assert before[:5] != after[:5] == vault.head_of(vault.fingerprint)
    assert vault.keyed_hash(b"recipient", b"a@b.test") == hashed, "it finds what it found before"
    assert vault.add(NEW) == new, "twice is once"


def test_the_hash_key_outlives_the_key_of_which_it_was_derived() -> None:
    first, second = Vault(OLD, Chance()), Vault(NEW, Chance())
    second.keep_hash_key(first.hash_key)
    assert second.keyed_hash(b"p", b"v") == first.keyed_hash(b"p", b"v")


def test_a_key_that_is_not_on_the_ring_does_nothing() -> None:
    vault = Vault(OLD, Chance())
    for call in (vault.head_of, vault.turn_to):
        with pytest.raises(StoreKeyError, match="not on the ring"):
            call("f" * 32)
    with pytest.raises(StoreKeyError, match="this one has 3"):
        vault.add(b"abc")


def test_a_new_key_is_a_file_of_its_own_and_the_first_one_stays(tmp_path: Path) -> None:
    ring = Keyring(tmp_path, None, Chance())
    vault = ring.vault_for(None)
    new = ring.next_key({vault.fingerprint})
    assert new.mark.place == str(tmp_path / f"relay-{new.mark.id}.key")
    assert ring.place_of(vault.fingerprint) == str(tmp_path / KEY_FILE)
    assert ring.place_of("f" * 32) is None
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([KEY_FILE, f"relay-{new.mark.id}.key"])
    assert ring.next_key({vault.fingerprint}) == new, "one that was made and not used is taken"
    again = Keyring(tmp_path, None, Chance()).vault_for(new.mark.fingerprint, KeyMark(vault.fingerprint, "there"))
    assert again.fingerprint == new.mark.fingerprint
    assert again.open(vault.seal(b"x", b""), b"") == b"x"


def test_an_older_key_that_is_still_needed_and_not_there_is_named_with_its_place(tmp_path: Path) -> None:
    ring = Keyring(tmp_path, None, Chance())
    fingerprint = ring.vault_for(None).fingerprint
    gone = KeyMark("1a2b3c4d" + "0" * 24, "/keys/relay-1a2b3c4d.key")
    with pytest.raises(StoreKeyError, match=r"still needs is missing: /keys/relay-1a2b3c4d\.key"):
        ring.vault_for(fingerprint, gone)


def test_relay_key_may_name_the_new_and_the_old_one(tmp_path: Path) -> None:
    old = Keyring(tmp_path, written(OLD), Chance()).vault_for(None)
    both = Keyring(tmp_path, f"{written(NEW)},{written(OLD)}", Chance())
    vault = both.vault_for(old.fingerprint)
    assert vault.fingerprint == old.fingerprint, "the store says which one seals"
    new = both.next_key({old.fingerprint})
    assert (new.mark.fingerprint, new.mark.place) == (Vault(NEW, Chance()).fingerprint, "RELAY_KEY")
    with pytest.raises(StoreKeyError, match="RELAY_KEY=NEW,OLD"):
        Keyring(tmp_path, written(OLD), Chance()).next_key({old.fingerprint})
    with pytest.raises(StoreKeyError, match="in RELAY_KEY"):
        Keyring(tmp_path, written(NEW), Chance()).vault_for(old.fingerprint)
    assert list(tmp_path.iterdir()) == []


def test_a_later_key_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    ring = Keyring(tmp_path, None, Chance())
    fingerprint = ring.vault_for(None).fingerprint
    (tmp_path / "relay-later.key").write_text("no key")
    with pytest.raises(StoreKeyError, match=r"relay-later\.key"):
        ring.vault_for(fingerprint)
