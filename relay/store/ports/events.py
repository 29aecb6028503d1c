"""What happened in the store, told after it is durable: metrics, logs and notices listen.

Law: an event is told once per commit that made it true; a listener that fails ends nothing here.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import NamedTuple

from relay.core.words import AccountId, Lane, MailboxId, MessageId


class EventKind(StrEnum):
    """What happened."""

    ACCEPTED = "accepted"
    DELIVERED = "delivered"
    DEFERRED = "deferred"
    BOUNCED = "bounced"
    CANCELLED = "cancelled"
    """It was taken out: nothing comes of it any more."""
    HELD = "held"
    """A delivery is held by itself, not by its mailbox."""
    IN_DOUBT = "in-doubt"
    """An attempt passed the gate and its final reply was never recorded."""
    RETURNED = "returned"
    """A delivery went back to its place: nothing happened to it."""
    HEALTH = "health"
    """A mailbox's or a provider's health changed."""
    STRANDED = "stranded"
    """An account's mail goes nowhere now: `reason` no-account or no-credentials; None: it has a mailbox again."""
    OWED = "owed"
    """Something other than a bounce is in the outbox: `reason` says what."""
    CONCERN = "concern"
    """Something that somebody has to know of began or ended: `reason` is its kind."""
    SAID = "said"
    """A person changed something about an account: `reason` says what, and who."""
    ROUTING = "routing"
    """Another routing is in force; of several nodes: one of them changed something that belongs to it."""


class StoreEvent(NamedTuple):
    """One thing that happened; what does not apply is None. `at` and `accepted_at` are wall time, microseconds."""

    kind: EventKind
    at: int
    message: MessageId | None = None
    delivery: int | None = None
    account: AccountId | None = None
    mailbox: MailboxId | None = None
    lane: Lane | None = None
    reason: str | None = None
    """The reply class, or what a health became."""
    accepted_at: int | None = None
    provider: str | None = None
    """Where it is the provider's host that an event is about."""


Listener = Callable[[StoreEvent], None]
