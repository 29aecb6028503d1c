"""What a node knows of the store that it shares, in small files of its data_dir: which one, how far it was, who spoke.

Law: the file is there whole or not at all; one that an older relay wrote says which store alone.
"""

import os
from collections.abc import Sequence
from pathlib import Path

from relay.store.sqlite.opening import sync_directory

STORE_FILE = "store"
"""Which store this node has worked with: another one, or an empty one, is not what its mail is in."""


def known_store(data_dir: Path) -> tuple[str | None, int]:
    """Its id, None where there was none; and how many changes it had had."""
    path = data_dir / STORE_FILE
    if not path.exists():
        return None, 0
    store_id, _, changes = path.read_text("ascii").strip().partition(" ")
    return store_id, int(changes) if changes.isdigit() else 0


def remember_store(data_dir: Path, store_id: str, changes: int = 0) -> None:
    """Writes it down."""
    remember(data_dir / STORE_FILE, f"{store_id} {changes}")


LIVES_FILE = "lives"
"""The lives of this node that spoke to the store."""


def known_lives(data_dir: Path) -> Sequence[str]:
    """Their tokens, newest first."""
    path = data_dir / LIVES_FILE
    return path.read_text("ascii").split() if path.exists() else ()


def remember_lives(data_dir: Path, tokens: Sequence[str]) -> None:
    """Writes them down. OSError."""
    remember(data_dir / LIVES_FILE, " ".join(tokens))


def remember(path: Path, text: str) -> str:
    """Writes a small file that is there whole or not at all; one that says the same already is left alone."""
    if path.exists() and path.read_text("ascii").strip() == text:
        return text
    beside = path.with_suffix(".new")
    with beside.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    beside.rename(path)
    sync_directory(path.parent)
    return text
