"""What can go wrong at a provider, stage by stage.

Law: a fault is drawn once per thing that is asked, from the luck of the mailbox that asks.
"""

import random
from dataclasses import dataclass
from enum import Enum


class Fault(Enum):
    """One way of not doing as one is told."""

    LATER = "4xx"
    NEVER = "5xx"
    CLOSING = "421 and close"
    DROP = "close or reset"
    GARBAGE = "no reply at all, but octets"
    TWICE = "two replies in one packet"
    HANG = "nothing more, ever"
    SLOW = "a right answer, later than anybody waits, or octet by octet"


KEPT = frozenset({Fault.SLOW, Fault.TWICE})
"""It does what it was told, and only its answer is odd."""

UNCLEAR = frozenset({Fault.DROP, Fault.HANG, Fault.GARBAGE})
"""After the dot nobody but the provider knows whether it took the message."""

COMMON = (Fault.LATER, Fault.NEVER, Fault.CLOSING, Fault.DROP, Fault.GARBAGE, Fault.TWICE, Fault.HANG, Fault.SLOW)
KINDS = {
    "BANNER": (Fault.LATER, Fault.CLOSING, Fault.DROP, Fault.GARBAGE, Fault.TWICE, Fault.HANG, Fault.SLOW),
    "AUTH": (Fault.LATER, Fault.CLOSING, Fault.DROP, Fault.HANG, Fault.SLOW),
    "BODY": (Fault.DROP,),
    "CLOG": (Fault.SLOW,),
    "DOT": COMMON,
}


@dataclass(frozen=True)
class WireFaults:
    """The chance of a fault each time the provider is asked something, and the stages at which it may happen."""

    chance: float = 0.0
    stages: tuple[str, ...] = ()
    kinds: tuple[Fault, ...] = COMMON

    def draw(self, stage: str, dice: random.Random) -> Fault | None:
        """What goes wrong now."""
        if dice.random() >= self.chance or stage not in self.stages:
            return None
        kinds = [kind for kind in KINDS.get(stage, COMMON) if kind in self.kinds]
        return dice.choice(kinds) if kinds else None


_LATER = {
    "BANNER": (b"554 5.3.2 no service here", b"421 4.7.0 too many connections"),
    "EHLO": (b"451 4.3.0 not now",),
    "AUTH": (b"454 4.7.0 temporary authentication failure",),
    "MAIL": (b"450 4.7.1 rate limit exceeded, try again in 60 seconds", b"451 4.3.0 not now"),
    "RCPT": (b"450 4.2.0 greylisted, try again later", b"452 4.2.2 mailbox full"),
    "DATA": (b"451 4.3.0 not now",),
    "DOT": (b"451 4.3.0 not now", b"452 4.3.1 no space"),
}
_NEVER = {
    "EHLO": (b"550 5.7.1 go away",),
    "MAIL": (b"550 5.7.1 sender refused", b"550 5.4.5 daily quota exceeded"),
    "RCPT": (b"550 5.1.1 no such user", b"554 5.7.1 refused"),
    "DATA": (b"554 5.5.1 no valid recipients",),
    "DOT": (b"552 5.3.4 too big", b"550 5.7.1 looks like spam", b"554 5.6.0 refused"),
}


def refusal(stage: str, fault: Fault, dice: random.Random) -> bytes:
    """A refusal that fits."""
    table = _LATER if fault is Fault.LATER else _NEVER
    return dice.choice(table.get(stage, (b"451 4.3.0 not now",)))
