"""The limits by definition: every attempt is looked at again for every question.

Law: this shares no code with the limiter; it is slow, and short enough to be believed.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from fractions import Fraction

from relay.core.limits import Limit
from relay.core.words import MailboxId

MINUTE = 60_000_000
HOUR = 60 * MINUTE
DOUBT = 5 * MINUTE
NOTHING = Fraction(0)


@dataclass
class Run:
    """An attempt, or a login: `ended` None while it runs."""

    mailbox: MailboxId
    started: int
    ended: int | None = None


@dataclass(frozen=True)
class Rule:
    """A limit as it binds now: slowed down, or in a time zone (`offset`: civil minus relay time)."""

    limit: Limit
    slow: int = 1
    zone: tzinfo = UTC
    offset: int = 0

    @property
    def is_day(self) -> bool:
        """Whether it counts calendar days."""
        return self.limit.width == 0

    @property
    def _slow(self) -> int:
        return self.slow if 0 < self.limit.width <= HOUR else 1

    @property
    def width(self) -> int:
        """How long a slot is held after its end."""
        count, slow = self.limit.count, self._slow
        return self.limit.width if slow <= count else -(-self.limit.width * slow // count)

    def allowed(self, share: Fraction = NOTHING) -> int:
        """How many slots there are when `share` stays free."""
        count = max(1, self.limit.count // self._slow)
        return max(1, int(count * (1 - share))) if self.is_day or self.limit.width > MINUTE else count

    def used(self, runs: Iterable[Run], now: int) -> int:
        """How many slots are held."""
        if not self.is_day:
            return sum(run.ended is None or run.ended >= now - self.width for run in runs)
        days = {self.day(now - DOUBT), self.day(now + DOUBT)}
        listed = list(runs)
        return max(sum(run.ended is None or self._touches(run, day) for run in listed) for day in days)

    def is_open(self, now: int) -> bool:
        """Whether anything may start at this time of day."""
        return not self.is_day or self.day(now - DOUBT) == self.day(now)

    def room(self, runs: Iterable[Run], now: int, share: Fraction = NOTHING) -> int:
        """How many attempts more may start."""
        return max(0, self.allowed(share) - self.used(runs, now)) if self.is_open(now) else 0

    def changes(self, runs: Sequence[Run], now: int) -> set[int]:
        """All instants at which room may come back."""
        if not self.is_day:
            return {run.ended + self.width + 1 for run in runs if run.ended is not None}
        days = [self.day(now) + timedelta(days=later) for later in range(8)]
        return {self._midnight(day) + DOUBT for day in days}

    def day(self, at: int) -> date:
        """The day of the provider's calendar."""
        return datetime.fromtimestamp((at + self.offset) / 1_000_000, self.zone).date()

    def _midnight(self, day: date) -> int:
        return round(datetime.combine(day, time(), self.zone).timestamp() * 1_000_000) - self.offset

    def _touches(self, run: Run, day: date) -> bool:
        assert run.ended is not None
        return self.day(run.started - DOUBT) <= day <= self.day(run.ended + DOUBT)


def leaves_room(rule: Rule, runs: Sequence[Run], mailbox: MailboxId, now: int) -> bool:
    """A total's law: room for one more, and held + 1 <= 32 x free."""
    held = [run for run in runs if run.mailbox == mailbox]
    free = rule.limit.count - rule.used(runs, now)
    return rule.room(runs, now) > 0 and rule.used(held, now) + 1 <= 32 * free
