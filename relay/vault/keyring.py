"""Where the keys are kept: `RELAY_KEY`, or files in `keys_dir` that only the relay's user can read.

Law: a store whose keys are not all there is refused; a key file is complete and on disk before it is used, and none is
ever replaced or removed.
"""

import base64
import binascii
import os
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path

from relay.core.keymark import KeyMark
from relay.errors import StoreKeyError
from relay.vault.vault import KEY_BYTES, Vault, fingerprint_of

KEY_FILE: str = "relay.key"
"""The first key of a store; later ones are called `relay-ID.key`."""

GIVEN: str = "RELAY_KEY"

ONE_GIVEN = (
    "RELAY_KEY holds no key that is new to this store: start the relay with RELAY_KEY=NEW,OLD (32 bytes each, base64) "
    "and rotate then"
)


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key that a store does not use yet, and where it is kept."""

    mark: KeyMark
    key: bytes = field(repr=False)


class Keyring:
    """The place of one relay's keys; `given` is the text of `RELAY_KEY`, None where it is not set."""

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

    def vault_for(self, fingerprint: str | None, *older: KeyMark) -> Vault:
        """The vault of the store that seals with this key and still needs the older ones; None: a new store, for which
        a key may be made.

        StoreKeyError: a key is missing, is another one, or cannot be read.
        """
        ring = self._ring()
        if fingerprint is None:
            key = next(iter(ring.values()))[1] if ring else self._make(self._directory / KEY_FILE)
            vault = Vault(key, self._random)
        elif fingerprint in ring:
            vault = Vault(ring[fingerprint][1], self._random)
        else:
            raise self._missing(fingerprint, has_others=bool(ring))
        for mark in older:
            if mark.fingerprint not in ring:
                raise StoreKeyError(
                    f"a key that this store still needs is missing: {mark.place} (its id is {mark.id}); "
                    "put it back: what it encrypted cannot be read without it"
                )
        for _, key in ring.values():
            vault.add(key)
        return vault

    def next_key(self, known: Collection[str]) -> NewKey:
        """The first key that is there and that the store has never used, or a new one. StoreKeyError: there is none."""
        for fingerprint, (place, key) in self._ring().items():
            if fingerprint not in known:
                return NewKey(KeyMark(fingerprint, place), key)
        if self._given is not None:
            raise StoreKeyError(ONE_GIVEN)
        key = self._random(KEY_BYTES)
        path = self._directory / f"relay-{fingerprint_of(key)[:8]}.key"
        return NewKey(KeyMark(fingerprint_of(key), str(path)), self._make(path, key))

    def place_of(self, fingerprint: str) -> str | None:
        """Where a key is kept; None: it is not there."""
        found = self._ring().get(fingerprint)
        return None if found is None else found[0]

    def _ring(self) -> dict[str, tuple[str, bytes]]:
        """All keys that are there, with their places; the first one is a new store's."""
        if self._given is not None:
            found = [(GIVEN, _decoded(text, GIVEN)) for text in self._given.split(",")]
        else:
            later = sorted(self._directory.glob(f"{Path(KEY_FILE).stem}-*.key"))
            files = ((str(path), _read(path)) for path in (self._directory / KEY_FILE, *later))
            found = [(place, key) for place, key in files if key is not None]
        ring: dict[str, tuple[str, bytes]] = {}
        for place, key in found:
            ring.setdefault(fingerprint_of(key), (place, key))
        return ring

    def _missing(self, fingerprint: str, *, has_others: bool) -> StoreKeyError:
        if self._given is None and not has_others:
            return StoreKeyError(f"the key of this store is missing: {self._directory / KEY_FILE}")
        where = GIVEN if self._given is not None else str(self._directory)
        return StoreKeyError(
            "this is not the key of this store; give it the key that it was made with, or was rotated to "
            f"(its id is {fingerprint[:8]}, and it is not in {where})"
        )

    def _make(self, path: Path, key: bytes | None = None) -> bytes:
        try:
            return self._written(path, self._random(KEY_BYTES) if key is None else key)
        except OSError as error:
            raise StoreKeyError(
                f"no key can be made: {path}: {(error.strerror or str(error)).lower()}; where the relay may not write, "
                f"put one there yourself (32 bytes, base64) under this name"
            ) from None

    def _written(self, path: Path, key: bytes) -> bytes:
        """Written beside, synced, then linked: a crash leaves a whole key or none, and never replaces one."""
        if not self._directory.is_dir():
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            _sync_directory(self._directory.parent)
        beside = self._directory / "relay.new"
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


def _read(path: Path) -> bytes | None:
    """The key in a file; None: there is no file."""
    try:
        return _decoded(path.read_text("ascii"), str(path))
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise StoreKeyError(f"the key of this store cannot be read: {path}: {error}") from None


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
