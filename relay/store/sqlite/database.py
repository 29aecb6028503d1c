"""One connection to the database, with a transaction that begins at the first write and ends where it is told to.

Law: sqlite3's errors stop here: no space is StoreFull, a disk that fails is StoreBroken, the rest StoreUnavailable.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from enum import Enum
from typing import Any

from relay.errors import RelayError, StoreBroken, StoreFull, StoreUnavailable

Row = tuple[Any, ...]

PAGE_CACHE_KIB: int = 64 * 1024
"""Holds the upper pages of every index at a million queued; part of the 400 MB that the relay may use then."""

CACHED_STATEMENTS: int = 256
"""More than there are: each is compiled once."""

CHECKPOINT_PAGES: int = 2000
"""8 MB of log: a checkpoint is a short burst, and a hot page is copied back once for many commits."""

SHORT_LOG_PAGES: int = 16
"""As long as the log may grow on a full disk, beside the one transaction that is in it."""

SHORT_LOG_BYTES: int = 256 * 1024
"""What a log from before is cut to then; it is written over from its start meanwhile."""

LOG_BYTES: int = 64 * 1024 * 1024
"""What a log that a burst made longer is cut to."""

_PRAGMAS = (
    # Nobody else has it open; so the index of the log is in memory, and no file of it has to grow on a full disk.
    "PRAGMA locking_mode=EXCLUSIVE",
    # For a new file: what history leaves behind can be given back to a disk that is nearly full.
    "PRAGMA auto_vacuum=INCREMENTAL",
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    f"PRAGMA cache_size=-{PAGE_CACHE_KIB}",
    f"PRAGMA wal_autocheckpoint={CHECKPOINT_PAGES}",
    f"PRAGMA journal_size_limit={LOG_BYTES}",
    "PRAGMA temp_store=MEMORY",
    "PRAGMA secure_delete=FAST",
)
LOOK = ": stop the relay, and `relay queue check` says what is left"
_FULL = sqlite3.SQLITE_FULL
_BROKEN = {
    sqlite3.SQLITE_IOERR: "the disk fails: look at the kernel's log, and start again when it is sound",
    sqlite3.SQLITE_CORRUPT: f"relay.db is damaged{LOOK}",
    sqlite3.SQLITE_NOTADB: "relay.db is no database any more: put it back from a backup; segments/ has the mail",
}
_DENIED = {
    sqlite3.SQLITE_READONLY: "it may not be written: is data_dir mounted read-only, and whose files are in it",
    sqlite3.SQLITE_CANTOPEN: "a file of it cannot be opened: whose files are in data_dir, and may they be written",
    sqlite3.SQLITE_PERM: "it may not be read: whose files are in data_dir",
}


class Fold(Enum):
    """What came of folding the log."""

    FREED = "freed"
    EMPTY = "empty"
    """There was nothing in it."""
    NO_ROOM = "no-room"
    """The database would have had to grow."""


class Database:
    """A connection in autocommit mode that nobody else uses."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._cursor = connection.cursor()
        self.is_writing = False
        """Whether a transaction with writes is open."""

    def prepare(self) -> None:
        """Sets what every connection needs; harmless when repeated."""
        try:
            for pragma in _PRAGMAS:
                self._connection.execute(pragma)
        except sqlite3.Error as error:
            raise translated(error) from error

    def read(self, statement: str, parameters: Sequence[object] = ()) -> list[Row]:
        """All rows; what this transaction wrote is seen."""
        try:
            return self._cursor.execute(statement, parameters).fetchall()
        except sqlite3.Error as error:
            raise translated(error) from error

    def read_one(self, statement: str, parameters: Sequence[object] = ()) -> Row | None:
        """The first row, or None."""
        try:
            row: Row | None = self._cursor.execute(statement, parameters).fetchone()
        except sqlite3.Error as error:
            raise translated(error) from error
        return row

    def write(self, statement: str, parameters: Sequence[object] = ()) -> int:
        """Runs a writing statement and returns how many rows it changed."""
        try:
            self._begin()
            return self._cursor.execute(statement, parameters).rowcount
        except sqlite3.Error as error:
            raise translated(error) from error

    def write_many(self, statement: str, rows: Iterable[Sequence[object]]) -> None:
        """Runs a writing statement once a row."""
        try:
            self._begin()
            self._cursor.executemany(statement, rows)
        except sqlite3.Error as error:
            raise translated(error) from error

    def commit(self) -> None:
        """Makes the transaction durable; blocks for an fsync."""
        try:
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            raise translated(error) from error
        self.is_writing = False

    def rollback(self) -> None:
        """Forgets the transaction, if one is open."""
        self.is_writing = False
        try:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
        except sqlite3.Error as error:
            raise translated(error) from error

    def keep_log_short(self) -> None:
        """On a full disk the log must not eat what is set free."""
        self._limit_log(SHORT_LOG_PAGES, SHORT_LOG_BYTES)

    def let_log_grow(self) -> None:
        """There is room again."""
        self._limit_log(CHECKPOINT_PAGES, LOG_BYTES)

    def _limit_log(self, pages: int, most: int) -> None:
        self._connection.execute(f"PRAGMA wal_autocheckpoint={pages}")
        self._connection.execute(f"PRAGMA journal_size_limit={most}").fetchall()

    def fold_log(self) -> Fold:
        """Copies the log into the database and frees its space; blocks."""
        try:
            row = self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        except sqlite3.Error as error:
            translation = translated(error)
            if isinstance(translation, StoreFull):
                return Fold.NO_ROOM
            raise translation from error
        return Fold.FREED if row is not None and row[1] > 0 else Fold.EMPTY

    def shrink(self, pages: int) -> bool:
        """Makes the file shorter by pages that are free, as part of a transaction; whether some were."""
        if self.read_one("PRAGMA freelist_count") == (0,):
            return False
        self._begin()
        self.read(f"PRAGMA incremental_vacuum({pages})")
        return True

    def _begin(self) -> None:
        if not self.is_writing:
            self._cursor.execute("BEGIN IMMEDIATE")
            self.is_writing = True

    def close(self) -> None:
        """Lets go of the connection."""
        self._cursor.close()
        self._connection.close()


def translated(error: sqlite3.Error) -> RelayError:
    """The error of our tree that an sqlite3 error means; its text never carries values."""
    code = getattr(error, "sqlite_errorcode", None)
    name = getattr(error, "sqlite_errorname", type(error).__name__)
    primary = None if code is None else code & 0xFF
    if primary == _FULL:
        return StoreFull()
    if primary in _BROKEN:
        return StoreBroken(f"the database fails ({name}): {_BROKEN[primary]}")
    why = f": {_DENIED[primary]}" if primary in _DENIED else ""
    return StoreUnavailable(f"the database refuses ({name}){why}")
