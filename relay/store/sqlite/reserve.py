"""Space that is kept back, so that what is under way can still be settled when the disk is full.

Law: it is given up whole, by one unlink, which needs no space itself; and kept again only when there is plenty.
"""

import errno
import os
from pathlib import Path

from relay.errors import StoreUnavailable

RESERVE_FILE = "reserve"

RESERVE_BYTES: int = 16 * 1024 * 1024
"""Some thousand settlings in the log, and a checkpoint; what they set free carries the rest."""

RESERVE_PART: int = 16
"""Of a disk under 256 MB the reserve is this part: one of 32 MB keeps room for a hundred settlings and a checkpoint."""

LEAST_FREE_PART: int = 10
"""Of a disk under 2 GB this part has to be free for mail to be accepted: the figure of a large one may be all of it."""

LEAST_INODES: int = 64
"""Fewer names left than this is no space either: segments, the log and the reserve need some to heal by themselves."""


def reserve_of(disk: int) -> int:
    """How much is kept back on a disk of so many bytes."""
    return min(RESERVE_BYTES, disk // RESERVE_PART)


def least_free_of(disk: int, most: int) -> int:
    """How much of a disk of so many bytes has to be free for mail to be accepted, at most `most`."""
    return min(most, disk // LEAST_FREE_PART)


_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
"""Somebody else was faster: there is no reserve then, and the next heartbeat tries again."""


class Reserve:
    """One file of zeros in `data_dir`."""

    def __init__(self, directory: Path, size: int = RESERVE_BYTES) -> None:
        self._path = directory / RESERVE_FILE
        self._size = size

    def give_up(self) -> bool:
        """Frees the space; False: it was free already."""
        try:
            self._path.unlink()
        except FileNotFoundError:
            return False
        return True

    def keep(self) -> bool:
        """Takes the space, if it is there and twice as much would be left; blocks. Whether it is kept."""
        if self._path.exists():
            return True
        found = os.statvfs(self._path.parent)
        return found.f_bavail * found.f_frsize >= 3 * self._size and self._take()

    def _take(self) -> bool:
        beside = self._path.with_suffix(".new")
        try:
            _allocate(beside, self._size)
            beside.rename(self._path)
        except OSError as error:
            beside.unlink(missing_ok=True)
            if error.errno not in _FULL:
                raise StoreUnavailable(f"no space can be reserved: {os.strerror(error.errno or 0)}") from error
            return False
        return True


def _allocate(path: Path, size: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        os.posix_fallocate(descriptor, 0, size)
    finally:
        os.close(descriptor)
