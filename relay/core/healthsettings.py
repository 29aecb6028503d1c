"""At which intervals a stopped mailbox or provider is probed, and how far a pace is slowed.

Law: who is refused is tried ever more rarely, for repeated refusals are themselves punished. Durations are
microseconds.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from relay.core.health import HealthEvent
from relay.core.limits import HOUR, MINUTE, SECOND, Limit
from relay.core.rotation import CROWDED
from relay.core.terms import DEFAULT_REFUSED_LOGINS

DAILY: int = 24 * HOUR
"""Between two tries of what is tried once a day: at the same time of each day. A limit's day is an hour longer."""


@dataclass(frozen=True, slots=True)
class HealthSettings:
    """At which intervals a stopped mailbox or provider is probed, microseconds; the last of each repeats."""

    probe: tuple[int, ...] = (5 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR)
    second_refusal: int = 5 * MINUTE
    """After the first refused login of a mailbox that worked, until the one login more."""
    refused_logins: Limit = DEFAULT_REFUSED_LOGINS
    slow: tuple[int, int] = (1, 32)
    """The least and the greatest divisor of a slowed pace."""
    login: tuple[int, ...] = (HOUR, 6 * HOUR, DAILY)
    """After a refused login: few, because repeated refusals are themselves punished."""
    daily: tuple[int, ...] = (DAILY,)
    """Where nothing but a person changes anything."""
    blocked: tuple[int, ...] = (4 * HOUR, DAILY)
    """The time after which providers lift a block by themselves, then daily."""
    block_times: Mapping[str, int] = field(default_factory=dict)
    """By profile: that time, where it is known."""
    spam: tuple[int, ...] = (DAILY,)
    address: tuple[int, ...] = (30 * MINUTE, HOUR)
    """After a block of this machine's address."""
    crowded: tuple[int, ...] = (CROWDED,)
    network: tuple[int, ...] = (10 * SECOND, 30 * SECOND, MINUTE, 2 * MINUTE, 5 * MINUTE, 15 * MINUTE)

    def steps(self, event: HealthEvent) -> tuple[int, ...]:
        """The intervals that fit what happened."""
        match event:
            case HealthEvent.LOGIN_REFUSED | HealthEvent.NEVER_WORKED:
                return self.login
            case HealthEvent.METHOD_REFUSED | HealthEvent.SENDER_REFUSED | HealthEvent.SENDER_FULL:
                return self.daily
            case HealthEvent.POLICY_REFUSED:
                return self.daily
            case HealthEvent.BLOCKED:
                return self.blocked
            case HealthEvent.SPAM_OFTEN:
                return self.spam
            case HealthEvent.IP_BLOCKED:
                return self.address
            case HealthEvent.CROWDED:
                return self.crowded
            case HealthEvent.UNREACHABLE | HealthEvent.CUT_OFF | HealthEvent.BROKEN:
                return self.network
        return self.probe

    def interval(self, event: HealthEvent, step: int) -> int:
        """Until the next probe, after so many stops in a row by the same event."""
        steps = self.steps(event)
        return steps[min(max(step, 1), len(steps)) - 1]
