"""The clocks of a store on Redis: relay time as the script that began the operation said it, and as this node reads it.

Law: relay time never goes back, and never leaps for a step of the server's clock: a node that has heard of it once
reads it by CLOCK_BOOTTIME ever after, always a little late, and tells the server. Queue time is the same; the wall
clock shown to people is the server's.
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
        self._heard: Instant = 0
        self._heard_at: int | None = None
        """When of all that was heard this came the fastest: what came slower says less."""

    def hear(self, now: Instant, civil: int | None = None) -> None:
        """What a script said; `civil` None: it said nothing of the wall clock."""
        self._now, at = max(now, self._now), self._machine.boottime()
        if self._heard_at is None or now >= self._heard + at - self._heard_at:
            self._heard, self._heard_at = now, at
        if civil is not None:
            self._civil = civil
            if abs(civil - now - self._off) > SHAKE:
                self._off = civil - now

    def witnessed(self) -> str:
        """Relay time by this node's own clock, as the scripts want it; empty: this life has not heard of any."""
        return "" if self._heard_at is None else str(self.read())

    def read(self) -> Instant:
        """Relay time of this instant, as far as this node's own clock tells; asks nobody."""
        return self._now if self._heard_at is None else self._heard + self._machine.boottime() - self._heard_at

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
