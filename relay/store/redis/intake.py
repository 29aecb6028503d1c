"""Messages coming in as judged operations: those of accounts whose mail goes nowhere, reports and notices.

Law: as put.lua: the same id again changes nothing; a message is there with all its deliveries and its body, or not at
all.
"""

from relay.store.engine.context import Context
from relay.store.engine.entry import Entry
from relay.store.engine.sealing import Sealed
from relay.store.engine.stranding import tell_of_account
from relay.store.engine.values import KINDS, LANES
from relay.store.ports.events import EventKind, StoreEvent
from relay.store.redis.bodies import RedisBodies
from relay.store.redis.lanes import RedisLanes
from relay.store.redis.opened import Opened
from relay.store.redis.rowkeys import body_key
from relay.store.segments import Place


class RedisIntake:
    """Writes what comes in."""

    def __init__(self, context: Context, opened: Opened, bodies: RedisBodies) -> None:
        self._context = context
        self._opened = opened
        self._bodies = bodies
        self._lanes = RedisLanes(opened)

    def put(self, new: Sealed) -> int | None:
        """Records a message and its deliveries; the first of these, or None: it was there before."""
        context, ledger, message = self._context, self._opened.ledger, new.message
        if ledger.group("messages", "ids", message.id):
            return None
        account, now = context.names.account(message.account), context.clock.now()
        seq = ledger.numbers("deliveries", len(new.envelopes))
        place = Place(0, seq, len(new.record))
        size, many, kind = len(message.content), len(new.envelopes), KINDS.index(message.kind)
        hashes = (new.message_id_hash, message.submitted_hash, int(message.is_dated))
        ledger.put("messages", (seq, message.id, message.client, account, kind, now, size, many, *place, *hashes))
        lane = self._lanes.choose(message.client, message.account, now, wants_express=message.wants_express)
        for ordinal, sealed in enumerate(new.sealed):
            self._add(new, seq + ordinal, sealed, place=place, account=account, lane=LANES.index(lane))
        ledger.act("bodies.keep", body_key(seq), new.record)
        ledger.act("pending.add", account)
        self._bodies.keep(seq, message.content)
        event = StoreEvent(EventKind.ACCEPTED, now, message.id, None, message.account, None, lane)
        context.journal.record(event, seq)
        if context.routes.mailbox_of(message.account) is None:
            tell_of_account(context, message.account)
        context.changed()
        return seq

    def _add(self, new: Sealed, number: int, sealed: bytes, *, place: Place, account: int, lane: int) -> None:
        context, message, seq = self._context, new.message, place.offset
        ordinal, now = number - seq, context.clock.now()
        expires = now + context.lifetime_of(message)
        domain = new.domains[ordinal]
        row = (number, seq, account, lane, 0, 0, expires, 0, 0, None, None, now, domain, new.hashes[ordinal], sealed)
        self._opened.ledger.put("deliveries", row)
        context.ready.add(
            Entry(
                number, seq, message.id, message.kind, len(new.envelopes), now, len(message.content), place,
                message.is_dated, account, message.account, LANES[lane], expires, 0, 0, sealed, new.envelopes[ordinal],
            )
        )  # fmt: skip
