"""Encryption at rest: values sealed with AES-256-GCM, and keyed hashes of what must be found but not read.

Law: every sealed value names its format and its key and opens only at the place that it was sealed for; the hash key
is derived once and does not rotate with the key that seals.
"""

import hmac
from collections.abc import Callable

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
    """One key, and what is done with it; `random` gives as many unpredictable bytes as it is asked for."""

    def __init__(self, key: bytes, random: Callable[[int], bytes]) -> None:
        if len(key) != KEY_BYTES:
            raise StoreKeyError(f"a key has {KEY_BYTES} bytes, this one has {len(key)}")
        self._random = random
        self._aead = AESGCM(_derived(key, b"relay seal 1"))
        self._keyed = hmac.new(_derived(key, b"relay keyed hash 1"), digestmod="sha256")
        self._head = _FORMAT + _derived(key, b"relay key id 1")[:_KEY_ID_BYTES]
        self.fingerprint: str = _derived(key, b"relay fingerprint 1").hex()[:32]
        """Tells this key from another and says nothing else about it."""

    def seal(self, plain: bytes, place: bytes) -> bytes:
        """Format byte, key id, nonce and ciphertext of `plain`; it opens only at the same `place`."""
        nonce = self._random(_NONCE_BYTES)
        return b"".join((self._head, nonce, self._aead.encrypt(nonce, plain, place)))

    def open(self, sealed: bytes, place: bytes) -> bytes:
        """What was sealed at `place`. CorruptValue: another key, another place, or bytes that changed."""
        if len(sealed) < OVERHEAD_BYTES or sealed[: len(self._head)] != self._head:
            raise CorruptValue("an encrypted value names another format or key")
        view = memoryview(sealed)
        try:
            return self._aead.decrypt(sealed[len(self._head) : _HEAD_BYTES], view[_HEAD_BYTES:], place)
        except InvalidTag:
            raise CorruptValue from None

    def keyed_hash(self, purpose: bytes, value: bytes) -> bytes:
        """HMAC-SHA-256 of a value, different for each purpose, the same for as long as the store lives."""
        keyed = self._keyed.copy()
        keyed.update(purpose + b"\0" + value)
        return keyed.digest()


def _derived(key: bytes, purpose: bytes) -> bytes:
    """HKDF-Expand (RFC 5869): the key is uniform, so it needs no extraction."""
    return HKDFExpand(algorithm=hashes.SHA256(), length=KEY_BYTES, info=purpose).derive(key)
