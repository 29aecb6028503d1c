"""The journal of outcomes: where those wait that the store cannot take, sealed, on this node's own disk.

Law: what was kept is kept through any crash until the store has it; a torn last record was never kept, a damaged one is
told and put aside with all that stood beside it.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from relay.errors import CorruptValue, StoreError, StoreFull
from relay.store.needs import Cipher, CrashPoint, Runner, never_dies
from relay.store.outcomes.file import JournalFile
from relay.store.outcomes.frames import frame, frames
from relay.store.outcomes.record import read_outcome, write_outcome
from relay.store.ports.outcomes import Outcome

MOST_BYTES: int = 64_000_000
"""Of the file. Nothing is taken while the store is away, so that no more attempts come to lie here than there are
sessions (1,000), of 10 kB each; beyond this they wait in memory."""


@dataclass(frozen=True, slots=True)
class Quarantine:
    """What could not be read at the start."""

    records: int
    path: Path
    """A copy of all that there was, sealed as it was."""


class OutcomeJournal:
    """Keeps outcomes; `place` ties them to this node, so that they open nowhere else."""

    def __init__(
        self, path: Path, cipher: Cipher, *, place: bytes, run: Runner, crash_point: CrashPoint = never_dies
    ) -> None:
        self._file = JournalFile(path)
        self._cipher = cipher
        self._place = place
        self._run = run
        self._crash_point = crash_point
        self._kept: list[Outcome] = []
        self._unwritten: list[tuple[Outcome, bytes]] = []
        self._turn = asyncio.Lock()

    async def open(self) -> Quarantine | None:
        """Reads what an earlier life left; what of it was damaged. StoreError: the disk does not answer."""
        return await self._run(self._open)

    def kept(self) -> Sequence[Outcome]:
        """Those that are not settled, the oldest first."""
        return tuple(self._kept)

    async def keep(self, outcome: Outcome) -> None:
        """Durable on return; those that come while the disk is busy are written together. A cancellation loses none."""
        mine = (outcome, frame(self._cipher.seal(write_outcome(outcome), self._place)))
        self._unwritten.append(mine)
        await asyncio.shield(asyncio.ensure_future(self._write(mine)))

    async def _write(self, mine: tuple[Outcome, bytes]) -> None:
        async with self._turn:
            if mine not in self._unwritten:
                return  # whoever had his turn before wrote it too
            batch, self._unwritten = self._unwritten, []
            try:
                await self._run(lambda: self._append(b"".join(line for _, line in batch)))
            except StoreError:
                self._unwritten = [each for each in batch if each is not mine] + self._unwritten
                raise
            self._kept.extend(each for each, _ in batch)

    async def settled(self, outcome: Outcome) -> None:
        """The store has it; when it has all, the file is emptied."""
        async with self._turn:
            self._kept = [each for each in self._kept if each is not outcome]
            if not self._kept and self._file.size:
                await self._run(self._clear)

    async def close(self) -> None:
        """Lets go of the file."""
        async with self._turn:
            await self._run(self._file.close)

    # what blocks

    def _open(self) -> Quarantine | None:
        content, good, damaged = self._file.read(), list[bytes](), 0
        for line, record in frames(content):
            outcome = self._read(record)
            if outcome is None:
                damaged += 1
            else:
                good.append(line)
                self._kept.append(outcome)
        self._file.keep(sum(map(len, good)))
        if not damaged:
            return None
        return Quarantine(damaged, self._file.put_aside(content, good))

    def _read(self, record: bytes | None) -> Outcome | None:
        if record is None:
            return None
        try:
            return read_outcome(self._cipher.open(record, self._place))
        except CorruptValue:
            return None

    def _append(self, lines: bytes) -> None:
        if self._file.size + len(lines) > MOST_BYTES:
            raise StoreFull("the journal of outcomes is full")
        self._file.append(lines)
        self._crash_point("outcome-kept")

    def _clear(self) -> None:
        self._crash_point("outcomes-settled")
        self._file.clear()
        self._crash_point("outcomes-cleared")
