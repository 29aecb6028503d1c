"""Of one trouble one word is said, then one a day, and one when it is over."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.core.causes import CAUSES
from relay.core.limits import HOUR, MINUTE
from relay.core.meaning import ReplyClass
from relay.core.remedy import REMEDIES
from relay.core.reminding import KINDS, PAID_STEPS, STEADY, Case, Next, Word, grace_of, next_word, paid_step
from relay.core.returned import REMIND_AFTER

DAY = 24 * HOUR
REASONS = sorted({*REMEDIES, *CAUSES, *ReplyClass})


@pytest.mark.parametrize("reason", REASONS)
def test_what_somebody_must_mend_is_told_at_once_and_what_passes_after_an_hour(reason: str) -> None:
    if reason == "paused-by-admin":
        assert grace_of(reason) == DAY, "who paused it knows, and is reminded"
    elif reason in REMEDIES or reason in ("quota-exceeded", "spam-blocked"):
        assert grace_of(reason) == 0
    else:
        assert grace_of(reason) == HOUR


SINCE = 1_795_340_102_000_000


def test_of_one_trouble_one_word_is_said_and_then_one_a_day() -> None:
    case, now, said = Case(SINCE), SINCE, []
    while now < SINCE + 3 * DAY:
        found = next_word(case, now)
        if found.word is not None:
            said.append((now - SINCE, found.word))
            case = replace(case, told_at=now)
        assert found.look_at is not None
        assert found.look_at > now
        now = min(found.look_at, now + 7 * HOUR)
    assert said == [(0, Word.FIRST), (DAY, Word.REMINDER), (2 * DAY, Word.REMINDER)]


def test_what_passes_within_its_grace_is_never_talked_of() -> None:
    case = Case(SINCE)
    assert next_word(case, SINCE, grace=HOUR) == Next(None, SINCE + HOUR)
    assert next_word(replace(case, ended_at=SINCE + MINUTE), SINCE + 2 * HOUR, grace=HOUR) == Next(None, None)
    assert next_word(case, SINCE + HOUR, grace=HOUR).word is Word.FIRST


def test_that_it_works_again_is_said_once_it_has_for_a_while() -> None:
    case = Case(SINCE, told_at=SINCE, ended_at=SINCE + HOUR)
    assert next_word(case, SINCE + HOUR) == Next(None, SINCE + HOUR + STEADY)
    assert next_word(case, SINCE + HOUR + STEADY) == Next(Word.HEALED, None)


@given(st.lists(st.tuples(st.booleans(), st.integers(1, STEADY - 1)), min_size=1, max_size=60))
def test_what_comes_and_goes_is_one_trouble(turns: list[tuple[bool, int]]) -> None:
    """Ill and well again within minutes: nobody gets a mail at each turn."""
    case, now = Case(SINCE), SINCE
    said: list[Word] = []
    for is_ill, pause in turns:
        case = replace(case, ended_at=None if is_ill else (case.ended_at or now))
        found = next_word(case, now)
        if found.word is not None:
            said.append(found.word)
            case = replace(case, told_at=now)
        if found.look_at is None:
            return
        now += pause
    assert said.count(Word.FIRST) <= 1
    assert len(said) <= 1 + (now - SINCE) // REMIND_AFTER


def test_each_word_has_its_type() -> None:
    assert {word: str(kind) for word, kind in KINDS.items()} == {
        Word.FIRST: "mailbox.stopped",
        Word.REMINDER: "mailbox.still_stopped",
        Word.HEALED: "mailbox.works_again",
    }


# the paid term


END = date(2027, 3, 31)


def test_the_vendor_hears_30_7_and_1_days_before_the_paid_term_ends() -> None:
    told: list[int] = []
    days = []
    for left in range(60, -5, -1):
        step = paid_step(END, END - timedelta(days=left), told)
        if step is not None:
            told.append(step)
            days.append(left)
    assert (days, told) == ([30, 7, 1], [30, 7, 1])


@given(st.lists(st.integers(-10, 60), max_size=20))
def test_a_relay_that_slept_says_it_late_and_once(looks: list[int]) -> None:
    told: list[int] = []
    for left in sorted(looks, reverse=True):
        step = paid_step(END, END - timedelta(days=left), told)
        if step is not None:
            assert left <= step
            told.append(step)
    assert sorted(set(told), reverse=True) == told
    for step, low in zip(PAID_STEPS, (8, 2, 0), strict=True):
        assert (step in told) == any(low <= left <= step for left in looks)
