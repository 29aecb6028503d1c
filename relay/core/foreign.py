"""Foreign traffic: a provider finds a mailbox too fast of which the relay itself has used little.

Law: said only of a mailbox that was at ease, and only while less than half of every limit that tells anything is used;
what follows from the relay's own haste, or from its provider's grudge afterwards, is nobody else's.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from relay.core.limits import HOUR

TELLING_COUNT: int = 3
"""Of a limit of one or two a single mail is half: it paces, and tells nothing of what else is sent."""

ONCE_WITHIN: int = 24 * HOUR
"""It is told once a day and mailbox: the doctor's phone sends again tomorrow."""


@dataclass(frozen=True, slots=True)
class Use:
    """How much of a limit the relay's own attempts hold at a moment."""

    count: int
    used: int


def is_foreign(uses: Iterable[Use], *, is_at_ease: bool) -> bool:
    """Whether `rate-limited` speaks of what others send; `is_at_ease`: neither stopped nor slowed before."""
    telling = [use for use in uses if use.count >= TELLING_COUNT]
    return is_at_ease and bool(telling) and all(2 * use.used < use.count for use in telling)
