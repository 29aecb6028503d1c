"""The machine's clocks on virtual time: boot time is the loop's, the wall clock may be stepped.

Law: nothing moves them but the loop, which moves them only where somebody would sleep, and the test.
"""

from relay.core.relaytime import Reading
from tests.simulation.loop import VirtualLoop

SECOND = 1_000_000
START = 1_800_000_000 * SECOND
"""A Friday in January 2027, a quarter past nine in Rome."""


class LoopClock:
    """All clocks of one machine, in microseconds."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop
        self._step = 0

    def boottime(self) -> int:
        return round(self._loop.time() * SECOND)

    def wall(self) -> int:
        return START + self.boottime() + self._step

    def relay(self) -> int:
        """Relay time of a store that began when the loop did."""
        return START + self.boottime()

    def reading(self) -> Reading:
        return Reading("boot", self.boottime(), self.wall(), is_synchronised=self._step == 0)

    def step(self, seconds: float) -> None:
        """The wall clock is set; the kernel does not call it synchronised any more."""
        self._step += round(seconds * SECOND)
