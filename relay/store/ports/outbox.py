"""The outbox's port: what follows from an outcome, written in the outcome's own transaction and done afterwards.

Law: an entry stays until it is done, and one of a bounce until a report of it was taken; doing it twice must be
harmless.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from relay.core.envelope import Envelope
from relay.core.remedy import Needs
from relay.core.reply import Reply
from relay.core.words import AccountId, DeliveryId, MailboxId, MessageId


class OutboxKind(StrEnum):
    """What has to be done."""

    BOUNCE = "bounce"
    """Tell the sender that a delivery failed for good (RFC 3464)."""
    DELAYED = "delayed"
    """Tell him that it is late, and still being tried."""
    RELAYED = "relayed"
    """Tell him that the provider took it and will confirm nothing (RFC 3461, 5.2.2)."""


@dataclass(frozen=True, slots=True)
class Delay:
    """What is known of a delivery that is late. Instants are wall time in microseconds."""

    since: int
    """Since when its reason holds it up."""
    eta: int | None
    """When it will leave or be tried next; None: not before somebody acts."""
    needs: Needs | None
    until: int
    """It is tried until then."""
    others: int
    """How many other deliveries of the account wait or are held."""


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
    """The reply class, or what else holds it up (see core/standstill); `expired`: nothing that has a name."""
    reply: Reply | None
    accepted_at: int
    """Wall time in microseconds."""
    at: int
    """Wall time of the outcome in microseconds."""
    now: int
    """Wall time of this look, microseconds."""
    is_mailbox_stopped: bool
    """Whether nothing leaves the account's own mailbox now, so that the report has to go another way."""
    headers: bytes = field(repr=False)
    """The top header of the message, without body; empty if it is gone, and where the report cannot use it."""
    since: int | None = None
    """Of a bounce whose lifetime ended: since when `reason` had held it, wall time; None: it was refused."""
    delay: Delay | None = None
    """Of a notice of delay."""
    deadline: int | None = field(default=None, kw_only=True)
    """Of a bounce whose lifetime ended at the day that its sender had named: when that was, wall time."""
    refused_by: MailboxId | None = None
    """Of a bounce whose first report was refused, or did not leave in time: the mailbox through which it should."""
    refused_at: int | None = None
    """When that was, wall time."""


class Outbox(Protocol):
    """Where the pump gets its work."""

    async def outbox(self, most: int, after: int = 0) -> Sequence[OutboxEntry]:
        """The oldest entries not done and not being told of, of those with a higher id than `after`.

        A report that answers one of a bounce leaves it in the store until it is taken. If it is refused or expires,
        the entry is here once more, with `refused_by`; after a second one it is given up.
        """

    def is_stopped(self, account: AccountId) -> bool:
        """Whether nothing leaves this account now: it goes nowhere, its mailbox or its provider is stopped."""

    async def done(self, entry: int) -> None:
        """The entry was done; what was kept for it may go."""

    async def give_up(self, entry: int) -> None:
        """Nobody can be told: whoever runs the relay hears of it, and `lost` counts it as long as held mail is kept."""

    async def lost(self) -> int:
        """Of how many deliveries nobody could be told."""
