"""A database in memory that goes with the world it belongs to: Python 3.13 and later warn of one that nobody closes."""

import sqlite3
import weakref


def in_memory(owner: object) -> sqlite3.Connection:
    """A new one; it is closed when nothing refers to `owner` any more, whatever became of the test."""
    connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    weakref.finalize(owner, connection.close)
    return connection
