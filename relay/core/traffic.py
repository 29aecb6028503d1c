"""What an account usually sends, by the day: whether it has fallen silent, and whether it sends far above its usual.

Law: a day is judged against the same account's other days and nobody else's; who has too few of them is not judged.
Days are numbered (days since 1970, civil time), and only days with mail are given.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median_low

WEEKS: int = 4
"""How many weeks are looked back at: what a practice did before its summer says little."""

SPAN: int = 7 * WEEKS
"""The same in days."""

USUAL_WEEKS: int = 3
"""A day of the week on which an account sent in so many of these weeks is one on which it is expected to."""

MISSED: int = 2
"""Expected days without mail, one after the other, that are silence: one is a holiday or a day off."""

LONG_AGO: int = SPAN + 7 * MISSED
"""Who has sent nothing for so many days is no longer looked at; days of mail are wanted for `SPAN` before that."""

LEAST_DAYS: int = 4
"""Who has sent on fewer days has no usual."""

TIMES_USUAL: int = 5
"""So many times its usual day is far above it, as a password in foreign hands is; a Monday is two or three times."""

TIMES_MOST: int = 2
"""And so many times its greatest day, so that who always sends in bursts surprises nobody."""

LEAST_SURPRISE: int = 50
"""Fewer messages than this are never too many: five instead of one is no surprise."""


@dataclass(frozen=True, slots=True)
class Surprise:
    """A day far above the usual, in messages."""

    today: int
    usual: int


def missed_days(sent: Mapping[int, int], today: int) -> int:
    """How many expected days before `today` passed without mail since the last day with some; 0: none was expected.

    `today` itself, which is not over, is not counted, and ends the silence if it has mail.
    """
    last = max((day for day in sent if day <= today), default=0)
    if today - last > LONG_AGO:
        return 0
    before = [day for day in sent if last - SPAN < day <= last]
    if len(before) < LEAST_DAYS:
        return 0
    expected = {weekday for weekday in range(7) if sum(day % 7 == weekday for day in before) >= USUAL_WEEKS}
    return sum(day % 7 in expected for day in range(last + 1, today))


def is_silent(sent: Mapping[int, int], today: int) -> bool:
    """Whether an account that normally sends has stopped."""
    return missed_days(sent, today) >= MISSED


def surprise_of(sent: Mapping[int, int], today: int) -> Surprise | None:
    """Whether `today` is far above the usual, as far as it has come; None: it is not, or nobody can say."""
    before = [many for day, many in sent.items() if today - SPAN <= day < today]
    many = sent.get(today, 0)
    if len(before) < LEAST_DAYS or many < LEAST_SURPRISE:
        return None
    usual = median_low(before)
    is_far = many >= TIMES_USUAL * usual and many >= TIMES_MOST * max(before)
    return Surprise(many, usual) if is_far else None
