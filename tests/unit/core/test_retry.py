"""When a deferred delivery is tried again."""

from dataclasses import replace

from relay.core.envelope import Result, Verdict
from relay.core.limits import HOUR, MINUTE
from relay.core.reply import read_reply
from relay.core.retry import RETRY, delay_after, reconsidered, steps_for
from relay.core.words import Stage

RIDDLE = Result(
    Verdict.DEFERRED, "unknown", Stage.EOD, read_reply(599, "zz"), is_mail_written=True, is_end_known=True,
    retry_after=15 * MINUTE,
)  # fmt: skip


def test_a_final_answer_that_nobody_understands_is_asked_for_twice_more_over_half_an_hour() -> None:
    believed = replace(RIDDLE, verdict=Verdict.BOUNCED, retry_after=None)
    for stage in (Stage.RCPT, Stage.DATA, Stage.EOD):
        riddle, end = replace(RIDDLE, stage=stage), replace(believed, stage=stage)
        assert [reconsidered(riddle, tries) for tries in range(4)] == [riddle, riddle, end, end]


def test_nothing_else_becomes_a_bounce() -> None:
    for known in (
        replace(RIDDLE, reply_class="spam-blocked"),
        replace(RIDDLE, stage=Stage.MAIL),
        replace(RIDDLE, reply=read_reply(451, "later")),
        replace(RIDDLE, reply=None),
        replace(RIDDLE, verdict=Verdict.DELIVERED),
        replace(RIDDLE, verdict=Verdict.IN_DOUBT),
    ):
        assert reconsidered(known, 9) == known


def test_the_steps_are_taken_one_after_the_other_and_the_last_repeats() -> None:
    assert [delay_after(tries) for tries in (1, 2, 6, 7, 99)] == [5 * MINUTE, 15 * MINUTE, 4 * HOUR, 4 * HOUR, 4 * HOUR]


def test_a_delay_is_never_shorter_than_the_reply_asked_for() -> None:
    assert delay_after(1, at_least=HOUR) == HOUR
    assert delay_after(6, at_least=MINUTE) == 4 * HOUR


def test_before_the_first_try_counts_as_after_it() -> None:
    assert delay_after(0, (3, 7)) == 3


def test_whoever_puts_strangers_off_is_tried_again_in_five_to_fifteen_minutes() -> None:
    steps = steps_for("greylisted", RETRY)
    assert [delay_after(tries, steps) for tries in (1, 2, 3, 9)] == [5 * MINUTE, 15 * MINUTE, 15 * MINUTE, 15 * MINUTE]
    assert steps_for("recipient-refused", RETRY) == RETRY
