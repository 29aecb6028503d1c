"""The riddles' port: replies that no rule understands, so that one can be written.

Law: a riddle is kept masked and normalised, once for each wording, with how often it came; bounded per provider.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from relay.core.words import MessageId, Stage

RIDDLES_PER_PROVIDER: int = 500
"""Wordings kept of one provider; of more the one that was met longest ago goes. A host that makes up a new one each
time must not fill the disk."""


@dataclass(frozen=True, slots=True)
class Riddle:
    """One wording; times are wall time, microseconds."""

    provider: str
    stage: Stage
    code: int
    text: str
    """With addresses, hosts and ids masked."""
    many: int
    first_at: int
    last_at: int


@dataclass(frozen=True, slots=True)
class SaidVerbatim:
    """A provider's answer as it gave it; `at` wall time, microseconds."""

    at: int
    domain: str
    """The recipient's."""
    stage: Stage
    reply_class: str
    text: str = field(repr=False)
    """It may name recipients, hosts and sessions: never for a log."""


class Riddles(Protocol):
    """What can be looked up."""

    async def all(self, *, provider: str | None = None, most: int = 1_000) -> Sequence[Riddle]:
        """Those that came last first; of one provider, or of all."""

    async def said(self, message: MessageId) -> Sequence[SaidVerbatim]:
        """What providers said when they refused a message, in their own words and with whom they name, for 30 days; the
        oldest first.

        For the role that may read it alone: a provider's support asks for it. What does not open any more is left out.
        """
