"""A key as everybody may know it: by its fingerprint and its place, never by itself.

Law: nothing here helps to open anything.
"""

from typing import NamedTuple


class KeyMark(NamedTuple):
    """One key: what tells it from another, and the file (or RELAY_KEY) that it is kept in."""

    fingerprint: str
    place: str

    @property
    def id(self) -> str:
        """What people call it by; its file is named after it."""
        return self.fingerprint[:8]
