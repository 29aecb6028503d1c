"""The port of what was accepted and not heard: messages whose client cannot have read that they are safe.

Law: who sends the same again within the time is answered with the first message, as long as that is on its way or
arrived; who was told and sends it again means a second one, and so does whose first one failed.
"""

from dataclasses import dataclass, field
from typing import Protocol

from relay.core.limits import MINUTE
from relay.core.words import AccountId, MessageId

UNHEARD_FOR: int = 30 * MINUTE
"""How long a client may take to send it again: mail programs wait for minutes, and a doctor asks after that."""


@dataclass(frozen=True, slots=True)
class Sending:
    """What makes two submissions one."""

    client: str
    account: AccountId
    recipients: frozenset[str] = field(repr=False)
    submitted_hash: bytes = field(repr=False)
    is_named: bool = True
    """A Message-ID is among the bytes: without one two prescriptions of the same words are two."""


class Unheard(Protocol):
    """What is remembered of them."""

    def may_be(self, sending: Sending) -> bool:
        """Whether it may be one; answers at once, and never False where it is."""

    async def first_of(self, sending: Sending) -> MessageId | None:
        """The message that was accepted when this was sent before; None: there is none, its history is over, or it
        bounced or was cancelled for one of its recipients at least.
        """

    async def remember(self, message: MessageId, sending: Sending) -> None:
        """Its client was not told; for half an hour from now, over a restart too."""

    async def forget(self, message: MessageId) -> None:
        """Its client was told after all."""

    async def all_told(self) -> None:
        """Whoever was accepted so far was told or is remembered: a crash after this leaves no doubt about them."""
