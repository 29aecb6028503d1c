"""How much of its daily limits a mailbox that is new to the relay may use: a part that grows by the clean day.

Law: it starts at `START` of each limit of a day or more and never grows on a day on which its provider complained.
"""

from fractions import Fraction

from relay.core.limits import DAY, Limit

START = Fraction(3, 10)
"""Of a daily limit, on the first day: providers watch most closely what never sent before."""

STEP = Fraction(1, 10)
"""More after each clean day, so that a week of them makes it whole."""

CLEAN_DAYS: int = int((1 - START) / STEP)
"""After so many it is as any other."""

COMPLAINTS = frozenset(
    {"rate-limited", "quota-exceeded", "too-many-recipients", "spam-blocked", "account-blocked", "policy-refused"}
)
"""Reply classes by which a day is not clean."""


def share_after(clean_days: int) -> Fraction:
    """The part of its daily limits after so many clean days."""
    return min(Fraction(1), START + STEP * clean_days)


def warmed(limits: tuple[Limit, ...], clean_days: int) -> tuple[Limit, ...]:
    """The limits as they bind after so many clean days; shorter ones are as they are, and at least 1 stays."""
    share = share_after(clean_days)
    return tuple(limit.reduced(1 - share) if _is_daily(limit) else limit for limit in limits)


def _is_daily(limit: Limit) -> bool:
    return limit.is_calendar_day or limit.width >= DAY
