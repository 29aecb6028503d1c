import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.errors import CorruptValue, StoreKeyError
from relay.vault import KEY_BYTES, Vault
from relay.vault.vault import OVERHEAD_BYTES


class Counter:
    """Random bytes that a test can foresee."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def __call__(self, many: int) -> bytes:
        self.asked.append(many)
        return len(self.asked).to_bytes(many, "big")


def vault(key: bytes = b"k" * KEY_BYTES) -> Vault:
    return Vault(key, Counter())


@given(st.binary(max_size=4096), st.binary(max_size=64))
def test_a_sealed_value_opens_at_its_place(plain: bytes, place: bytes) -> None:
    ours = vault()
    assert ours.open(ours.seal(plain, place), place) == plain


def test_a_sealed_value_opens_nowhere_else() -> None:
    ours = vault()
    sealed = ours.seal(b"ricetta", b"store/m-1/content")
    with pytest.raises(CorruptValue):
        ours.open(sealed, b"store/m-2/content")


def test_a_value_sealed_with_another_key_does_not_open() -> None:
    sealed = vault(b"a" * KEY_BYTES).seal(b"ricetta", b"here")
    with pytest.raises(CorruptValue):
        vault(b"b" * KEY_BYTES).open(sealed, b"here")


@pytest.mark.parametrize("position", range(0, OVERHEAD_BYTES + 7, 3))
def test_no_changed_byte_goes_unnoticed(position: int) -> None:
    ours = vault()
    sealed = bytearray(ours.seal(b"ricetta", b"here"))
    sealed[position] ^= 1
    with pytest.raises(CorruptValue):
        ours.open(bytes(sealed), b"here")


@pytest.mark.parametrize("length", [0, 1, OVERHEAD_BYTES - 1])
def test_what_is_too_short_is_refused(length: int) -> None:
    ours = vault()
    with pytest.raises(CorruptValue):
        ours.open(ours.seal(b"", b"here")[:length], b"here")


def test_a_sealed_value_says_its_format_and_key_and_nothing_of_what_is_in_it() -> None:
    ours = vault()
    first, second = ours.seal(b"paziente@example.test", b"here"), ours.seal(b"paziente@example.test", b"here")
    assert first[0] == 1
    assert first[:5] == second[:5] != vault(b"o" * KEY_BYTES).seal(b"", b"here")[:5]
    assert first != second, "the same value twice must not look the same"
    assert b"paziente" not in first


def test_every_nonce_is_drawn_anew() -> None:
    chance = Counter()
    ours = Vault(b"k" * KEY_BYTES, chance)
    ours.seal(b"x", b"")
    ours.seal(b"x", b"")
    assert chance.asked == [12, 12]


def test_keyed_hashes_are_the_same_for_as_long_as_the_key_lives_and_differ_by_purpose() -> None:
    hashed = vault().keyed_hash(b"recipient", b"a@b.test")
    assert hashed == vault().keyed_hash(b"recipient", b"a@b.test")
    assert hashed != vault().keyed_hash(b"message-id", b"a@b.test")
    assert hashed != vault(b"o" * KEY_BYTES).keyed_hash(b"recipient", b"a@b.test")


def test_a_fingerprint_tells_keys_apart_and_shows_none() -> None:
    assert vault().fingerprint == vault().fingerprint != vault(b"o" * KEY_BYTES).fingerprint
    assert (b"k" * 8).hex() not in vault().fingerprint


@pytest.mark.parametrize("length", [0, 16, 31, 33])
def test_a_key_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(StoreKeyError, match="32 bytes"):
        vault(b"k" * length)
