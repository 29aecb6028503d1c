"""The store's clocks: relay time from an anchor that is written down, queue time beside it, and the wall clock.

Law: relay time never goes back, not over a restart either: the anchor moves with what is committed. Queue time, by
which retries come due and lifetimes end, goes on with relay time, whatever the wall clock is set to.
"""

from dataclasses import replace

from relay.core.health import Moment
from relay.core.limits import HOUR, SECOND, Instant
from relay.core.relaytime import Anchor, Reading, first_anchor, relay_time, resumed
from relay.store.engine.statements import load_statements
from relay.store.needs import Clock
from relay.store.sqlite.database import Database

_SQL = load_statements("store")

ANCHOR_EVERY: int = SECOND
"""How old the written anchor may be when something else is written: what a reboot can take back."""

STEP: int = SECOND
"""A wall clock that moves by more than this against relay time was stepped."""

SHAKE: int = SECOND // 10
"""By how much the wall clock may drift from queue time before what is shown follows it: the two clocks are never read
at one instant, and the same moment is to be shown the same twice."""

LONGEST_OFF: int = 24 * HOUR
"""What a reboot takes from lifetimes at most: a wall clock that is a year off after it bounces no queue, and mail that
waited for a machine to come back is tried before it is given up."""

QUEUE_AHEAD = "queue_ahead"
"""The fact under which the difference of queue time and relay time is kept."""

CLOCK_WRONG = "clock_wrong"
"""The fact that the kernel did not call its clock synchronised when the anchor was written."""


class StoreClock:
    """Relay time, queue time and wall time of one store, microseconds."""

    def __init__(self, database: Database, machine: Clock) -> None:
        self._database = database
        self._machine = machine
        reading = machine.reading()
        row = database.read_one(_SQL["get_clock"])
        self._was_right = self._read_right()
        known = None if row is None else replace(Anchor(*row), is_synchronised=self._was_right)
        self._anchor = first_anchor(reading) if known is None else resumed(known, reading)
        self.is_after_reboot = known is not None and known.boot_id != reading.boot_id
        self._written: Instant | None = None
        self._told_offset = self._anchor.civil_offset
        self._now = self._anchor.relay
        self._wall = reading.wall
        self._kept_ahead = self._read_ahead()
        self._ahead = self._ahead_at(reading, known)
        self._off = self._wall - self.wall()

    def _read_right(self) -> bool:
        row = self._database.read_one(_SQL["get_meta"], (CLOCK_WRONG,))
        return row is None or row[0] != "yes"

    def _read_ahead(self) -> int | None:
        row = self._database.read_one(_SQL["get_meta"], (QUEUE_AHEAD,))
        return None if row is None else int(row[0])

    def _ahead_at(self, reading: Reading, known: Anchor | None) -> int:
        """Queue time minus relay time: only a reboot changes it, where relay time may have stood still or leapt."""
        if known is None or self._kept_ahead is None:
            return reading.wall - self._anchor.relay
        if not self.is_after_reboot:
            return self._kept_ahead
        off = min(max(0, reading.wall - known.wall), LONGEST_OFF)
        return known.relay + self._kept_ahead + off - self._anchor.relay

    def tick(self) -> None:
        """Reads the machine's clocks: until the next tick it is this moment, for all that runs in between."""
        self._now = relay_time(self._anchor, self._machine.boottime())
        self._wall = self._machine.wall()
        off = self._wall - self.wall()
        if abs(off - self._off) > SHAKE:
            self._off = off

    def now(self) -> Instant:
        """Relay time."""
        return self._now

    def wall(self) -> int:
        """Queue time: what is written down and compared; the wall time of a clock that nobody ever set."""
        return self._now + self._ahead

    def shown(self, at: int) -> int:
        """The wall time, by the wall clock of now, of a moment in queue time: for people."""
        return at + self._off

    def civil(self) -> int:
        """What the clock on the wall says: for days of the calendar."""
        return self._wall

    def moment(self) -> Moment:
        """Relay time and queue time."""
        return Moment(self._now, self.wall())

    def read(self) -> Instant:
        """Relay time, whatever the last tick."""
        return relay_time(self._anchor, self._machine.boottime())

    def civil_offset(self) -> int:
        """Civil minus relay time: what calendar days are counted by."""
        return self._anchor.civil_offset

    def stamp(self) -> None:
        """Writes the anchor, unless that was done a moment ago."""
        now = self.now()
        if self._written is not None and now < self._written + ANCHOR_EVERY:
            return
        self.anchor(self._machine.reading())
        self._written = now

    def anchor(self, reading: Reading) -> None:
        """Moves the anchor to a reading and writes it."""
        self._anchor = anchor = resumed(self._anchor, reading)
        values = (anchor.boot_id, anchor.boottime, anchor.wall, anchor.relay, anchor.civil_offset)
        self._database.write(_SQL["set_clock"], values)
        if self._was_right != anchor.is_synchronised:
            self._was_right = anchor.is_synchronised
            self._database.write(_SQL["set_meta"], (CLOCK_WRONG, "no" if self._was_right else "yes"))
        if self._kept_ahead != self._ahead:
            self._database.write(_SQL["set_meta"], (QUEUE_AHEAD, str(self._ahead)))
            self._kept_ahead = self._ahead

    def is_civil_time_news(self) -> bool:
        """Whether civil time has moved against relay time by more than a step since this was last true."""
        if abs(self._anchor.civil_offset - self._told_offset) <= STEP:
            return False
        self._told_offset = self._anchor.civil_offset
        return True
