"""When blocked mailboxes are no matter of theirs: their provider blocks many with the same words.

Law: no fewer than five different mailboxes that were in use, each counted once, are a block of the provider's; who
blocks a few stops these few alone.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from relay.core.limits import HOUR, Instant
from relay.core.outages import Sighting, quorum, seen_within
from relay.core.words import MailboxId

BLOCKED_WITHIN: int = HOUR
BLOCKED_LEAST: int = 5
"""A practice with four doctors may lose all four to one unpaid bill."""

BLOCKED_SHARE = Fraction(5, 100)
"""Of the active mailboxes: among thousands some are blocked every day, each for its own reason."""


@dataclass(frozen=True, slots=True)
class Blocked:
    """A mailbox was refused as blocked; `likeness` is equal where only names, hosts and sessions differ."""

    mailbox: MailboxId
    at: Instant
    likeness: bytes
    is_active: bool = True
    """It was let in within a day: one that never worked is not blocked but not opened yet."""


def blocked_together(
    blocked: Iterable[Blocked], likeness: bytes, *, active: int, now: Instant
) -> tuple[MailboxId, ...]:
    """The mailboxes that this text blocks as a whole, sorted; empty: each is blocked for itself."""
    same = [Sighting(each.mailbox, each.at) for each in blocked if each.likeness == likeness and each.is_active]
    found = seen_within(same, BLOCKED_WITHIN, now)
    return found if len(found) >= quorum(active, least=BLOCKED_LEAST, share=BLOCKED_SHARE) else ()
