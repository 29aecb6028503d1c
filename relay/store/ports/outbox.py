"""The outbox's port: what follows from an outcome, written in the outcome's own transaction and done afterwards.

Law: an entry stays until it is done; doing it twice must be harmless.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from relay.core.envelope import Envelope
from relay.core.reply import Reply
from relay.core.words import AccountId, DeliveryId, MessageId


class OutboxKind(StrEnum):
    """What has to be done."""

    BOUNCE = "bounce"
    """Tell the sender that a delivery failed for good (RFC 3464)."""


@dataclass(frozen=True, slots=True)
class OutboxEntry:
    """One thing to do, with what is needed for it."""

    id: int
    kind: OutboxKind
    message: MessageId
    delivery: DeliveryId
    account: AccountId
    envelope: Envelope
    """With the one recipient concerned."""
    reason: str
    """The reply class, or `expired`."""
    reply: Reply | None
    accepted_at: int
    """Wall time in microseconds."""
    at: int
    """Wall time of the outcome in microseconds."""
    is_mailbox_stopped: bool
    """Whether the account's own mailbox is stopped now, so that the report has to go another way."""
    headers: bytes = field(repr=False)
    """The top header of the message, without body; empty if it is gone."""


class Outbox(Protocol):
    """Where the pump gets its work."""

    async def outbox(self, most: int) -> Sequence[OutboxEntry]:
        """The oldest entries not done."""

    async def done(self, entry: int) -> None:
        """The entry was done; what was kept for it may go."""
