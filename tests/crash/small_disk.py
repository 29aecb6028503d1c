"""A file system of its own, small enough to be filled by mail alone; only root can mount it."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import pytest

from tests.conftest import is_ci


def leave_out(reason: str) -> NoReturn:
    """Skips, unless it is root in CI who cannot."""
    if is_ci() and os.getuid() == 0:
        pytest.fail(f"{reason}, and root is who this is", pytrace=False)
    pytest.skip(reason)


@contextmanager
def mounted(folder: Path, *, megabytes: int, inodes: int = 0) -> Iterator[Path]:
    """A disk in memory at `folder`. 0 inodes: as many as the kernel gives.

    Skips where none can be mounted; for root with CI=true that is a failure, because nobody reads why it was skipped.
    """
    folder.mkdir(mode=0o700, exist_ok=True)
    options = f"size={megabytes}m,mode=0700" + (f",nr_inodes={inodes}" if inodes else "")
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    try:
        done = subprocess.run(command, capture_output=True, check=False)
    except FileNotFoundError:
        leave_out("there is no mount here")
    if done.returncode:
        leave_out("a small disk can only be mounted as root")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def free_bytes(folder: Path) -> int:
    """What df would say."""
    return int(
        subprocess.run(["df", "--output=avail", "-B1", str(folder)], capture_output=True, check=True).stdout.split()[-1]
    )
