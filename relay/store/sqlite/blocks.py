"""Which blocks of segments are done with: a file system gives back whole blocks, and mails share them.

Law: a block is named once every byte of it is done with, and not before.
"""

from array import array
from collections.abc import Iterable

BLOCK: int = 4096
"""What ext4, xfs and tmpfs give back at the least; with larger blocks the removal of the file does the rest."""

Span = tuple[int, int]
"""Offset and length."""


class Blocks:
    """The bytes done with of one segment, counted by block."""

    __slots__ = ("_done", "_whole", "waiting")

    def __init__(self) -> None:
        self._done = array("H")
        self._whole: list[Span] = []
        self.waiting = 0
        """Bytes in whole blocks that were not handed out yet."""

    def add(self, offset: int, length: int) -> None:
        """A record is done with; each is told once."""
        end = offset + length
        first, last = offset // BLOCK, end // BLOCK
        if first == last:
            self._count(first, length)
            return
        if offset % BLOCK:
            self._count(first, BLOCK - offset % BLOCK)
            first += 1
        self._name(first * BLOCK, last * BLOCK)
        if end % BLOCK:
            self._count(last, end % BLOCK)

    def take(self) -> list[Span]:
        """The whole blocks since this was last asked, neighbours as one."""
        whole, self._whole, self.waiting = self._whole, [], 0
        return joined(whole)

    def _count(self, block: int, many: int) -> None:
        if block >= len(self._done):
            self._done.extend([0] * (block + 1 - len(self._done)))
        self._done[block] += many
        if self._done[block] == BLOCK:
            self._name(block * BLOCK, (block + 1) * BLOCK)

    def _name(self, start: int, end: int) -> None:
        if start < end:
            self._whole.append((start, end - start))
            self.waiting += end - start


def joined(spans: Iterable[Span]) -> list[Span]:
    """Spans with neighbours made one."""
    whole: list[Span] = []
    for offset, length in sorted(spans):
        if whole and whole[-1][0] + whole[-1][1] == offset:
            whole[-1] = (whole[-1][0], whole[-1][1] + length)
        else:
            whole.append((offset, length))
    return whole
