"""Who may log in, and with which password.

Law: a corrected password works at the very next login; without a list everybody may.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

from relay.errors import ConfigError

RACY_SECONDS = 2.0
"""A file this young may change again within one tick of its time stamp, so it is read again."""


class Users:
    """The logins: from a file that is read again when it changes, from a mapping, or open to all."""

    def __init__(self, passwords: Mapping[str, str] | None = None, file: Path | None = None) -> None:
        self._passwords = dict(passwords) if passwords is not None else None
        self._file = file
        self._seen: tuple[int, int, int] | None = None
        if file is not None and not file.is_file():
            raise ConfigError(f"the users file {file} cannot be read")

    @property
    def is_open(self) -> bool:
        """Whether any login succeeds, and none is needed."""
        return self._passwords is None and self._file is None

    def accepts(self, user: str, is_of: Callable[[str], bool], *, now: float) -> bool:
        """Whether `is_of` holds for the user's password; `now` is wall time, to tell a file that has just changed."""
        if self._file is not None:
            self._read_again(self._file, now)
        if self._passwords is None:
            return True
        return user in self._passwords and is_of(self._passwords[user])

    def _read_again(self, file: Path, now: float) -> None:
        try:
            status = file.stat()
            text = file.read_text("utf-8") if self._is_news(status.st_mtime_ns, status.st_size, status.st_ino) else None
        except FileNotFoundError:
            return  # being replaced: the list read last stays until the new one is there
        if text is not None:
            self._passwords = read_users(text)
        is_settled = now - status.st_mtime > RACY_SECONDS
        self._seen = (status.st_mtime_ns, status.st_size, status.st_ino) if is_settled else None

    def _is_news(self, *signature: int) -> bool:
        return self._passwords is None or self._seen != signature


def read_users(text: str) -> dict[str, str]:
    """Reads lines `user:password`; empty lines and lines that begin with # are left out."""
    lines = (line.strip("\r") for line in text.split("\n"))
    pairs = (line.partition(":") for line in lines if line.strip() and not line.startswith("#"))
    return {user.strip(): password for user, _, password in pairs}
