"""The fence: until when what this node has claimed is its own, by its own clock.

Law: a settle can be refused afterwards, a send cannot: nothing is begun and no final dot is written once the lease has
run out here, whatever this node has slept through; here it never runs out later than in the store.
"""

from collections.abc import Callable

from relay.core.limits import SECOND

BEFORE_MAIL: int = 5 * SECOND
"""Microseconds of lease that are left when MAIL is written: with less, the attempt would not come to its end."""

BEFORE_DOT: int = SECOND
"""Microseconds of lease that are left at the gate and at the final dot: for the way from the look to the kernel."""

Holds = Callable[[int], bool]
"""Whether a claim is this node's for at least so many microseconds more."""


def always_holds(_: int) -> bool:
    """Of a claim that nobody else could take."""
    return True


class Fence:
    """The lease as this node knows it; instants are CLOCK_BOOTTIME, which runs through a stop and a suspend."""

    def __init__(self, boottime: Callable[[], int], *, lease: int) -> None:
        """`lease`: how many microseconds a renewal is good for, as the store has it."""
        self._boottime = boottime
        self._lease = lease
        self._since = 0
        self._until = 0

    def now(self) -> int:
        """The instant to be handed to `renewed`: read before the store is asked."""
        return self._boottime()

    @property
    def left(self) -> int:
        """Microseconds until it runs out; 0: it has."""
        return max(0, self._until - self._boottime())

    def renewed(self, asked_at: int) -> bool:
        """The store has answered a take or a heartbeat; True: the lease had run out, and what it held may be lost.

        It counts from before the call, for nobody knows when the store heard it. An answer that comes after the end is
        one of a new lease: the store may have heard it too late for the old one.
        """
        has_run_out = self._boottime() >= self._until
        is_lapse = has_run_out and self._until > 0
        if has_run_out:
            self._since = asked_at
        self._until = max(self._until, asked_at + self._lease)
        return is_lapse

    def holds(self, claimed_at: int, at_least: int = 0) -> bool:
        """Whether what was claimed by a take asked for then is still this node's, for `at_least` microseconds more."""
        return claimed_at >= self._since and self._boottime() + at_least < self._until

    def hold(self, claimed_at: int) -> Holds:
        """The same as a question to be asked later."""
        return lambda at_least: self.holds(claimed_at, at_least)
