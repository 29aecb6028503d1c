"""The store's clock: relay time from an anchor that is written down, and the wall clock beside it.

Law: relay time never goes back, not over a restart either: the anchor moves with what is committed.
"""

from relay.core.health import Moment
from relay.core.limits import SECOND, Instant
from relay.core.relaytime import Anchor, Reading, first_anchor, relay_time, resumed
from relay.store.needs import Clock
from relay.store.sqlite.database import Database
from relay.store.sqlite.statements import load_statements

_SQL = load_statements("store")

ANCHOR_EVERY: int = SECOND
"""How old the written anchor may be when something else is written: what a reboot can take back."""

STEP: int = SECOND
"""A wall clock that moves by more than this against relay time was stepped."""


class StoreClock:
    """Relay time and wall time of one store, microseconds."""

    def __init__(self, database: Database, machine: Clock) -> None:
        self._database = database
        self._machine = machine
        reading = machine.reading()
        row = database.read_one(_SQL["get_clock"])
        known = None if row is None else Anchor(*row)
        self._anchor = first_anchor(reading) if known is None else resumed(known, reading)
        self.is_after_reboot = known is not None and known.boot_id != reading.boot_id
        self._written: Instant | None = None
        self._told_offset = self._anchor.civil_offset
        self._now = self._anchor.relay
        self._wall = reading.wall
        self._wall_ahead = reading.wall - self._anchor.relay if known is None else known.wall - known.relay

    def tick(self) -> None:
        """Reads the machine's clocks: until the next tick it is this moment, for all that runs in between."""
        self._now = relay_time(self._anchor, self._machine.boottime())
        self._wall = self._machine.wall()

    def now(self) -> Instant:
        """Relay time."""
        return self._now

    def wall(self) -> int:
        """Wall time."""
        return self._wall

    def moment(self) -> Moment:
        """Both."""
        return Moment(self._now, self._wall)

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

    def is_civil_time_news(self) -> bool:
        """Whether civil time has moved against relay time by more than a step since this was last true."""
        if abs(self._anchor.civil_offset - self._told_offset) <= STEP:
            return False
        self._told_offset = self._anchor.civil_offset
        return True

    def was_stepped_back(self, moment: Moment) -> bool:
        """Whether the wall clock went back since this was last asked; times that wait on it need a look."""
        ahead, before = moment.wall - moment.relay, self._wall_ahead
        self._wall_ahead = ahead
        return ahead < before - STEP
