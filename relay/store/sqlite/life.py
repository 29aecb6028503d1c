"""The life of the store in one process: cores come and go with failed commits, this stays.

Law: after a failed commit the memory is what the database says, and nothing of the failed transaction is left.
"""

from collections.abc import Callable

from relay.errors import RelayError, StoreBroken
from relay.store.engine.batches import Room
from relay.store.engine.waiting import Bell
from relay.store.sqlite.bodies import Reclaim
from relay.store.sqlite.core import Core
from relay.store.sqlite.database import Fold
from relay.store.sqlite.parts import Ground
from relay.store.sqlite.strays import find_strays, set_aside

Later = Callable[[Callable[[], None]], None]
"""Runs what blocks and nobody waits for."""

TIGHT: int = 2
"""Times the space below which no mail is accepted: from here on space is given back at once, so that the other is
seldom reached."""


class Life:
    """Holds the core of the moment, and is what the batches drive."""

    def __init__(self, ground: Ground, later: Later) -> None:
        self._ground = ground
        self._later = later
        self.bell = Bell()
        self.is_tight = not self._has_room()
        """Whether space is so short that every finished mail's has to be given back at once."""
        if self.is_tight:
            ground.database.keep_log_short()
        self.has_reserve = ground.outside.keep_reserve()
        """Without it no mail is accepted: what is there already needs all the space that comes free."""
        self._is_keeping_reserve = False
        self.core = Core(ground)
        self._begin()

    def _begin(self) -> None:
        """The first load: what a crash left is put right before anything is counted."""
        segments = self._ground.segments
        segments.begin(self.core.parts.bodies.newest() + 1)
        self.core.begin_life()
        self.core.finish()
        self.core.commit()
        self._spare_strays()
        for number in self.core.parts.bodies.orphans():
            segments.remove(number)
            self._ground.outside.crash_point("orphan-removed")
        self.core.load()

    def _spare_strays(self) -> None:
        """More bodies than a crash leaves without the database knowing: it is damaged, and they are kept."""
        segments = self._ground.segments
        strays = find_strays(self._ground.database, segments)
        if strays.many_bytes > segments.unanswered_bytes and not self.is_tight:
            set_aside(strays, segments)

    def begin(self) -> None:
        """What runs now runs at one moment: after all that was called, so no end is ever dated too early."""
        self.core.parts.clock.tick()

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
        if self._is_short_of_space():
            self.core.give_back()
        if not (self.has_reserve or self._is_keeping_reserve):
            self._is_keeping_reserve = True
            self._later(self.keep_reserve)
        reclaim = self.core.parts.bodies.reclaimable()
        if reclaim is not None:
            self._later(reclaim)
        self.bell.ring(self.core.context.changes)

    def _is_short_of_space(self) -> bool:
        """Whether space has to be given back as it comes free: at once, and with a short log."""
        has_room = self._has_room()
        if has_room and self.is_tight:
            self._ground.database.let_log_grow()
        elif not has_room and not self.is_tight:
            self._ground.database.keep_log_short()
        self.is_tight = not has_room
        return self.is_tight

    def _has_room(self) -> bool:
        return self._ground.outside.free_bytes() >= TIGHT * self._ground.settings.least_free_bytes

    def _remove_orphans(self) -> None:
        """Files that only the failed transaction would have pointed to; what comes next goes into a new one."""
        orphans = self.core.parts.bodies.orphans()
        if orphans:
            self._later(Reclaim(self._ground.segments, orphans, {}))

    def make_room(self, *, is_urgent: bool) -> Room:
        """On a full disk: folds the log, with the help of the reserve; only for what is urgent the reserve is left."""
        database, outside = self._ground.database, self._ground.outside
        self.is_tight = True
        database.keep_log_short()
        fold = database.fold_log()
        if fold is Fold.FREED:
            return Room.PLENTY
        if not (is_urgent or fold is Fold.NO_ROOM) or not outside.give_up_reserve():
            return Room.NONE
        outside.crash_point("reserve-given-up")
        self.has_reserve = False
        if fold is Fold.NO_ROOM and database.fold_log() is Fold.FREED:
            self.keep_reserve()
        return Room.PLENTY if self.has_reserve else Room.SOME

    def keep_reserve(self) -> None:
        """Keeps the reserve again, if there is space; blocks."""
        try:
            self.has_reserve = self._ground.outside.keep_reserve()
        finally:
            self._is_keeping_reserve = False

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
