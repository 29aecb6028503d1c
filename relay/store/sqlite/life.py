"""The life of the store in one process: cores come and go with failed commits, this stays.

Law: after a failed commit the memory is what the database says, and nothing of the failed transaction is left.
"""

from collections.abc import Callable

from relay.errors import RelayError, StoreBroken
from relay.store.sqlite.bodies import Reclaim
from relay.store.sqlite.core import Core, Ground
from relay.store.sqlite.waiting import Bell

Later = Callable[[Callable[[], None]], None]
"""Runs what blocks and nobody waits for."""


class Life:
    """Holds the core of the moment, and is what the batches drive."""

    def __init__(self, ground: Ground, later: Later) -> None:
        self._ground = ground
        self._later = later
        self.bell = Bell()
        self.core = Core(ground)
        self._begin()

    def _begin(self) -> None:
        """The first load: what a crash left is put right before anything is counted."""
        segments = self._ground.segments
        segments.begin(self.core.context.bodies.newest() + 1)
        self.core.begin_life()
        self.core.finish()
        self.core.commit()
        for number in self.core.context.bodies.orphans():
            segments.remove(number)
            self._ground.outside.crash_point("orphan-removed")
        self.core.load()

    def begin(self) -> None:
        """What runs now runs at one moment: after all that was called, so no end is ever dated too early."""
        self.core.context.clock.tick()

    def has_written(self) -> bool:
        """Whether something waits for a commit."""
        return self.core.has_written

    def finish(self) -> None:
        """The last writes of a transaction."""
        self.core.finish()

    def commit(self) -> None:
        """Makes it durable; blocks."""
        self.core.commit()

    def committed(self) -> None:
        """Tells what happened and gives back space that is not needed any more."""
        self._ground.book.keep()
        self.core.context.journal.tell()
        reclaim = self.core.context.bodies.reclaimable()
        if reclaim is not None:
            self._later(reclaim)
        self.bell.ring(self.core.context.changes)

    def _remove_orphans(self) -> None:
        """Files that only the failed transaction would have pointed to; what comes next goes into a new one."""
        orphans = self.core.context.bodies.orphans()
        if orphans:
            self._later(Reclaim(self._ground.segments, orphans, {}))

    def make_room(self) -> bool:
        """Gives up the reserve, so that what is under way can be settled on a full disk."""
        if not self._ground.outside.give_up_reserve():
            return False
        self._ground.outside.crash_point("reserve-given-up")
        return True

    def failed(self) -> None:
        """Loads again, as at a start. StoreBroken: even that does not work."""
        changes = self.core.context.changes + 1
        self._ground.book.drop()
        try:
            self._ground.segments.discard()
            self._ground.database.rollback()
            self.core = Core(self._ground, changes)
            self.core.load()
            self._remove_orphans()
        except RelayError as error:
            raise StoreBroken(f"the store cannot be loaded again: {error}") from error
        self.bell.ring(changes)
