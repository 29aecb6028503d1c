"""The port of outcomes that the store could not take: kept on this node's own disk until it can.

Law: what `keep` returned from is on disk and is never lost; it may be handed to `settle` twice, which changes nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from relay.core.envelope import Claim, Result


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt ended."""

    claim: Claim
    result: Result
    seconds: float
    """What it took."""


class Outcomes(Protocol):
    """Where they are kept."""

    def kept(self) -> Sequence[Outcome]:
        """Those that are not settled, the oldest first; of an earlier life of this node too. Answers at once."""

    async def keep(self, outcome: Outcome) -> None:
        """Durable on return. StoreFull, StoreUnavailable: it is not kept."""

    async def settled(self, outcome: Outcome) -> None:
        """The store has it, durably. StoreUnavailable: it may come back after a crash, which is harmless."""
