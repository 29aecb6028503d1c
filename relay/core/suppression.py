"""Whom an account does not write to: who asked it not to, and who is not there as far as the provider knows.

Law: an opt-out is for good, until somebody takes it back; a recipient is suppressed only after two refusals that lie a
day apart, for two weeks, and is free again with the first mail that reaches him.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from relay.core.limits import HOUR

APART: int = 24 * HOUR
"""Two refusals within a day may be one and the same trouble at the recipient's provider."""

SUPPRESSED: int = 14 * 24 * HOUR
"""How long a recipient who is not there is not tried again."""

REMEMBERED: int = 90 * 24 * HOUR
"""How long one refusal waits for a second: as long as finished mail is remembered."""


class SuppressionKind(StrEnum):
    """Why an account does not write to somebody."""

    OPTOUT = "optout"
    """He asked not to be written to."""
    UNKNOWN = "unknown"
    """His provider says that there is nobody of this address."""


@dataclass(frozen=True, slots=True)
class Suppression:
    """What stands against a recipient of an account; instants are queue time, microseconds."""

    kind: SuppressionKind
    first_at: int
    last_at: int
    until: int | None = None
    """None: for good."""
    many: int = 1
    """How often it was said."""

    def is_in_force(self, now: int) -> bool:
        """Whether mail is refused for it."""
        return self.until is None or now < self.until


def opted_out(now: int) -> Suppression:
    """He asks not to be written to."""
    return Suppression(SuppressionKind.OPTOUT, now, now)


def after_unknown(known: Suppression | None, now: int) -> Suppression:
    """What is remembered after another refusal of a recipient as unknown; `known`: what was before."""
    if known is None or now - known.last_at >= REMEMBERED:
        return Suppression(SuppressionKind.UNKNOWN, now, now, until=now)
    is_apart = now - known.first_at >= APART
    return replace(known, last_at=now, until=now + SUPPRESSED if is_apart else known.until, many=known.many + 1)
