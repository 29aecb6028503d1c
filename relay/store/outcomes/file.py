"""The journal's file: appended to and emptied, each durably; it blocks.

Law: what a failed append left is overwritten by the next one; nothing of it is ever read as a record.
"""

import errno
import os
from collections.abc import Iterable
from pathlib import Path

from relay.errors import StoreError, StoreFull, StoreUnavailable

_NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_OWN = 0o600


class JournalFile:
    """A file of which only whole appends count."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None
        self._size = 0

    @property
    def size(self) -> int:
        """Bytes that count."""
        return self._size

    def read(self) -> bytes:
        """Opens it, and makes it where there is none; all that is in it. StoreError."""
        try:
            is_new = not self._path.exists()
            self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _OWN)
            if is_new:
                _sync_folder(self._path)
            return self._path.read_bytes()
        except OSError as error:
            raise _failure(error) from error

    def keep(self, size: int) -> None:
        """So many bytes of what is in it count."""
        self._size = size

    def append(self, content: bytes) -> None:
        """Durable on return. StoreFull, StoreUnavailable: nothing was added."""
        descriptor = self._open()
        try:
            os.ftruncate(descriptor, self._size)
            _write_all(descriptor, content, self._size)
            os.fdatasync(descriptor)
        except OSError as error:
            raise _failure(error) from error
        self._size += len(content)

    def clear(self) -> None:
        """Nothing counts any more, durably. StoreUnavailable."""
        descriptor = self._open()
        try:
            os.ftruncate(descriptor, 0)
            os.fsync(descriptor)
        except OSError as error:
            raise _failure(error) from error
        self._size = 0

    def put_aside(self, whole: bytes, good: Iterable[bytes]) -> Path:
        """Keeps all of it under another name, and only what is good under its own; where it is kept. StoreError."""
        beside = self._path.with_name(f"{self._path.name}.new")
        there = _free_name(self._path)
        try:
            _write_file(there, whole)
            _write_file(beside, b"".join(good))
            beside.rename(self._path)
            _sync_folder(self._path)
        except OSError as error:
            raise _failure(error) from error
        self.close()
        self._size = len(self.read())
        return there

    def close(self) -> None:
        """Lets go of it."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _open(self) -> int:
        if self._descriptor is None:
            raise StoreUnavailable("the journal of outcomes is closed")
        return self._descriptor


def _write_all(descriptor: int, content: bytes, at: int) -> None:
    done = 0
    while done < len(content):
        done += os.pwrite(descriptor, content[done:], at + done)


def _write_file(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, _OWN)
    try:
        _write_all(descriptor, content, 0)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sync_folder(path: Path) -> None:
    descriptor = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _free_name(path: Path) -> Path:
    number = 1
    while (there := path.with_name(f"{path.name}.damaged-{number}")).exists():
        number += 1
    return there


def _failure(error: OSError) -> StoreError:
    text = f"the journal of outcomes: {(error.strerror or str(error)).lower()}"
    return StoreFull(text) if error.errno in _NO_SPACE else StoreUnavailable(text)
