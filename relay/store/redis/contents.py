"""The content of a message for an attempt under way: read in the one round trip of all that is hot.

Law: a body so large that others would wait for it is read by itself.
"""

from typing import Any

from relay.core.envelope import Claim
from relay.errors import CorruptValue
from relay.store.redis.core import Core
from relay.store.redis.link import Call
from relay.store.redis.parts import Ground
from relay.store.redis.rowkeys import body_key
from relay.store.redis.scripts import load_script
from relay.store.redis.turns import Again

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
    is_fact = False

    def call(self, core: Core) -> Call:
        """What is run. Again: this life of the node's memory was not given it, and asks the store."""
        known = core.given.entry(self._claim.delivery)
        if known is None:
            raise Again(lambda core: content_of(core, self._ground, self._claim))
        self._seq, self._at_hand = known.seq, core.bodies.at_hand(known.seq)
        wanted = str(known.seq) if self._at_hand is None else ""
        return Call(load_script("content"), (), ("", "", "", self._claim.attempt, wanted))

    def answered(self, core: Core, reply: list[Any]) -> bytes:
        """The message in wire form. CorruptValue: the claim is over, or the body does not open."""
        if not reply[1]:
            raise CorruptValue(OVER)
        if self._at_hand is not None:
            return self._at_hand
        return core.bodies.opened(reply[2] or None, self._claim.message)


def content_of(core: Core, ground: Ground, claim: Claim) -> bytes:
    """The message of a claim under way, also of one that an earlier life of this node's memory was given.

    CorruptValue: it is over, or its body does not open.
    """
    running = core.claims.get(claim.attempt)
    if running is None or running.is_lost:
        raise CorruptValue(OVER)
    core.given.remember(running.entry)
    content = core.bodies.at_hand(running.entry.seq)
    return content if content is not None else _body(core, ground, running.entry.seq, claim.message)


def body_or_nothing(core: Core, ground: Ground, seq: int, message: str) -> bytes:
    """For those who can do without."""
    try:
        return _body(core, ground, seq, message)
    except CorruptValue:
        return b""


def _body(core: Core, ground: Ground, seq: int, message: str) -> bytes:
    return core.bodies.opened(ground.link.ask("GET", body_key(seq)), message)
