"""When a deferred delivery is tried again."""

from relay.core.limits import HOUR, MINUTE
from relay.core.retry import delay_after


def test_the_steps_are_taken_one_after_the_other_and_the_last_repeats() -> None:
    assert [delay_after(tries) for tries in (1, 2, 6, 7, 99)] == [5 * MINUTE, 15 * MINUTE, 4 * HOUR, 4 * HOUR, 4 * HOUR]


def test_a_delay_is_never_shorter_than_the_reply_asked_for() -> None:
    assert delay_after(1, at_least=HOUR) == HOUR
    assert delay_after(6, at_least=MINUTE) == 4 * HOUR


def test_before_the_first_try_counts_as_after_it() -> None:
    assert delay_after(0, (3, 7)) == 3
