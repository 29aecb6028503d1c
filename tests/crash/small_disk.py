"""A file system of its own, small enough to be filled by mail alone; only root can mount it."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def mounted(folder: Path, *, megabytes: int, inodes: int = 0) -> Iterator[Path]:
    """A disk in memory at `folder`; skips where none can be mounted. 0 inodes: as many as the kernel gives."""
    folder.mkdir(mode=0o700, exist_ok=True)
    options = f"size={megabytes}m,mode=0700" + (f",nr_inodes={inodes}" if inodes else "")
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    try:
        done = subprocess.run(command, capture_output=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no mount here")
    if done.returncode:
        pytest.skip("a small disk can only be mounted as root")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def free_bytes(folder: Path) -> int:
    """What df would say."""
    return int(
        subprocess.run(["df", "--output=avail", "-B1", str(folder)], capture_output=True, check=True).stdout.split()[-1]
    )
