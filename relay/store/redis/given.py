"""What takes gave this node: deliveries as they were handed out, and what becomes of a gift that did not arrive whole.

Law: what is not here, this life of the node was not given, or gave back; what nobody heard of counts nowhere.
"""

import msgpack

from relay.core.envelope import Claim
from relay.core.words import DeliveryId, MailboxId
from relay.store.engine.engine import Engine
from relay.store.engine.entry import Entry
from relay.store.engine.returning import NOT_BEGUN
from relay.store.engine.running import claim_of
from relay.store.ports.sessions import SessionEvent
from relay.store.redis.opened import Opened
from relay.store.redis.parts import Parts
from relay.store.redis.rowkeys import taken_key


class Given:
    """What one life of the memory of a node was given."""

    def __init__(self, parts: Parts, engine: Engine, opened: Opened, *, node: str) -> None:
        self._context = parts.context
        self._claims = parts.claims
        self._engine = engine
        self._opened = opened
        self._taken = taken_key(node)
        self._entries: dict[DeliveryId, Entry] = {}

    # deliveries of which this node holds claims

    def remember(self, entry: Entry) -> None:
        """It was handed out to this node."""
        self._entries[entry.delivery] = entry

    def entry(self, delivery: DeliveryId) -> Entry | None:
        """As it was handed out; None: this life did not."""
        return self._entries.get(delivery)

    def forget(self, delivery: DeliveryId) -> None:
        """The claim is settled."""
        self._entries.pop(delivery, None)

    def claim_of(self, entry: Entry, attempt: int, mailbox: MailboxId, node: str, *, is_probe: bool) -> Claim:
        """What a node is told. CorruptValue: the envelope does not open."""
        return claim_of(entry, self._context.seals, attempt, mailbox, node, is_probe=is_probe)

    # judged: what a take gave and cannot stay so

    def exchange(self, attempt: int, delivery: DeliveryId) -> None:
        """An attempt sends another delivery of its account."""
        self._opened.ledger.change("claims", attempt, delivery=delivery)
        self._claims.forget()

    def hold_corrupt(self, attempt: int, reason: str) -> None:
        """An envelope that does not open: the delivery is held, its slots are given back."""
        running = self._claims.get(attempt)
        if running is not None:
            self._claims.end(running, None, self._context.clock.now())
            self._engine.moves.hold(running.entry, running.state, reason=reason, reply=None)

    def take_back(self, number: int) -> None:
        """What a take gave that nobody heard of: attempts that nobody makes, sessions that nobody opens."""
        packed = self._opened.ledger.asking.hget(self._taken, str(number))
        if packed is None:
            return
        attempts, opened = msgpack.unpackb(packed, raw=True)
        for attempt in attempts:
            running = self._claims.get(attempt)
            if running is not None:
                self._engine.settling.settle(running.claim, NOT_BEGUN)
        for provider, username, many, *_ in opened:
            for _ in range(many):
                self._engine.logins.session(MailboxId(provider.decode(), username.decode()), SessionEvent.DECLINED)
        self._opened.ledger.act("attempts.known", self._taken, number)
