"""When a deferred delivery is tried again.

Law: a delay never shrinks below what the reply asked for, and a failed connect or login is not a try.
"""

from collections.abc import Sequence
from dataclasses import replace

from relay.core.envelope import Result, Verdict
from relay.core.limits import HOUR, MINUTE
from relay.core.words import Stage

RETRY: tuple[int, ...] = (5 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 4 * HOUR)
"""The delays before the second, third, ... try, in microseconds of wall time; the last repeats."""


SECOND_THOUGHTS: int = 2
"""More tries before a final answer that nobody has a rule for is believed; the alert on such answers is out by then.

Between them lies what `classify` asks for: half an hour in all."""
_ABOUT_THE_DELIVERY = (Stage.RCPT, Stage.DATA, Stage.EOD)


def reconsidered(result: Result, tries: int) -> Result:
    """The result of an attempt after `tries` others: a final answer that nobody understands is believed at last."""
    is_final = result.reply is not None and not result.reply.is_temporary
    is_riddle = result.reply_class == "unknown" and is_final and result.stage in _ABOUT_THE_DELIVERY
    if not is_riddle or result.verdict is not Verdict.DEFERRED or tries < SECOND_THOUGHTS:
        return result
    return replace(result, verdict=Verdict.BOUNCED, retry_after=None)


GREYLISTED: int = 15 * MINUTE
"""Whoever puts strangers off lets them in some minutes later, and forgets them after some hours: it is waited for no
longer than this."""


def steps_for(reply_class: str, steps: Sequence[int] = RETRY) -> Sequence[int]:
    """The delays that fit what was said; `steps` are the usual ones."""
    return tuple(min(step, GREYLISTED) for step in steps) if reply_class == "greylisted" else steps


def delay_after(tries: int, steps: Sequence[int] = RETRY, *, at_least: int | None = None) -> int:
    """Microseconds until the next try after `tries` (1 or more) tries; `at_least` is what the reply asked for."""
    step = steps[min(max(tries, 1), len(steps)) - 1]
    return max(step, at_least or 0)
