"""Segments as append-only files: one write and one fdatasync per batch, however many records it brings.

Law: a file from before a start is never appended to, because its tail may hold what no commit knows of; an I/O error
of a sync is never retried, because the kernel may have dropped the pages.
"""

import errno
import os
from collections.abc import Callable, Iterator, Sequence
from ctypes import CDLL, c_int, c_int64, get_errno
from itertools import chain, count
from pathlib import Path

from relay.errors import CorruptValue, MessageUnreadable, StoreBroken, StoreFull, StoreUnavailable
from relay.store.needs import CrashPoint, never_dies
from relay.store.segments.port import BATCH_BYTES, SEGMENT_BYTES, Place

ASIDE = "aside"
"""The folder beside the segments for what nobody knows of, and what may have been lost: only people empty it."""

_SUFFIX = ".seg"
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_KEEP_SIZE_PUNCH_HOLE = 0x01 | 0x02
"""FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE, linux/falloc.h."""
_CANNOT_PUNCH = frozenset({errno.EOPNOTSUPP, errno.ENOSYS})

Write = Callable[[int, Sequence[bytes]], int]
_IOV_MAX = 1024


class FileSegments:
    """The segments of one `data_dir`; `write` is os.writev, but in tests of a full disk."""

    def __init__(
        self,
        directory: Path,
        *,
        crash_point: CrashPoint = never_dies,
        limit: int = SEGMENT_BYTES,
        write: Write = os.writev,
        unanswered_bytes: int = BATCH_BYTES,
    ) -> None:
        self._directory = directory
        self._crash_point = crash_point
        self._limit = limit
        self._write = write
        self._unanswered = unanswered_bytes
        self._libc = CDLL(None, use_errno=True)
        self._number = 0
        self._end = 0
        self._fresh: dict[int, list[bytes]] = {}
        self._descriptor: int | None = None
        self._open_number = 0
        self._synced = 0

    def begin(self, first: int) -> None:
        """Says the lowest number that a segment begun from now on may have."""
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._number, self._end = max(first, self._number, *(number + 1 for number in self.numbers()), 1), 0

    def append(self, record: bytes) -> Place:
        """Takes a record; it is only in memory until `sync`."""
        if self._end and self._end + len(record) > self._limit:
            self._number, self._end = self._number + 1, 0
        place = Place(self._number, self._end, len(record))
        self._end += len(record)
        self._fresh.setdefault(place.segment, []).append(record)
        return place

    @property
    def is_dirty(self) -> bool:
        """Whether anything was appended since the last `sync` or `discard`."""
        return bool(self._fresh)

    def sync(self) -> None:
        """Makes durable what was appended. StoreFull: nothing of it counts. StoreBroken: the disk lies."""
        fresh, self._fresh = self._fresh, {}
        try:
            for number, records in fresh.items():
                self._sync_one(number, records)
        except OSError as error:
            if error.errno in _FULL:
                self._cut()
                self._abandon()
                raise StoreFull from error
            raise StoreBroken(f"a segment cannot be written: {os.strerror(error.errno or 0)}") from error

    def _sync_one(self, number: int, records: Sequence[bytes]) -> None:
        descriptor = self._descriptor_of(number)
        for start in range(0, len(records), _IOV_MAX):
            self._write_all(descriptor, records[start : start + _IOV_MAX])
        self._crash_point("segment-written")
        os.fdatasync(descriptor)
        self._synced = os.lseek(descriptor, 0, os.SEEK_CUR)
        self._crash_point("segment-synced")

    def _write_all(self, descriptor: int, records: Sequence[bytes]) -> None:
        left = sum(map(len, records))
        written = self._write(descriptor, records)
        while written < left:
            rest = b"".join(records)[written:]
            records, left = (rest,), len(rest)
            written = self._write(descriptor, records)

    def _descriptor_of(self, number: int) -> int:
        if self._descriptor is not None and self._open_number == number:
            return self._descriptor
        self._close_file()
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
        descriptor = os.open(self._path(number), flags, 0o600)
        self._descriptor, self._open_number, self._synced = descriptor, number, 0
        _sync_directory(self._directory)
        self._crash_point("segment-created")
        return descriptor

    def discard(self) -> None:
        """Forgets what was appended since the last `sync`; the next record begins a new file."""
        self._fresh.clear()
        self._abandon()

    def _cut(self) -> None:
        """On a full disk every byte counts: what was half-written goes."""
        if self._descriptor is not None:
            os.ftruncate(self._descriptor, self._synced)

    def _abandon(self) -> None:
        """What a failed write left in the file is in nobody's way: nothing is ever appended behind it."""
        self._close_file()
        self._number, self._end = self._number + 1, 0

    def read(self, place: Place) -> bytes:
        """A record; blocks. CorruptValue: it is not there; MessageUnreadable: not now."""
        try:
            descriptor = os.open(self._path(place.segment), os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            raise CorruptValue("a segment is gone") from None
        except OSError as error:
            raise MessageUnreadable(f"a segment cannot be read: {os.strerror(error.errno or 0)}") from error
        try:
            record = os.pread(descriptor, place.length, place.offset)
        except OSError as error:
            raise MessageUnreadable(f"a segment cannot be read: {os.strerror(error.errno or 0)}") from error
        finally:
            os.close(descriptor)
        if len(record) != place.length:
            raise CorruptValue("a record is not where it was written")
        return record

    def punch(self, segment: int, spans: Sequence[tuple[int, int]]) -> None:
        """Gives back the space of spans of a segment; where the file system cannot, the unlink will."""
        try:
            descriptor = os.open(self._path(segment), os.O_WRONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return
        try:
            for offset, length in spans:
                if not self._punch_one(descriptor, offset, length):
                    return
        finally:
            os.close(descriptor)
        self._crash_point("segment-punched")

    def _punch_one(self, descriptor: int, offset: int, length: int) -> bool:
        answer = self._libc.fallocate(c_int(descriptor), c_int(_KEEP_SIZE_PUNCH_HOLE), c_int64(offset), c_int64(length))
        if answer == 0:
            return True
        number = get_errno()
        if number in _CANNOT_PUNCH:
            return False
        raise StoreUnavailable(f"a segment cannot be punched: {os.strerror(number)}")

    def remove(self, segment: int) -> None:
        """Lets go of a whole segment; harmless when it is gone."""
        try:
            self._path(segment).unlink(missing_ok=True)
        except OSError as error:
            raise StoreUnavailable(f"a segment cannot be removed: {os.strerror(error.errno or 0)}") from error
        self._crash_point("segment-removed")

    def cut(self, segment: int, end: int) -> None:
        """Lets go of what lies behind `end`; harmless when the segment is gone, or ends before."""
        try:
            if self._path(segment).stat().st_size > end:
                os.truncate(self._path(segment), end)
        except FileNotFoundError:
            return
        except OSError as error:
            raise StoreUnavailable(f"a segment cannot be cut: {os.strerror(error.errno or 0)}") from error

    def data_behind(self, segment: int, offset: int) -> int:
        """How many bytes lie in a segment from `offset` on, without holes; nothing where it is gone."""
        try:
            descriptor = os.open(self._path(segment), os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return 0
        try:
            return sum(end - begin for begin, end in _extents(descriptor, offset))
        except OSError as error:
            raise StoreUnavailable(f"a segment cannot be read: {os.strerror(error.errno or 0)}") from error
        finally:
            os.close(descriptor)

    def set_aside(self, segment: int, *, is_needed: bool) -> None:
        """Gives a segment a name in the folder `aside`; the old name goes where it is not needed."""
        here, there = self._path(segment), aside(self._directory.parent) / self._path(segment).name
        try:
            if not self.is_aside(segment):
                os.link(here, free_name(there))
            _sync_directory(there.parent)
        except OSError as error:
            raise StoreUnavailable(f"a segment cannot be set aside: {os.strerror(error.errno or 0)}") from error
        if not is_needed:
            self.remove(segment)

    @property
    def unanswered_bytes(self) -> int:
        """What may lie behind what is known without a sign of damage."""
        return self._unanswered

    def is_aside(self, segment: int) -> bool:
        """Whether a copy was set aside before."""
        here = self._path(segment)
        return any(each.samefile(here) for each in (self._directory.parent / ASIDE).glob(f"{here.name}*"))

    def numbers(self) -> tuple[int, ...]:
        """The segments that there are."""
        names = (path.stem for path in self._directory.glob(f"*{_SUFFIX}"))
        return tuple(sorted(int(name) for name in names if name.isdigit()))

    def close(self) -> None:
        """Lets go of the file being written."""
        self._close_file()

    def _close_file(self) -> None:
        if self._descriptor is not None:
            descriptor, self._descriptor = self._descriptor, None
            os.close(descriptor)

    def _path(self, number: int) -> Path:
        return self._directory / f"{number:08}{_SUFFIX}"


def aside(data_dir: Path) -> Path:
    """The folder for what is kept aside, made where it is missing."""
    folder = data_dir / ASIDE
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def free_name(path: Path) -> Path:
    """`path`, or the first name with a number behind it that is not taken: nothing aside is ever written over."""
    beside = (path.with_name(f"{path.name}.{number}") for number in count(1))
    return next(each for each in chain((path,), beside) if not each.exists())


def _extents(descriptor: int, offset: int) -> Iterator[tuple[int, int]]:
    """Where there is data; a file system without holes has one extent."""
    end, size = offset, os.fstat(descriptor).st_size
    while end < size:
        try:
            begin = os.lseek(descriptor, end, os.SEEK_DATA)
        except OSError as error:
            if error.errno == errno.ENXIO:
                return
            raise
        end = os.lseek(descriptor, begin, os.SEEK_HOLE)
        yield begin, end


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
