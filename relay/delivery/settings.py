"""The bounds of delivery of one node: how much at once, and how long it waits for whom.

Law: durations are microseconds, and each bound says why it is what it is.
"""

from dataclasses import dataclass

from relay.core.limits import MINUTE, SECOND


@dataclass(frozen=True, slots=True)
class DispatcherSettings:
    """The bounds of one node; durations in microseconds."""

    most: int = 100
    """Claims of one take: what one commit can carry while the next arrives."""
    node_sessions: int = 1000
    """Sessions of this node: far below its file descriptors."""
    heartbeat: int = 20 * SECOND
    """A third of the lease, so that two may be missed."""
    drain: int = 30 * SECOND
    """After `stop`, until attempts under way are cut short; see `before_gate`."""
    final: int = 10 * MINUTE
    """The longest that a provider is waited for after the final dot."""
    store_pause: int = SECOND
    """Between two tries of what the store could not do, at most."""
    settle_grace: int = 5 * SECOND
    """For the store to take the results of what was cut short."""

    @property
    def before_gate(self) -> int:
        """The part of the drain in which an attempt may still pass the gate: the rest is for the reply to its dot.

        With less than the longest wait for a reply there is no time in which none would be left in doubt: half.
        """
        return self.drain - self.final if self.drain > self.final else self.drain // 2
