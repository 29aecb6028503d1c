"""The folder of accepted messages, flat: one `.eml` file each, whose name starts with the time (UTC).

Law: a file is there whole or not at all, and holds the very bytes that arrived; the envelope is in the log.
"""

import os
from datetime import UTC, datetime
from pathlib import Path


class Inbox:
    """Keeps messages in `folder`, made if it is not there."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._serial = 0
        folder.mkdir(parents=True, exist_ok=True)

    def keep(self, message: bytes, *, wall: float) -> str:
        """Writes one message under a hidden name, renames it, and returns the name (no folder)."""
        self._serial += 1
        name = f"{datetime.fromtimestamp(wall, UTC):%Y%m%dT%H%M%S.%fZ}-{self._serial:06d}.eml"
        hidden = f"{self._folder}/.{name}.part"  # not *.eml: Path.glob finds hidden files too
        file = os.open(hidden, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            _write_whole(file, message)
        finally:
            os.close(file)
        os.rename(hidden, f"{self._folder}/{name}")  # noqa: PTH104 - paths as text are half the cost of a small message
        return name


def _write_whole(file: int, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[os.write(file, left) :]
