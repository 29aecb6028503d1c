"""Message bodies on Redis: sealed, one key each, kept at hand while they are new.

Law: a body is readable until the operation after which nothing needs it is committed.
"""

from collections import OrderedDict

from relay.errors import CorruptValue
from relay.store.engine.values import Seals
from relay.store.redis.opened import Opened
from relay.store.redis.rowkeys import body_key
from relay.store.segments import Place

AT_HAND_BYTES: int = 32_000_000
"""Bodies kept in memory: a mail that leaves at once through the node that took it in is never read back."""

OBJECT_BYTES: int = 200
"""What keeping a body costs beside the body."""


class RedisBodies:
    """The bodies of one store as one node sees them."""

    def __init__(self, opened: Opened, seals: Seals) -> None:
        self._opened = opened
        self._seals = seals
        self._at_hand: OrderedDict[int, bytes] = OrderedDict()
        self._bytes = 0

    def keep(self, seq: int, content: bytes) -> None:
        """A body came in through this node."""
        self._at_hand[seq] = content
        self._bytes += len(content) + OBJECT_BYTES
        while self._bytes > AT_HAND_BYTES:
            self.drop(next(iter(self._at_hand)))

    def at_hand(self, seq: int) -> bytes | None:
        """A body that is still in memory."""
        return self._at_hand.get(seq)

    def drop(self, seq: int) -> None:
        """It is not needed at hand."""
        content = self._at_hand.pop(seq, None)
        if content is not None:
            self._bytes -= len(content) + OBJECT_BYTES

    def let_go(self, seq: int, place: Place) -> None:
        """Nothing needs this body any more, once this operation is committed."""
        self.drop(seq)
        self._opened.ledger.act("bodies.drop", body_key(seq))

    def opened(self, record: bytes | None, message: str) -> bytes:
        """A body as it came in. CorruptValue: it does not open, or is not there."""
        if record is None:
            raise CorruptValue("the body of this message is not in the store")
        return self._seals.open_content(record, message)
