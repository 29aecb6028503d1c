"""The admin's token: a file that only the relay's own user can read, made once.

Law: what is in the file opens the API and nothing else does; it is compared in constant time.
"""

import hmac
import os
from collections.abc import Callable
from pathlib import Path

from relay.errors import ConfigError

TOKEN_BYTES: int = 32
"""256 bits: not to be guessed, whatever the rate."""

SHORTEST: int = 16
"""A file with less was not made by us, or was cut."""


def admin_token(path: Path, randomness: Callable[[int], bytes]) -> str:
    """The token of the file, made (0600) only if there is none; ConfigError: the file cannot be used.

    A start that finds a token writes nothing: a full disk must not keep the relay, which empties it, from starting.
    """
    try:
        try:
            token = _read(path)
        except FileNotFoundError:
            _make(path, randomness(TOKEN_BYTES).hex())
            token = _read(path)
        is_open = path.stat().st_mode & 0o077
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be used as the admin's token: {error}") from error
    if len(token) < SHORTEST:
        raise ConfigError(f"{path}: too short for a token; remove it, and the next start makes a new one")
    if is_open:
        raise ConfigError(f"{path}: others can read it; chmod 600 {path}")
    return token


def is_token(presented: str, token: str) -> bool:
    """Whether an `Authorization` header carries the token (RFC 6750, 2.1)."""
    scheme, _, value = presented.partition(" ")
    return scheme.lower() == "bearer" and hmac.compare_digest(value.strip().encode(), token.encode())


def _read(path: Path) -> str:
    return path.read_text(encoding="ascii").strip()


def _make(path: Path, token: str) -> None:
    """Complete or not at all: a crash in between leaves no half token, and one that came meanwhile stays."""
    beside = path.with_name(f".{path.name}.new")
    beside.unlink(missing_ok=True)
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(f"{token}\n")
            file.flush()
            os.fsync(descriptor)
        os.link(beside, path)
    except FileExistsError:
        pass
    finally:
        beside.unlink()
