"""The folder of accepted messages, flat: one `.eml` file each, whose name starts with the time (UTC).

Law: a file is there whole or not at all, and holds the very bytes that arrived; the envelope is in the log.
"""

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
        hidden = self._folder / f".{name}"
        hidden.write_bytes(message)
        hidden.rename(self._folder / name)
        return name
