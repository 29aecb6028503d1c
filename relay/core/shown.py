"""The states that people and programs are told: where a delivery is, and how an account's mailbox is.

Law: what is claimed or gated is being sent, for nobody outside has to know of the gate; and an account can be retired,
which no mailbox is.
"""

from enum import StrEnum


class DeliveryState(StrEnum):
    """Where a delivery is."""

    WAITING = "waiting"
    SENDING = "sending"
    HELD = "held"
    DELIVERED = "delivered"
    BOUNCED = "bounced"
    CANCELLED = "cancelled"


class AccountHealth(StrEnum):
    """How an account's mailbox is; of providers ok, waiting or paused."""

    OK = "ok"
    DOUBTED = "doubted"
    SLOWED = "slowed"
    WAITING = "waiting"
    PAUSED = "paused"
    RETIRED = "retired"
