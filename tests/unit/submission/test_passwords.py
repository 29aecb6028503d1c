"""Passwords are kept as argon2id, and every answer costs the same hash."""

import pytest

from relay.submission import passwords
from relay.submission.passwords import DUMMY_HASH, SALT_BYTES, UnusableHash, hashed, is_hash, is_right, waste

SALT = b"0123456789abcdef"


def test_a_hash_is_argon2id_and_takes_its_salt_from_outside() -> None:
    kept = hashed("segreta", SALT)
    assert kept.startswith("$argon2id$v=19$")
    assert kept == hashed("segreta", SALT)
    assert kept != hashed("segreta", b"f" * SALT_BYTES)
    assert "segreta" not in kept


def test_a_hash_knows_its_password() -> None:
    kept = hashed("perché", SALT)
    assert is_hash(kept)
    assert is_right(kept, "perché".encode())
    assert not is_right(kept, b"perche")


def test_any_other_text_is_the_password_itself() -> None:
    assert not is_hash("secret")
    assert is_right("secret", b"secret")
    assert not is_right("secret", b"Secret")
    assert not is_right("secret", b"secre")


@pytest.mark.parametrize(
    "kept", ["$argon2", "$argon2id$v=19$m=1,t=1,p=1$AA$AA", "$argon2id$v=19$m=x,t=2,p=1$c2FsdA$aGFzaA"]
)
def test_a_hash_that_cannot_be_read_is_said_and_not_shown(kept: str) -> None:
    with pytest.raises(UnusableHash) as caught:
        is_right(kept, b"x")
    assert kept not in str(caught.value)


def test_the_wasted_hash_costs_what_a_real_one_costs() -> None:
    assert DUMMY_HASH.split("$")[:4] == hashed("x", SALT).split("$")[:4]


def test_every_answer_costs_one_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    spent: list[str] = []
    verify = passwords._verify

    def counting(kept: str, password: bytes) -> bool:
        spent.append(kept)
        return verify(kept, password)

    monkeypatch.setattr(passwords, "_verify", counting)
    kept = hashed("x", SALT)
    is_right(kept, b"y")
    is_right("x", b"x")
    waste(b"x")
    assert spent == [kept, DUMMY_HASH, DUMMY_HASH]
