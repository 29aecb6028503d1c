"""When a deferred delivery is tried again.

Law: a delay never shrinks below what the reply asked for, and a failed connect or login is not a try.
"""

from collections.abc import Sequence

from relay.core.limits import HOUR, MINUTE

RETRY: tuple[int, ...] = (5 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 4 * HOUR)
"""The delays before the second, third, ... try, in microseconds of wall time; the last repeats."""


def delay_after(tries: int, steps: Sequence[int] = RETRY, *, at_least: int | None = None) -> int:
    """Microseconds until the next try after `tries` (1 or more) tries; `at_least` is what the reply asked for."""
    step = steps[min(max(tries, 1), len(steps)) - 1]
    return max(step, at_least or 0)
