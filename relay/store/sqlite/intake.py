"""Messages coming in: recorded with all their deliveries, ready to be sent.

Law: the same id again changes nothing; a message is there with all its deliveries and its body, or not at all.
"""

from relay.core.words import Lane
from relay.store.engine.entry import Entry
from relay.store.engine.sealing import Sealed
from relay.store.engine.statements import load_statements
from relay.store.engine.stranding import tell_of_account
from relay.store.engine.values import KINDS, LANES
from relay.store.ports.events import EventKind, StoreEvent
from relay.store.segments import Place
from relay.store.sqlite.lanes import EXPRESS_WINDOW, RECENT
from relay.store.sqlite.parts import Parts

_SQL = load_statements("queue")


class Intake:
    """Writes what comes in."""

    def __init__(self, parts: Parts, next_delivery: int) -> None:
        self._parts = parts
        self._context = parts.context
        self._next_delivery = next_delivery
        self._lanes = parts.lanes
        self._remember_recent()

    def _remember_recent(self) -> None:
        """Who handed in how much just before a restart is still who handed in a lot."""
        context, now, wall = self._context, self._context.clock.now(), self._context.clock.wall()
        recent = context.database.read(_SQL["recent_messages"], (RECENT, wall - EXPRESS_WINDOW))
        for client, account, accepted in reversed(recent):
            self._lanes.remember(client, context.names.sender(account), now - (wall - accepted))

    def put(self, new: Sealed) -> int | None:
        """Records a message and its deliveries; the first of these, or None: it was there before."""
        context, message = self._context, new.message
        account, place = context.names.account(message.account), self._parts.bodies.append(new.record)
        seq, wall = self._next_delivery, context.clock.wall()
        if not self._write_message(new, seq, account, place):
            return None
        self._parts.bodies.keep(seq, message.content, place)
        lane = self._lanes.choose(
            message.client, message.account, context.clock.now(), wants_express=message.wants_express
        )
        self._write_deliveries(new, account, lane, place)
        self._parts.pending.came(account, seq, len(new.envelopes))
        event = StoreEvent(EventKind.ACCEPTED, wall, message.id, None, message.account, None, lane)
        context.journal.record(event, seq)
        if context.routes.mailbox_of(message.account) is None:
            tell_of_account(context, message.account)
        self._next_delivery += len(new.envelopes)
        context.changed()
        return seq

    def _write_message(self, new: Sealed, seq: int, account: int, place: Place) -> bool:
        """False: a message of this id is there already."""
        message, wall = new.message, self._context.clock.wall()
        size, many, kind = len(message.content), len(new.envelopes), KINDS.index(message.kind)
        hashes = (new.message_id_hash, message.submitted_hash, message.is_dated)
        values = (seq, message.id, message.client, account, kind, wall, size, many, *place, *hashes)
        return self._context.database.write(_SQL["add_message"], values) == 1

    def _write_deliveries(self, new: Sealed, account: int, lane: Lane, place: Place) -> None:
        context, message, seq = self._context, new.message, self._next_delivery
        size, many, wall = len(message.content), len(new.envelopes), context.clock.wall()
        expires = wall + context.lifetime_of(message)
        is_first = self._parts.ready.count(account, message.account, lane) == 0
        self._parts.ready.add_many(account, message.account, lane, many)
        for ordinal, envelope in enumerate(new.envelopes):
            delivery, cipher = seq + ordinal, new.sealed[ordinal]
            domain = new.domains[ordinal]
            number = LANES.index(lane)
            row = (delivery, seq, account, number, expires, wall, domain, new.hashes[ordinal], cipher)
            context.database.write(_SQL["add_delivery"], row)
            entry = Entry(
                delivery, seq, message.id, message.kind, many, wall, size, place, message.is_dated,
                account, message.account, lane,
                expires, 0, 0, cipher, envelope,
            )  # fmt: skip
            self._parts.heads.add(account, lane, entry, is_only=is_first and ordinal == 0)
