"""The forecast: when a delivery that waits will leave, if nothing new happens.

Law: it is the schedule itself, run ahead on a copy; so it is exact where attempts last as long as it was told, sessions
are at hand and nothing is added, and it says nothing where the answer lies beyond its bound.
"""

from dataclasses import dataclass
from heapq import heappop, heappush

from relay.core.limits import Instant
from relay.core.schedule import Schedule
from relay.core.words import AccountId, Lane, MailboxId

FORECAST_STEPS: int = 50_000
"""How many attempts are run ahead at most: more mail than a doctor sends in a month."""


@dataclass(frozen=True, slots=True)
class Place:
    """The `position`-th delivery (the next is 1) of a lane of an account."""

    mailbox: MailboxId
    account: AccountId
    lane: Lane
    position: int = 1


def forecast(schedule: Schedule, place: Place, *, now: Instant, latency: int) -> Instant | None:
    """When it will be taken, with attempts of `latency` microseconds; None: not foreseeable, or beyond the bound."""
    ahead = schedule.preview()
    running: list[tuple[Instant, MailboxId, Instant]] = []
    for mailbox, many in sorted(ahead.in_flight().items()):
        running += [(now + latency, mailbox, now)] * many
    sessions = ahead.connections(place.mailbox.provider)
    left = place.position
    for _ in range(FORECAST_STEPS):
        idle = {mailbox: many - _busy(running, mailbox) for mailbox, many in sessions.items()}
        for grant in ahead.grant(now, idle, FORECAST_STEPS):
            idle[grant.mailbox] -= 1
            heappush(running, (now + latency, grant.mailbox, now))
            left -= (grant.mailbox, grant.account, grant.lane) == (place.mailbox, place.account, place.lane)
            if left == 0:
                return now
        wake_at = ahead.wake_at(now, idle)
        ends_at = running[0][0] if running else None
        known = [instant for instant in (wake_at, ends_at) if instant is not None]
        if not known:
            return None
        now = max(now, min(known))
        while running and running[0][0] <= now:
            _, mailbox, started = heappop(running)
            ahead.end(mailbox, started, now, now)
    return None


def _busy(running: list[tuple[Instant, MailboxId, Instant]], mailbox: MailboxId) -> int:
    return sum(1 for _, other, _ in running if other == mailbox)
