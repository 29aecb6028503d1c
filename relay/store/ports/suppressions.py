"""The port of suppressions: whom an account does not write to.

Law: only keyed hashes of addresses are kept; an opt-out holds for the whole account, whatever address of it sends, and
in whatever spelling the recipient's address is written.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from relay.core.suppression import SuppressionKind
from relay.core.words import AccountId


@dataclass(frozen=True, slots=True)
class SuppressionView:
    """What stands against a recipient, as people see it; instants are wall time, microseconds."""

    recipient_hash: str
    """Hexadecimal, of the one spelling of his address."""
    kind: SuppressionKind
    since: int
    until: int | None
    """None: for good."""


class Suppressions(Protocol):
    """What can be asked and said. UnknownAccount: the routing in force has no account of this address.

    People may name an account by any of its addresses; who asks for each recipient names it by its sender.
    """

    def may_stand(self, account: AccountId, recipient: str) -> bool:
        """Whether something may stand against a recipient; answers at once, and never False where something does."""

    async def standing(self, account: AccountId, recipient: str) -> SuppressionView | None:
        """What keeps an account from writing to him now, an opt-out before anything else; None: nothing."""

    async def opt_out(self, account: AccountId, recipient: str) -> bool:
        """The account does not write to him any more; False: it did not before."""

    async def lift(self, account: AccountId, recipient: str) -> Sequence[SuppressionKind]:
        """It may again: what stood, or was remembered, against him and does not any more."""

    async def all_of(
        self, account: AccountId, *, most: int, after: tuple[str, str] = ("", "")
    ) -> Sequence[SuppressionView]:
        """What is in force, by hash and kind: at most so many behind those two."""
