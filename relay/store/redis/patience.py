"""How long Redis may take to answer before it counts as away.

Law: each wait has a bound with a reason, and together they leave a client's answer its second.
"""

from dataclasses import dataclass

from relay.core.limits import SECOND


@dataclass(frozen=True, slots=True)
class Patience:
    """In microseconds; a client hears 451 within a second."""

    connect: int = SECOND // 2
    """TCP, TLS and login: on one network they take a few milliseconds."""
    reply: int = 800_000
    """A script takes under a millisecond and an fsync a few; what takes this long is stuck."""
    whole: int = 900_000
    """Of one call with everything that it brings about: finding the primary, connecting, checking."""
    confirm: int = SECOND // 2
    """Of the replicas: an fsync of theirs, and twice the way to them."""
    replica: int = SECOND // 5
    """Of one replica that is asked for its settings: a connect must not wait long for one that hangs."""
    sentinel: int = SECOND // 5
    """Of each sentinel: they are asked one after the other, and one that hangs must leave time for the next."""


IN_A_SECOND = Patience()
"""What production uses."""
