"""A database in memory that is closed when nobody refers to it any more: Python 3.13 warns of one that is not."""

import sqlite3


class _Closing(sqlite3.Connection):
    def __del__(self) -> None:
        self.close()


def in_memory() -> sqlite3.Connection:
    """A new and empty one."""
    return sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False, factory=_Closing)
