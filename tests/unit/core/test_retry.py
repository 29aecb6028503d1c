"""When a deferred delivery is tried again."""

from dataclasses import replace

from relay.core.envelope import Result, Verdict
from relay.core.limits import HOUR, MINUTE
from relay.core.retry import delay_after, reconsidered
from relay.core.words import Stage

RIDDLE = Result(Verdict.BOUNCED, "unknown", Stage.EOD, None, is_mail_written=True, is_end_known=True)


def test_a_final_answer_that_nobody_understands_is_asked_for_twice_more_over_half_an_hour() -> None:
    again = replace(RIDDLE, verdict=Verdict.DEFERRED, retry_after=15 * MINUTE)
    assert [reconsidered(RIDDLE, tries) for tries in range(4)] == [again, again, RIDDLE, RIDDLE]
    assert reconsidered(replace(RIDDLE, stage=Stage.DATA), 0).verdict is Verdict.DEFERRED


def test_what_is_understood_is_believed_at_once() -> None:
    for known in (
        replace(RIDDLE, reply_class="spam-blocked"),
        replace(RIDDLE, stage=Stage.RCPT),
        replace(RIDDLE, verdict=Verdict.DELIVERED),
        replace(RIDDLE, verdict=Verdict.IN_DOUBT),
    ):
        assert reconsidered(known, 0) == known


def test_the_steps_are_taken_one_after_the_other_and_the_last_repeats() -> None:
    assert [delay_after(tries) for tries in (1, 2, 6, 7, 99)] == [5 * MINUTE, 15 * MINUTE, 4 * HOUR, 4 * HOUR, 4 * HOUR]


def test_a_delay_is_never_shorter_than_the_reply_asked_for() -> None:
    assert delay_after(1, at_least=HOUR) == HOUR
    assert delay_after(6, at_least=MINUTE) == 4 * HOUR


def test_before_the_first_try_counts_as_after_it() -> None:
    assert delay_after(0, (3, 7)) == 3
