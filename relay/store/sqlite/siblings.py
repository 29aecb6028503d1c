"""Deliveries of one message that share their fate: what was taken for spam once is not sent in the same bytes again.

Law: only what still waits is ended, in the transaction of the refusal; what is under way or held has its own end.
"""

from relay.core.lifecycle import Event, State
from relay.store.ports.outbox import OutboxKind
from relay.store.sqlite.context import Context
from relay.store.sqlite.entry import Entry
from relay.store.sqlite.moves import Moves
from relay.store.sqlite.values import STATES


def bounce_siblings(context: Context, moves: Moves, entry: Entry, *, reason: str, reply: str | None) -> None:
    """What waits of the same message bounces with it."""
    for delivery in range(entry.seq, entry.seq + entry.recipients):
        found = None if delivery == entry.delivery else context.entries.one(delivery)
        if found is None or STATES[found[1]] is not State.WAITING or context.claims.holder_of(delivery) is not None:
            continue
        sibling = found[0]
        if not found[2]:
            context.remove_ready(sibling.account, sibling.sender, sibling.lane)
        moves.finish(sibling, State.WAITING, Event.BOUNCE, reason=reason, reply=reply, owes=OutboxKind.BOUNCE)
