"""The healths' port: what mailboxes and providers became, when, and why.

Law: each change of state, reason or pace is written in the transaction that made it; replies are masked.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from relay.core.health import HealthEvent, HealthState
from relay.core.words import MailboxId

MOST_CHANGES: int = 1_000
"""Asked for more, so many are given: a mailbox that flaps for a quarter of a year has thousands."""


@dataclass(frozen=True, slots=True)
class HealthChange:
    """One of them; `at` is wall time, microseconds."""

    at: int
    state: HealthState
    reason: str | None
    """The reply class, or the fault, that stopped or slowed it."""
    cause: HealthEvent
    reply: str | None = None
    """What the provider had said, masked."""
    by: str | None = None
    """Who said so, where a person did."""
    slow: int = 1
    """What its pace was divided by from then on."""


class Healths(Protocol):
    """What can be looked up."""

    async def of_mailbox(self, mailbox: MailboxId, *, most: int = 100) -> Sequence[HealthChange]:
        """What became of a mailbox, the newest first, for a quarter of a year."""

    async def of_provider(self, provider: str, *, most: int = 100) -> Sequence[HealthChange]:
        """What became of a provider's host, the newest first."""
