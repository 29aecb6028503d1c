"""Encryption at rest: values sealed with AES-256-GCM, and keyed hashes of what must be found but not read.

Law: every sealed value names its format and its key and opens only at the place that it was sealed for; one key of the
ring seals, all of them open, and the hash key is derived from the first one and stays when that one goes.
"""

import hmac
from collections.abc import Callable
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from relay.errors import CorruptValue, StoreKeyError

KEY_BYTES: int = 32
"""AES-256."""

_FORMAT = b"\x01"
_KEY_ID_BYTES = 4
_NONCE_BYTES = 12
"""96 bits, as NIST SP 800-38D wants it; random, so one key is good for 2^32 values: centuries of mail."""
_TAG_BYTES = 16
_HEAD_BYTES = 1 + _KEY_ID_BYTES + _NONCE_BYTES

OVERHEAD_BYTES: int = _HEAD_BYTES + _TAG_BYTES
"""How much longer a sealed value is than what is in it."""


class Vault:
    """A ring of keys, and what is done with them; `random` gives as many unpredictable bytes as it is asked for."""

    def __init__(self, key: bytes, random: Callable[[int], bytes]) -> None:
        """A ring with one key, which seals and of which the hash key is derived."""
        self._random = random
        self._heads: dict[str, bytes] = {}
        self._aeads: dict[bytes, AESGCM] = {}
        self.fingerprint: str = self.add(key)
        """Of the key that seals: tells it from another and says nothing else about it."""
        self._head = self.head_of(self.fingerprint)
        self.keep_hash_key(_derived(key, b"relay keyed hash 1"))

    def add(self, key: bytes) -> str:
        """Puts a key on the ring, so that what it sealed opens; its fingerprint."""
        if len(key) != KEY_BYTES:
            raise StoreKeyError(f"a key has {KEY_BYTES} bytes, this one has {len(key)}")
        fingerprint = fingerprint_of(key)
        head = _FORMAT + _derived(key, b"relay key id 1")[:_KEY_ID_BYTES]
        if self._heads.setdefault(fingerprint, head) not in self._aeads:
            self._aeads[head] = AESGCM(_derived(key, b"relay seal 1"))
        elif sum(known == head for known in self._heads.values()) > 1:
            del self._heads[fingerprint]
            raise StoreKeyError("two keys cannot be told apart in what they sealed; make another one")
        return fingerprint

    def head_of(self, fingerprint: str) -> bytes:
        """What everything begins with that this key sealed. StoreKeyError: it is not on the ring."""
        try:
            return self._heads[fingerprint]
        except KeyError:
            raise StoreKeyError(f"the key {fingerprint[:8]} is not on the ring") from None

    def join(self, other: Self) -> None:
        """Puts the keys of another ring on this one."""
        self._heads.update(other._heads)
        self._aeads.update(other._aeads)

    def turn_to(self, fingerprint: str) -> None:
        """Seals with this key from here on. StoreKeyError: it is not on the ring."""
        self._head, self.fingerprint = self.head_of(fingerprint), fingerprint

    @property
    def hash_key(self) -> bytes:
        """What keyed hashes are made with; it is kept apart when the key goes of which it was derived."""
        return self._hash_key

    def keep_hash_key(self, key: bytes) -> None:
        """Makes keyed hashes with this from here on."""
        self._hash_key = key
        self._keyed = hmac.new(key, digestmod="sha256")

    def seal(self, plain: bytes, place: bytes) -> bytes:
        """Format byte, key id, nonce and ciphertext of `plain`; it opens only at the same `place`."""
        return self._sealed(self._head, plain, place)

    def seal_with(self, fingerprint: str, plain: bytes, place: bytes) -> bytes:
        """As `seal`, with this key of the ring."""
        return self._sealed(self.head_of(fingerprint), plain, place)

    def _sealed(self, head: bytes, plain: bytes, place: bytes) -> bytes:
        nonce = self._random(_NONCE_BYTES)
        return b"".join((head, nonce, self._aeads[head].encrypt(nonce, plain, place)))

    def open(self, sealed: bytes, place: bytes) -> bytes:
        """What was sealed at `place`. CorruptValue: another key, another place, or bytes that changed."""
        aead = self._aeads.get(bytes(sealed[: 1 + _KEY_ID_BYTES]))
        if len(sealed) < OVERHEAD_BYTES or aead is None:
            raise CorruptValue("an encrypted value names another format or key")
        view = memoryview(sealed)
        try:
            return aead.decrypt(sealed[1 + _KEY_ID_BYTES : _HEAD_BYTES], view[_HEAD_BYTES:], place)
        except InvalidTag:
            raise CorruptValue from None

    def keyed_hash(self, purpose: bytes, value: bytes) -> bytes:
        """HMAC-SHA-256 of a value, different for each purpose, the same for as long as the store lives."""
        keyed = self._keyed.copy()
        keyed.update(purpose + b"\0" + value)
        return keyed.digest()


def fingerprint_of(key: bytes) -> str:
    """Tells a key from another."""
    return _derived(key, b"relay fingerprint 1").hex()[:32]


def _derived(key: bytes, purpose: bytes) -> bytes:
    """HKDF-Expand (RFC 5869): the key is uniform, so it needs no extraction."""
    return HKDFExpand(algorithm=hashes.SHA256(), length=KEY_BYTES, info=purpose).derive(key)
