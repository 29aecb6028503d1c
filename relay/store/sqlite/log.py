"""The log of the database (relay.db-wal), read frame by frame before SQLite does: SQLite silently ends at a bad frame.

Law: it is only read. What a crash leaves is told from damage by this: a frame behind a commit was written after that
commit was synced, so whoever finds one behind a bad frame has found mail that was answered.
"""

import struct
import sys
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import BinaryIO, NamedTuple

HEADER_BYTES: int = 32
FRAME_HEADER_BYTES: int = 24
"""Of the file format, https://www.sqlite.org/fileformat2.html#walformat."""

_MAGIC = {0x377F0682: "little", 0x377F0683: "big"}
_MASK = 0xFFFFFFFF
_PAGE_BYTES = range(512, 65537)
_USUAL_PAGE_BYTES: int = 4096

Sums = tuple[int, int]


class Condition(Enum):
    """What a log is like."""

    WHOLE = "whole"
    """To its end, or to what a crash cut off in the middle of a frame."""
    DOUBTFUL = "doubtful"
    """Only the last transaction cannot be read: a power cut leaves that, before it was answered; so does damage."""
    DAMAGED = "damaged"
    """Transactions that were answered lie behind a place that cannot be read."""


@dataclass(frozen=True, slots=True)
class Log:
    """A log: how it is, how many of its frames can be read, and at which byte the first lies that cannot."""

    condition: Condition
    frames: int
    readable: int
    at: int

    @property
    def is_damaged(self) -> bool:
        """Whether mail that was answered would be lost by going on."""
        return self.condition is Condition.DAMAGED


class _Frame(NamedTuple):
    head: bytes
    salts: bytes
    sums: Sums
    is_commit: bool


def examine(path: Path) -> Log:
    """How the log at `path` is; blocks, some 70 us a frame. OSError: it cannot be read."""
    try:
        with path.open("rb") as file:
            return _Reader(file, path.stat().st_size).examine()
    except FileNotFoundError:
        return Log(Condition.WHOLE, 0, 0, 0)


class _Reader:
    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file = file
        head = file.read(HEADER_BYTES).ljust(HEADER_BYTES, b"\0")
        magic, _, page, _ = struct.unpack(">4I", head[:16])
        self._order = _MAGIC.get(magic, sys.byteorder)
        self._salts = head[16:24]
        self._sums: Sums = struct.unpack(">2I", head[24:])
        is_page = page in _PAGE_BYTES and page & (page - 1) == 0
        self._is_good = magic in _MAGIC and is_page and self._sum((0, 0), head[:24]) == self._sums
        self._page = page if is_page else _USUAL_PAGE_BYTES
        self._frames = max(0, size - HEADER_BYTES) // (FRAME_HEADER_BYTES + self._page)

    def examine(self) -> Log:
        good = self._readable() if self._is_good else 0
        at = HEADER_BYTES + good * (FRAME_HEADER_BYTES + self._page) if self._is_good else 0
        condition = self._behind(good) if good < self._frames else Condition.WHOLE
        return Log(condition, self._frames, good, at)

    def _readable(self) -> int:
        """How many frames SQLite reads."""
        sums = self._sums
        for number in range(self._frames):
            frame = self._frame(number)
            if frame.salts != self._salts or not self._follows(number, frame, sums):
                return number
            sums = frame.sums
        return self._frames

    def _behind(self, bad: int) -> Condition:
        """What follows the first frame that cannot be read."""
        found = Condition.WHOLE
        for number, before, is_commit in self._befores(bad):
            frame = self._frame(number)
            is_ours = frame.salts == self._salts or not self._is_good
            if not is_ours or not any(self._follows(number, frame, sums) for sums in before):
                continue
            if is_commit or not self._is_good:
                return Condition.DAMAGED
            found = Condition.DOUBTFUL
        return found

    def _befores(self, bad: int) -> Iterator[tuple[int, tuple[Sums, ...], bool]]:
        """Each frame behind the bad one; the checksums that it may go on from; whether the one before commits."""
        if not self._is_good:
            yield 0, (self._sums,), False
        before = self._frame(bad)
        was = self._frame(bad - 1).sums if bad else self._sums
        true = self._sum(was, before.head + self._page_of(bad)) if self._is_good else before.sums
        for number in range(bad + 1, self._frames):
            yield number, (before.sums, true), before.is_commit
            before = self._frame(number)
            true = before.sums

    def _frame(self, number: int) -> _Frame:
        self._file.seek(HEADER_BYTES + number * (FRAME_HEADER_BYTES + self._page))
        head = self._file.read(FRAME_HEADER_BYTES)
        first, second = struct.unpack(">2I", head[16:])
        return _Frame(head[:8], head[8:16], (first, second), head[4:8] != b"\0\0\0\0")

    def _page_of(self, number: int) -> bytes:
        self._file.seek(HEADER_BYTES + number * (FRAME_HEADER_BYTES + self._page) + FRAME_HEADER_BYTES)
        return self._file.read(self._page)

    def _follows(self, number: int, frame: _Frame, before: Sums) -> bool:
        return self._sum(before, frame.head + self._page_of(number)) == frame.sums

    def _sum(self, sums: Sums, data: bytes) -> Sums:
        words = array("I", data)
        if self._order != sys.byteorder:
            words.byteswap()
        first, second = sums
        pairs = iter(words)
        for one, two in zip(pairs, pairs, strict=True):
            first = (first + one + second) & _MASK
            second = (second + two + first) & _MASK
        return first, second
