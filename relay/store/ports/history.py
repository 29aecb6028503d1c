"""The history's port: what metrics, health checks and later the pages ask about the queue.

Law: it only reads, and never holds up what moves mail.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from relay.core.words import AccountId, Plan


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


@dataclass(frozen=True, slots=True)
class LimitWait:
    """How long the limits alone keep back what could leave a provider otherwise."""

    provider: str
    seconds: float
    """Until the next waiting delivery of a mailbox that is well may leave; 0: one may leave now, or none waits."""


@dataclass(frozen=True, slots=True)
class AccountGauge:
    """An account that somebody may want to look at by name."""

    account: AccountId
    health: str
    used_ratio: float
    """How much of the narrowest of its mailbox's limits is used: 0 to 1."""
    drain_seconds: float | None
    """Until the last of what it has queued now will have left; 0: nothing is queued; None: somebody has to act."""


@dataclass(frozen=True, slots=True)
class AccountGauges:
    """Accounts by name, and how many more there would have been."""

    accounts: tuple[AccountGauge, ...]
    dropped: int


class History(Protocol):
    """What can be asked."""

    async def queue_counts(self) -> Sequence[QueueCount]:
        """Per provider; accounts that are gone count under the provider `none`."""

    async def health_counts(self) -> Sequence[HealthCount]:
        """Per plan and health."""

    async def limit_waits(self) -> Sequence[LimitWait]:
        """Per provider with mail in the queue, by name."""

    async def account_gauges(self, most: int) -> AccountGauges:
        """Accounts that are not ok, or have mail queued, or sent something within 24 hours; at most `most`.

        Those that are not ok come first, then those with mail queued, then the rest, each by sender.
        """
