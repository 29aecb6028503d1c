"""Passwords of clients: made into hashes, and held against what a client says.

Law: argon2id (RFC 9106), always with the same cost, so that how long an answer takes does not say which logins exist;
nothing is compared but in constant time.
"""

import hmac

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError

from relay.errors import PermanentError

MARK = "$argon2"
"""How a hash begins; any other text is the password itself."""

SALT_BYTES: int = 16
"""RFC 9106, 3.1."""

_MEMORY_KIB: int = 19_456
"""With two passes and one lane what OWASP asks for: 15 ms and 19 MB for each of the two hashes at once."""

_HASHER = PasswordHasher(time_cost=2, memory_cost=_MEMORY_KIB, parallelism=1, salt_len=SALT_BYTES, type=Type.ID)

DUMMY_HASH = "$argon2id$v=19$m=19456,t=2,p=1$KwKSNi8nBQ9aBGq0zO8Epw$RUNERcoYkyr9laVwoHpb9qeJt0UCdwgbGh3eASR7ujo"
"""The hash of chance that nobody kept."""


class UnusableHash(PermanentError):
    """the password of this client is kept as a hash that cannot be read"""


def hashed(password: str, salt: bytes) -> str:
    """The hash to put into `clients:`; `salt` is chance."""
    return _HASHER.hash(password, salt=salt)


def is_hash(kept: str) -> bool:
    """Whether this is a hash and not the password itself."""
    return kept.startswith(MARK)


def is_right(kept: str, password: bytes) -> bool:
    """Whether the password is the one kept. Costs one hash, whatever the answer. UnusableHash."""
    if is_hash(kept):
        return _verify(kept, password)
    _verify(DUMMY_HASH, password)
    return hmac.compare_digest(kept.encode(), password)


def waste(password: bytes) -> None:
    """Takes as long as a real check, for a login that does not exist."""
    _verify(DUMMY_HASH, password)


def _verify(kept: str, password: bytes) -> bool:
    try:
        return _HASHER.verify(kept, password)
    except VerifyMismatchError:
        return False
    except (VerificationError, InvalidHashError) as error:
        raise UnusableHash from error
