"""A store on disk: the lock, the files and the executors' work put together.

Law: one process at a time has a `data_dir`; a lock that is held refuses the second relay before it reads anything.
"""

import fcntl
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from relay.errors import DataDirInUse, StoreBroken, StoreFull, StoreUnavailable
from relay.store.needs import Outside, StoreSettings
from relay.store.segments.files import FileSegments, aside, free_name
from relay.store.segments.port import BATCH_BYTES, SEGMENT_BYTES
from relay.store.sqlite.database import CACHED_STATEMENTS
from relay.store.sqlite.log import Condition, Log, examine
from relay.store.sqlite.reserve import LEAST_INODES
from relay.store.sqlite.store import SqliteStore

LOCK_FILE = "relay.lock"
DATABASE_FILE = "relay.db"
LOG_FILE = "relay.db-wal"
INDEX_FILE = "relay.db-shm"
SEGMENTS = "segments"


@dataclass(frozen=True, slots=True)
class DataDir:
    """A `data_dir` that this process holds."""

    path: Path
    lock: int

    @property
    def segments(self) -> Path:
        """Where the bodies lie."""
        return self.path / SEGMENTS

    def connect(self) -> sqlite3.Connection:
        """The one connection to the database; any thread may use it, one at a time."""
        try:
            connection = sqlite3.connect(
                self.path / DATABASE_FILE,
                isolation_level=None,
                check_same_thread=False,
                cached_statements=CACHED_STATEMENTS,
                timeout=0,
            )
        except sqlite3.Error as error:
            raise StoreUnavailable(f"the database cannot be opened: {error}") from error
        (self.path / DATABASE_FILE).chmod(0o600)
        return connection

    @property
    def log(self) -> Path:
        """The log of the database."""
        return self.path / LOG_FILE

    @contextmanager
    def looked_at(self) -> Iterator[sqlite3.Connection]:
        """A connection that changes no file: it reads the log, and neither folds nor deletes it."""
        has_log = self.log.exists() and self.log.stat().st_size > 0
        index = self.path / INDEX_FILE
        had_index = index.exists()
        where = quote(str(self.path / DATABASE_FILE))
        mode = "mode=ro" if has_log else "mode=ro&immutable=1"
        try:
            connection = sqlite3.connect(f"file:{where}?{mode}", uri=True, isolation_level=None, timeout=0)
        except sqlite3.Error as error:
            raise StoreUnavailable(f"the database cannot be opened: {error}") from error
        try:
            yield connection
        finally:
            connection.close()
            if not had_index:
                index.unlink(missing_ok=True)

    def keep_log_aside(self) -> Path:
        """Copies the log to where nothing folds it; the copy is on disk on return."""
        there = free_name(aside(self.path) / LOG_FILE)
        try:
            shutil.copyfile(self.log, there)
            there.chmod(0o600)
            for path in (there, there.parent):
                sync_directory(path)
        except OSError as error:
            there.unlink(missing_ok=True)
            raise StoreFull(f"the log cannot be copied to {there}: {error.strerror}") from error
        return there

    def free_bytes(self) -> int:
        """What is left on its disk for a process without privileges; nothing, if no more files can be made."""
        found = os.statvfs(self.path)
        if found.f_files and found.f_favail < LEAST_INODES:
            return 0
        return found.f_bavail * found.f_frsize

    def disk_bytes(self) -> int:
        """How large its disk is."""
        found = os.statvfs(self.path)
        return found.f_blocks * found.f_frsize

    def release(self) -> None:
        """Lets the next relay in."""
        os.close(self.lock)


def hold(path: Path) -> DataDir:
    """Makes the directory, mode 0700, where it is missing, and takes its lock. DataDirInUse: another relay has it."""
    if not path.is_dir():
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        sync_directory(path.parent)
    lock = os.open(path / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise DataDirInUse(f"another relay uses {path}") from None
    return DataDir(path, lock)


def sync_directory(directory: Path) -> None:
    """A new name is on disk only then: a power cut would take the whole of a young `data_dir` with it."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def open_store(
    data: DataDir, settings: StoreSettings, outside: Outside, *, segment_bytes: int = SEGMENT_BYTES
) -> SqliteStore:
    """The store of a `data_dir` that this process holds; blocks while it loads what is queued.

    On a full disk the reserve is given up: what is queued can be sent, and that frees more.

    StoreKeyError, StoreTooNew, StoreFull, StoreUnavailable: nothing was begun.
    """
    try:
        return _open(data, settings, outside, segment_bytes)
    except StoreFull:
        if not outside.give_up_reserve():
            raise
        return _open(data, settings, outside, segment_bytes)


def _open(data: DataDir, settings: StoreSettings, outside: Outside, segment_bytes: int) -> SqliteStore:
    spared = BATCH_BYTES if is_log_sound(data, settings.least_free_bytes) else 0
    connection = data.connect()
    try:
        segments = FileSegments(
            data.segments, crash_point=outside.crash_point, limit=segment_bytes, unanswered_bytes=spared
        )
        return SqliteStore(connection, segments, settings, outside=outside)
    except BaseException:
        connection.close()
        raise


def is_log_sound(data: DataDir, least_free_bytes: int) -> bool:
    """Whether the log is as a crash leaves it; of one that may not be a copy is kept, where there is space.

    StoreBroken: it is damaged, and going on would lose mail that was answered; nothing was changed.
    """
    log = examine(data.log)
    if log.is_damaged:
        raise StoreBroken(f"{of_damaged(log)}; nothing was changed: copy data_dir, then `relay queue check` says more")
    if log.condition is Condition.WHOLE:
        return True
    if data.free_bytes() > data.log.stat().st_size + least_free_bytes:
        data.keep_log_aside()
    return False


def of_damaged(log: Log) -> str:
    """What is wrong with it, in words."""
    return (
        f"{LOG_FILE} is damaged at byte {log.at}: it has {log.frames} frames, and behind the {log.readable} that "
        "can be read there is mail that was accepted"
    )


def cached(look: Callable[[], int], now: Callable[[], int], every: int) -> Callable[[], int]:
    """A look at the disk that is remembered for `every` microseconds: it is asked for with every mail."""
    seen: list[int] = []

    def answer() -> int:
        moment = now()
        if not seen or moment - seen[0] >= every:
            seen[:] = [moment, look()]
        return seen[1]

    return answer
