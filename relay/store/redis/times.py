"""The clocks of a store on Redis: its TIME, with steps absorbed, as the script that began the operation read it.

Law: relay time never goes back and never leaps; queue time is the same; the wall clock shown to people is the server's.
"""

from relay.core.health import Moment
from relay.core.limits import SECOND, Instant
from relay.store.needs import Clock

SHAKE: int = SECOND // 10
"""By how much the two clocks may drift before what is shown follows: the same moment is to be shown the same twice."""


class RedisTimes:
    """Relay, queue and wall time of one store as one node sees them, microseconds."""

    def __init__(self, machine: Clock) -> None:
        self._machine = machine
        self._now: Instant = 0
        self._civil = 0
        self._off = 0
        self._heard_at: int | None = None

    def hear(self, now: Instant, civil: int | None = None) -> None:
        """What a script said; `civil` None: it said nothing of the wall clock."""
        self._now, self._heard_at = max(now, self._now), self._machine.boottime()
        if civil is not None:
            self._civil = civil
            if abs(civil - now - self._off) > SHAKE:
                self._off = civil - now

    def gone(self) -> str:
        """How much CLOCK_BOOTTIME went by since a script was last heard, as the scripts want it."""
        return "" if self._heard_at is None else str(self._machine.boottime() - self._heard_at)

    def read(self) -> Instant:
        """Relay time of this instant, as far as this node's own clock tells; asks nobody."""
        return self._now if self._heard_at is None else self._now + self._machine.boottime() - self._heard_at

    def now(self) -> Instant:
        """Relay time of the operation."""
        return self._now

    def wall(self) -> int:
        """Queue time."""
        return self._now

    def shown(self, at: int, /) -> int:
        """The wall time of a moment in queue time."""
        return at + self._off

    def civil(self) -> int:
        """What the clock on the wall says."""
        return self._civil

    def civil_offset(self) -> int:
        """Civil minus relay time."""
        return self._off

    def moment(self) -> Moment:
        """Relay time and queue time."""
        return Moment(self._now, self._now)
