"""Looks at the files that a configuration names, without opening them.

Law: whatever the path, the answer is a value; a file that may not be looked at is as good as not there.
"""

import stat
from pathlib import Path


def trouble_with(path: Path, *, may_be_folder: bool = False) -> str | None:
    """Why this cannot be read as a file; None: it looks as if it can."""
    try:
        mode = path.stat().st_mode
    except OSError as error:
        return said(error)
    except ValueError:
        return "not a file name"
    return None if stat.S_ISREG(mode) or (may_be_folder and stat.S_ISDIR(mode)) else "not a file"


def is_open_to_all(path: Path) -> bool:
    """Whether everybody on this machine can read or change the file; of a group somebody may have meant it."""
    try:
        return bool(path.stat().st_mode & (stat.S_IROTH | stat.S_IWOTH))
    except (OSError, ValueError):
        return False


def said(error: OSError) -> str:
    """The system's own words, without the path."""
    return (error.strerror or "unknown error").lower()


def device_of(path: Path) -> int | None:
    """The file system that this is on, or will be made on; None: it cannot be told."""
    path = path.absolute()
    for existing in (path, *path.parents):
        try:
            return existing.stat().st_dev
        except FileNotFoundError:
            continue
        except (OSError, ValueError):
            return None
    return None
