"""The content of a message for an attempt under way: read in the one round trip of all that is hot.

Law: a body so large that others would wait for it is read by itself.
"""

from typing import Any

from relay.core.envelope import Claim
from relay.errors import CorruptValue
from relay.store.redis.core import Core
from relay.store.redis.link import Call
from relay.store.redis.parts import Ground
from relay.store.redis.scripts import load_script

SMALL: int = 65_536
"""Octets of a body that goes together with others: two hundred of them are a tenth of a second on a slow network."""

OVER = "this claim is over, and its message may be gone"


class Reading:
    """A body is read; one that is at hand is not, but the claim is looked at."""

    def __init__(self, ground: Ground, claim: Claim) -> None:
        self._ground = ground
        self._claim = claim
        self._at_hand: bytes | None = None
        self._seq = 0

    undo = None

    def call(self, core: Core) -> Call:
        """What is run. CorruptValue: this life of the node was not given it."""
        known = core.given.entry(self._claim.delivery)
        if known is None:
            raise CorruptValue(OVER)
        self._seq, self._at_hand = known.seq, core.bodies.at_hand(known.seq)
        wanted = str(known.seq) if self._at_hand is None else ""
        return Call(load_script("content"), (), (self._claim.attempt, wanted))

    def answered(self, core: Core, reply: list[Any]) -> bytes:
        """The message in wire form. CorruptValue: the claim is over, or the body does not open."""
        if not reply[1]:
            raise CorruptValue(OVER)
        if self._at_hand is not None:
            return self._at_hand
        return core.bodies.opened(reply[2] or None, self._claim.message)
