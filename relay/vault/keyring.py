"""Where the key is kept: `RELAY_KEY`, or a file in `keys_dir` that only the relay's user can read.

Law: a missing or another key refuses an existing store; a key file is complete and on disk before it is used.
"""

import base64
import binascii
import os
from collections.abc import Callable
from pathlib import Path

from relay.errors import StoreKeyError
from relay.vault.vault import KEY_BYTES, Vault

KEY_FILE: str = "relay.key"


class Keyring:
    """The place of one relay's key; `given` is the text of `RELAY_KEY`, None where it is not set."""

    def __init__(
        self,
        directory: Path,
        given: str | None,
        random: Callable[[int], bytes],
        *,
        crash_point: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._directory = directory
        self._given = given
        self._random = random
        self._crash_point = crash_point

    def vault_for(self, fingerprint: str | None) -> Vault:
        """The vault of the store with this key fingerprint; None: a new store, for which a key may be made.

        StoreKeyError: the key is missing, is another one, or cannot be read.
        """
        vault = Vault(self._key(may_make=fingerprint is None), self._random)
        if fingerprint is not None and vault.fingerprint != fingerprint:
            raise StoreKeyError("this is not the key of this store; give it the key that it was made with")
        return vault

    def _key(self, *, may_make: bool) -> bytes:
        if self._given is not None:
            return _decoded(self._given, "RELAY_KEY")
        path = self._directory / KEY_FILE
        try:
            return _decoded(path.read_text("ascii"), str(path))
        except FileNotFoundError:
            if not may_make:
                raise StoreKeyError(f"the key of this store is missing: {path}") from None
        except (OSError, UnicodeDecodeError) as error:
            raise StoreKeyError(f"the key of this store cannot be read: {path}: {error}") from None
        try:
            return self._make(path)
        except OSError as error:
            raise StoreKeyError(f"no key can be made: {path}: {error}") from None

    def _make(self, path: Path) -> bytes:
        """Written beside, synced, then linked: a crash leaves a whole key or none, and never replaces one."""
        if not self._directory.is_dir():
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            _sync_directory(self._directory.parent)
        key = self._random(KEY_BYTES)
        beside = path.with_suffix(".new")
        beside.unlink(missing_ok=True)
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            os.write(descriptor, base64.b64encode(key) + b"\n")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        self._crash_point("key-written")
        os.link(beside, path)
        beside.unlink()
        _sync_directory(self._directory)
        self._crash_point("key-made")
        return key


def _decoded(text: str, source: str) -> bytes:
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        raise StoreKeyError(f"{source} is not base64") from None
    if len(key) != KEY_BYTES:
        raise StoreKeyError(f"{source} holds {len(key)} bytes, a key has {KEY_BYTES}")
    return key


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
