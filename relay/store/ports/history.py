"""The history's port: what metrics, health checks and later the pages ask about the queue.

Law: it only reads, and never holds up what moves mail.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from relay.core.words import Plan


@dataclass(frozen=True, slots=True)
class QueueCount:
    """How many deliveries of a provider are waiting, sending and held, and how old the oldest is (None: none)."""

    provider: str
    waiting: int
    sending: int
    held: int
    oldest_seconds: float | None


@dataclass(frozen=True, slots=True)
class HealthCount:
    """How many accounts of a plan have this health."""

    plan: Plan
    health: str
    accounts: int


class History(Protocol):
    """What can be asked."""

    async def queue_counts(self) -> Sequence[QueueCount]:
        """Per provider; accounts that are gone count under the provider `none`."""

    async def health_counts(self) -> Sequence[HealthCount]:
        """Per plan and health."""
