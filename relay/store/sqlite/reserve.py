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
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            os.posix_fallocate(descriptor, 0, self._size)
            beside.rename(self._path)
        except OSError as error:
            beside.unlink()
            if error.errno not in _FULL:
                raise StoreUnavailable(f"no space can be reserved: {os.strerror(error.errno or 0)}") from error
            return False
        finally:
            os.close(descriptor)
        return True
