"""When somebody is told of a trouble: once for each cause and mailbox, and then once a day, and of its end.

Law: what passes by itself within the hour is told to nobody, and what comes and goes is one trouble. Durations and
instants are microseconds.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from types import MappingProxyType

from relay.core.circle import TO_OWNERS
from relay.core.limits import HOUR, MINUTE
from relay.core.notice import NoticeType
from relay.core.remedy import needs_of
from relay.core.returned import REMIND_AFTER

STEADY: int = 15 * MINUTE
"""So long a mailbox has to work before its owner hears that it does: one that comes and goes is one trouble."""

PAID_STEPS: tuple[int, ...] = (30, 7, 1)
"""Days before the end of a paid term at which the vendor is told."""

_GRACE: Mapping[str, int] = MappingProxyType({"paused-by-admin": REMIND_AFTER})
"""Who has paused it himself is reminded when it has lasted."""


class Word(StrEnum):
    """What is said of a trouble now."""

    FIRST = "first"
    REMINDER = "reminder"
    HEALED = "healed"


@dataclass(frozen=True, slots=True)
class Case:
    """One cause at one mailbox, from its beginning until its owner heard of its end.

    A cause that comes back before `STEADY` is over goes on as the same case, with `ended_at` None again. When another
    cause takes its place nothing is said, for the mailbox does not work; whoever was told hears of the end of that one.
    """

    since: int
    told_at: int | None = None
    ended_at: int | None = None


@dataclass(frozen=True, slots=True)
class Next:
    """What is to be said now, if anything, and when to look again; `look_at` None: the case is closed."""

    word: Word | None
    look_at: int | None


def grace_of(reason: str) -> int:
    """How long a mailbox has to be stopped by this before anybody is told: what passes by itself gets an hour."""
    is_for_somebody = needs_of(reason) is not None or reason in TO_OWNERS
    return _GRACE.get(reason, 0 if is_for_somebody else HOUR)


def next_word(case: Case, now: int, *, grace: int = 0) -> Next:
    """What to say of a case; after a word its `told_at` is `now`."""
    if case.ended_at is not None:
        if case.told_at is None:
            return Next(None, None)
        steady_at = case.ended_at + STEADY
        return Next(Word.HEALED, None) if now >= steady_at else Next(None, steady_at)
    due = case.since + grace if case.told_at is None else case.told_at + REMIND_AFTER
    if now < due:
        return Next(None, due)
    return Next(Word.FIRST if case.told_at is None else Word.REMINDER, now + REMIND_AFTER)


KINDS: Mapping[Word, NoticeType] = MappingProxyType(
    {Word.FIRST: NoticeType.STOPPED, Word.REMINDER: NoticeType.STILL_STOPPED, Word.HEALED: NoticeType.HEALED}
)


def paid_step(paid_until: date, today: date, told: Iterable[int]) -> int | None:
    """Which of `PAID_STEPS` is due, for steps already `told` of this very date; one word where several were missed."""
    left = (paid_until - today).days
    if left < 0:
        return None
    passed = [step for step in PAID_STEPS if left <= step]
    return min(passed) if passed and min(passed) not in set(told) else None
