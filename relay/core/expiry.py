"""When a refused password was not changed by its owner: the provider let it expire, after a burst.

Law: said only of a provider that is known for it, of a mailbox that worked, and soon after a burst that the relay
itself sent; else a refused password is a wrong one.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence

from relay.core.limits import DAY, HOUR, MINUTE, Instant, Limit

SOON: int = 24 * HOUR
"""After a burst: the next login after it is often tomorrow's first surgery."""

BURST_COUNT: int = 30
"""Mails within an hour, where no limit says what is much: nobody writes so many by hand."""


def is_expired_by_provider(
    *, expires_passwords: bool, has_worked: bool, sent: Iterable[Instant], limits: Sequence[Limit], now: Instant
) -> bool:
    """Whether a password refused now has expired by the provider's doing; `expires_passwords`: its profile says that it
    demands a new one after bulk mail; `sent`: when the mailbox's mails went.
    """
    if not expires_passwords or not has_worked:
        return False
    lately = sorted(at for at in sent if now - SOON - DAY <= at <= now)
    return any(_is_burst(lately, limit, now) for limit in bursts_of(limits))


def bursts_of(limits: Iterable[Limit]) -> tuple[Limit, ...]:
    """How many mails in how long are a burst: half of what the limits of an hour to a day let go.

    The limits of a mailbox say what its provider is thought to bear; half of that is far above what a doctor writes.
    Shorter ones pace, and are used up by two letters.
    """
    halves = tuple(Limit(-(-limit.count // 2), limit.width) for limit in limits if MINUTE < limit.width <= DAY)
    return halves or (Limit(BURST_COUNT, HOUR),)


def _is_burst(sent: Sequence[Instant], burst: Limit, now: Instant) -> bool:
    """Whether some closed window with so many ends within `SOON` before now; `sent` is sorted."""
    for last in range(bisect_left(sent, now - SOON), len(sent)):
        first = last - burst.count + 1
        if first >= 0 and sent[last] - sent[first] <= burst.width:
            return True
    return False
