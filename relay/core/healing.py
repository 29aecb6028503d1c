"""What an event makes of a health: which of like events it is, how long it stops, and what it is slowed to.

Law: a stop is ended by what shows that it is over, and by nothing that was under way before; the table of
core/health.py says which state follows. Instants are relay time in microseconds.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import tzinfo

from relay.core.calendar import day_ends
from relay.core.health import HEALTH, PACED, PASSING, STOPPING, Health, HealthEvent, HealthState, Moment
from relay.core.healthsettings import HealthSettings
from relay.core.limits import HOUR, MINUTE, SLOWED_WINDOW, Instant, Limit

LEAST_PACE: int = 20 * MINUTE
"""Too fast is waited out at least so long, and as long at each step that the pace is eased by."""

SPAM_SLOWS: int = 4
"""A second message within an hour that is taken for spam divides the pace by this."""

_BY_LOGIN = frozenset(
    {HealthEvent.LOGIN_REFUSED, HealthEvent.NEVER_WORKED, HealthEvent.METHOD_REFUSED, HealthEvent.LOGIN_BUSY}
)
"""Only a login that works shows that this is over."""

_ENDED_BY_LOGIN = _BY_LOGIN | {HealthEvent.UNREACHABLE, HealthEvent.CROWDED}
_LASTING_CHANGE = PACED | {HealthEvent.SPAM_OFTEN}
"""Stops that another secret does not end: it is tried, with one probe."""


@dataclass(frozen=True, slots=True)
class Pace:
    """What of a mailbox's limits bears on how long it waits."""

    window: int = 0
    """The longest of its windows of an hour or less, microseconds."""
    day_ends: Instant | None = None
    """When the provider's calendar day ends, where it counts such days."""
    block: int | None = None
    """After which time the provider lifts a block of a mailbox, where that is known."""

    @property
    def wait(self) -> int:
        """How long being too fast is waited out."""
        return max(self.window, LEAST_PACE)


def pace_of(limits: Iterable[Limit], zone: tzinfo, now: Instant, offset: int) -> Pace:
    """What limits say; `offset` is civil minus relay time."""
    known = tuple(limits)
    window = max((limit.width for limit in known if limit.width <= SLOWED_WINDOW), default=0)
    has_days = any(limit.is_calendar_day for limit in known)
    return Pace(window, day_ends(now, zone, offset) if has_days else None)


NO_LIMITS = Pace()


@dataclass(frozen=True, slots=True)
class Change:
    """All that is known of one event."""

    event: HealthEvent
    moment: Moment
    settings: HealthSettings
    reason: str | None = None
    """The reply class."""
    retry_after: int | None = None
    """What the reply asked for, microseconds."""
    pace: Pace = NO_LIMITS


def after(
    health: Health,
    event: HealthEvent,
    *,
    moment: Moment,
    settings: HealthSettings,
    reason: str | None = None,
    retry_after: int | None = None,
    pace: Pace = NO_LIMITS,
) -> Health:
    """The health after an event; `reason` is the reply class, `retry_after` (microseconds) what the reply asked for."""
    change = Change(_which(health, event), moment, settings, reason, retry_after, pace)
    return _remembering(health, _after(health, change), moment.relay)


def _remembering(known: Health, health: Health, now: Instant) -> Health:
    """What outlasts a state."""
    is_back = known.is_stopped and known.cause is HealthEvent.LOGINS_OUT and not health.is_stopped
    back_at = now if is_back else known.logins_back_at
    fixed_at = (health.fixed_at or known.fixed_at) if health.is_stopped else None
    if (health.logins_back_at, health.fixed_at, health.refused) == (back_at, fixed_at, known.refused):
        return health
    return replace(health, logins_back_at=back_at, fixed_at=fixed_at, refused=known.refused)


def _after(health: Health, change: Change) -> Health:
    if change.event in STOPPING:
        return _stopped(health, change)
    match change.event:
        case HealthEvent.DELIVERED:
            return _delivered(health, change)
        case HealthEvent.LOGIN_WORKED:
            return _proven(health)
        case HealthEvent.LET_IN:
            return _working(health, change)
        case HealthEvent.SPAM_AGAIN:
            return _slowed(health, change, SPAM_SLOWS)
        case HealthEvent.ACQUITTED:
            return _working(health, change, is_proven=health.is_proven, is_fresh=health.is_fresh)
        case HealthEvent.CHANGED:
            return _changed(health, change)
        case HealthEvent.FIXED if health.is_stopped:
            return _fixed(health, change)
    return health


def _which(health: Health, event: HealthEvent) -> HealthEvent:
    """Where several are alike, what is remembered decides which it is."""
    if event is HealthEvent.LOGIN_REFUSED and not health.is_proven:
        return HealthEvent.NEVER_WORKED
    if event is HealthEvent.LOGIN_WORKED and health.is_stopped and health.cause in _ENDED_BY_LOGIN:
        return HealthEvent.LET_IN
    is_of_spam = event in (HealthEvent.SPAM_BLOCKED, HealthEvent.SPAM_AGAIN)
    if is_of_spam and health.is_stopped and health.cause is HealthEvent.SPAM_OFTEN:
        return HealthEvent.SPAM_OFTEN
    return event


# what shows that it works


def _delivered(health: Health, change: Change) -> Health:
    """By the probe, or by a session that had been open before, which shows less."""
    now = change.moment.relay
    if health.is_fresh:
        return health
    if not health.is_stopped:
        return _eased(health, change)
    is_early = health.cause not in PASSING and now < (health.probe_at or 0)
    return health if health.cause in _BY_LOGIN or is_early else _working(health, change)


def _proven(health: Health) -> Health:
    """The credential is right, whatever else there is."""
    return health if health.is_proven and not health.is_fresh else replace(health, is_proven=True, is_fresh=False)


def _working(health: Health, change: Change, *, is_proven: bool = True, is_fresh: bool = False) -> Health:
    """Nothing stops it any more; it goes on as slowly as it had to."""
    if health.slow == 1:
        return Health(_state(health, change.event), is_proven=is_proven, is_fresh=is_fresh)
    since = change.moment.relay if health.is_stopped or health.clean_since is None else health.clean_since
    return Health(
        _state(health, HealthEvent.WORKS_SLOWED), health.slowed_by, change.moment.wall, is_proven=is_proven,
        slow=health.slow, slowed_by=health.slowed_by, clean_since=since, is_fresh=is_fresh,
    )  # fmt: skip


def _eased(health: Health, change: Change) -> Health:
    """One step less slow for each clean time as long as what is waited out."""
    if health.slow == 1:
        return health if health.is_proven else replace(health, is_proven=True)
    now, least = change.moment.relay, change.settings.slow[0]
    if health.clean_since is None or health.slow <= least:
        return health if health.clean_since is not None else replace(health, clean_since=now)
    if now - health.clean_since < change.pace.wait:
        return health
    slow = max(least, health.slow // 2)
    if slow > 1:
        return replace(health, slow=slow, clean_since=now)
    return Health(_state(health, HealthEvent.EASED), is_proven=health.is_proven)


# what somebody did


def _changed(health: Health, change: Change) -> Health:
    """Another secret is tried at once; what it cannot change is shown to be over by one probe."""
    if health.is_stopped and health.cause in _LASTING_CHANGE:
        return replace(health, probe_at=change.moment.relay, is_proven=False, is_fresh=True)
    return _working(health, change, is_proven=False, is_fresh=True)


def _fixed(health: Health, change: Change) -> Health:
    """He is believed for one try at once, and again no sooner than after a refused login."""
    now, before = change.moment.relay, health.fixed_at
    promised = now if before is None else max(now, before + change.settings.second_refusal)
    at = before if before is not None and before > now else promised
    return replace(health, probe_at=min(at, at if health.probe_at is None else health.probe_at), fixed_at=at)


# what stops it


def _stopped(health: Health, change: Change) -> Health:
    event, now = change.event, change.moment.relay
    is_early = health.is_stopped and now < (health.probe_at or 0)
    if is_early and health.cause is event:
        return replace(health, probe_at=max(health.probe_at or 0, now + (change.retry_after or 0)))
    if _is_outlasted(health, event):
        return _put_off(health, change)
    state = _state(health, event)
    if state is HealthState.DOUBTED:
        step, pause = 0, max(change.settings.second_refusal, change.retry_after or 0)
    else:
        step = health.step + 1 if health.is_stopped and health.cause is event else 1
        pause = _pause(change, step)
    is_new = not health.is_stopped or health.reason != change.reason
    since = change.moment.wall if is_new or health.since is None else health.since
    slower = _slower(health, change)
    return Health(
        state, change.reason, since, event, now + pause, step, health.is_proven, slower.slow, slower.slowed_by,
    )  # fmt: skip


def _pause(change: Change, step: int) -> int:
    """Until the probe."""
    hint, now = change.retry_after, change.moment.relay
    if change.event is HealthEvent.RATE_LIMITED:
        return hint or change.pace.wait
    if change.event is HealthEvent.QUOTA_EXCEEDED:
        ends = change.pace.day_ends
        until_midnight = HOUR if ends is None or ends <= now else ends - now
        return min(HOUR, until_midnight, hint or HOUR)
    usual = change.settings.interval(change.event, step)
    if change.event is HealthEvent.BLOCKED and step == 1:
        usual = change.pace.block or usual
    return max(usual, hint or 0)


def _is_outlasted(health: Health, event: HealthEvent) -> bool:
    """Whether what stops it already is what lasts, and this only a reason to look again later."""
    if not health.is_stopped or event not in PASSING | PACED:
        return False
    is_lasting = health.state is not HealthState.WAITING
    return is_lasting or (event in PASSING and health.cause not in PASSING)


def _put_off(health: Health, change: Change) -> Health:
    """What passes met the probe: the next one comes as late as the last, but within the hour. What was under way before
    puts nothing off.
    """
    assert health.cause is not None
    if change.event is HealthEvent.CROWDED:
        return health
    if change.moment.relay < (health.probe_at or 0):
        usual = 0
    elif health.state is HealthState.DOUBTED:
        usual = change.settings.second_refusal
    elif health.cause is HealthEvent.RATE_LIMITED:
        usual = change.pace.wait
    else:
        usual = min(HOUR, change.settings.interval(health.cause, health.step))
    later = change.moment.relay + max(usual, change.retry_after or 0)
    slower = _slower(health, change)
    return replace(
        health, probe_at=max(health.probe_at or 0, later), slow=slower.slow, slowed_by=slower.slowed_by, is_fresh=False
    )


# how much slower


def _slower(health: Health, change: Change) -> Health:
    """After too fast, half as fast."""
    return _divided(health, change, 2) if change.event is HealthEvent.RATE_LIMITED else health


def _divided(health: Health, change: Change, by: int) -> Health:
    least, most = change.settings.slow
    slow = max(least, min(most, health.slow * by))
    return replace(health, slow=slow, slowed_by=change.reason) if slow > 1 else health


def _slowed(health: Health, change: Change, by: int) -> Health:
    """Slower, and going on."""
    slower = _divided(health, change, by)
    if slower.slow == 1 or health.is_stopped:
        return slower
    return replace(
        slower, state=_state(health, change.event), reason=change.reason, since=change.moment.wall,
        clean_since=change.moment.relay,
    )  # fmt: skip


def _state(health: Health, event: HealthEvent) -> HealthState:
    return HEALTH[health.state, event]
