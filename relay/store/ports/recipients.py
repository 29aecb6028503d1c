"""The port of the report on recipients: who gets many mails a day.

Law: it only reads; a recipient is a keyed hash and a domain.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from relay.core.words import AccountId


@dataclass(frozen=True, slots=True)
class BusyRecipient:
    """Who got many mails of an account on a day (of its provider's time zone)."""

    account: AccountId
    recipient_hash: str
    """The beginning of it, hexadecimal: of the address as it was written, as in messages."""
    recipient_domain: str
    day: date
    many: int


class RecipientReport(Protocol):
    """What can be asked."""

    async def busiest(self, *, account: AccountId | None, least: int, most: int) -> Sequence[BusyRecipient]:
        """Who got at least `least` mails, today or yesterday, of an account (any of its addresses) or of all."""
