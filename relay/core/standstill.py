"""Why a delivery or an account is not moving, since when, until when, and who has to act.

Law: whatever waits or is held has a reason, and with it a time at which it moves or is tried, or the name of who has to
act (promise 5), and no time that is told is after the end of its lifetime; of several things in its way the one that
lasts longest is named. Instants are wall time, microseconds.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction

from relay.core.health import Health, HealthEvent, Moment, Pause
from relay.core.lifecycle import FINAL, SENDING, State
from relay.core.limits import Instant
from relay.core.remedy import Needs, needs_of, needs_of_health
from relay.core.rotation import Line
from relay.core.words import Lane

NOTHING = Fraction(0)

WELL = Health()
"""Of whoever nothing is known of."""

EXPIRED = "expired"
"""Of what waited for nothing that has a name of its own."""


class Barrier(StrEnum):
    """What the schedule lets a ready delivery wait for."""

    LIMIT = "limit"
    """No room is left in a limit of its mailbox or its provider."""
    LOGIN = "login"
    """Its mailbox has no session, and may not log in again yet."""
    QUEUE = "queue"
    """Sessions are busy, or others are before it."""


@dataclass(frozen=True, slots=True)
class Situation:
    """All that bears on one delivery."""

    state: State
    accepted_at: int
    since: int
    """When its state changed last."""
    reason: str | None = None
    """Its own: what deferred it last, or holds it, or how it ended."""
    due: int = 0
    """When it may be tried again; 0: it may be now."""
    stranded: str | None = None
    """Why the mail of its account goes nowhere."""
    mailbox: Health = field(default=WELL)
    mailbox_probe_at: int | None = None
    provider: Health = field(default=WELL)
    provider_probe_at: int | None = None
    barrier: Barrier = Barrier.QUEUE
    leaves_at: int | None = None
    """What the forecast says."""
    expires_at: int | None = None
    """When its lifetime ends; None: nobody asks."""
    is_dated: bool = False
    """Its sender named that day."""
    now: int = 0
    """The moment at which it is asked."""


@dataclass(frozen=True, slots=True)
class Standstill:
    """Why, since when, until when, and who has to act."""

    reason: str | None
    since: int
    eta: int | None = None
    needs: Needs | None = None
    bounces_at: int | None = None
    """Its lifetime ends before it would leave or be tried: it is bounced then, unless somebody acts; of what bounced:
    its sender had named that day, and that is why."""


def standstill(of: Situation) -> Standstill:
    """Why a delivery is not moving; a final one: how it ended."""
    if of.state in FINAL:
        is_over = of.is_dated and of.state is State.BOUNCED and of.since >= (of.expires_at or of.since + 1)
        ends = of.expires_at if is_over else None
        return Standstill(None if of.state is State.DELIVERED else of.reason, of.since, bounces_at=ends)
    if of.state in SENDING:
        return Standstill(None, of.since)
    if of.state is State.HELD:
        return Standstill(of.reason or EXPIRED, of.since, None, needs_of(of.reason) or Needs.ADMIN)
    found = _longest([found for found in (_account(of), _host(of), _own(of)) if found is not None]) or _turn(of)
    return _in_time(of, _named(found))


def is_for_somebody(health: Health) -> bool:
    """Whether it is stopped, and time alone does not heal it."""
    return health.is_stopped and needs_of_health(health) is not None


@dataclass(frozen=True, slots=True)
class BlockTime:
    """After how long providers lift a block of a mailbox, microseconds: a guess, unless its own is known."""

    guessed: int
    is_known: bool


def waits_for_somebody(health: Health, *, now: Moment, block: BlockTime) -> bool:
    """Whether it is stopped until somebody has acted: the probe in between only shows whether he has.

    Not what he has just said to be mended, and not what 4-providers lets end by itself: spam after a day, a block after
    the time that is known of the provider, or was named in its reply.
    """
    if not is_for_somebody(health):
        return False
    probe_at = health.probe_at or now.relay
    if health.fixed_at is not None and probe_at <= health.fixed_at:
        return False
    match health.cause:
        case HealthEvent.SPAM_OFTEN:
            return False
        case HealthEvent.BLOCKED if health.step <= 1 and health.since is not None:
            lasts = probe_at - now.relay + now.wall - health.since
            return not block.is_known and lasts <= block.guessed
    return True


def pause_of(stranded: Pause | None, mailbox: Health, provider: Health) -> Pause | None:
    """Why nothing leaves an account until somebody acts: its own trouble, its mailbox's, or its provider's; of several
    that which began first, for since then nothing has left. None: it is not paused; what time alone heals (a quota, an
    outage) is no pause.
    """
    host = Pause(provider.reason or Barrier.QUEUE.value, provider.since or 0) if is_for_somebody(provider) else None
    found = [pause for pause in (stranded, mailbox.pause, host) if pause is not None]
    return min(found, key=lambda pause: pause.since, default=None)


def barrier_of(line: Line, lane: Lane, position: int, now: Instant) -> Barrier:
    """What lets the `position`-th ready delivery of a lane wait, where its mailbox and its provider are well."""
    has_session = line.sessions > line.opening
    is_kept_out = now < line.provider.crowded_until or line.is_kept_out(now)
    if not has_session and line.wants_session(now) and is_kept_out:
        return Barrier.LOGIN
    has_room = line.ledger.has_room(now, line.terms.express_share if lane is Lane.BULK else NOTHING)
    if not has_room or position > line.ledger.room(now) or not line.provider.totals.has_room(line.mailbox, now):
        return Barrier.LIMIT
    return Barrier.QUEUE


def _account(of: Situation) -> Standstill | None:
    """Its account goes nowhere, or its mailbox is stopped."""
    if of.stranded is not None:
        return Standstill(of.stranded, of.since, None, needs_of(of.stranded) or Needs.ADMIN)
    return _stopped(of, of.mailbox, of.mailbox_probe_at)


def _host(of: Situation) -> Standstill | None:
    """Its provider is stopped: sessions that are open go on, so what the forecast lets leave earlier does; what needs
    somebody is named all the same."""
    found = _stopped(of, of.provider, of.provider_probe_at)
    if found is None or found.needs or found.eta is None or of.leaves_at is None or of.leaves_at >= found.eta:
        return found
    return None


def _stopped(of: Situation, health: Health, probe_at: int | None) -> Standstill | None:
    """It goes on with the first probe that works: in its turn; or, while somebody has to act, not before that probe."""
    if not health.is_stopped:
        return None
    since = max(of.accepted_at, health.since or 0)
    needs = needs_of_health(health, lasted=of.now - (health.since or of.now))
    eta = probe_at if needs is not None or of.leaves_at is None else max(of.leaves_at, probe_at or 0)
    return Standstill(health.reason or Barrier.QUEUE.value, since, eta, needs)


def _own(of: Situation) -> Standstill | None:
    """It was refused for now, and its next try has a time; nobody has to act before that."""
    return Standstill(of.reason or Barrier.QUEUE.value, of.since, of.due) if of.due else None


def _turn(of: Situation) -> Standstill:
    return Standstill(of.barrier.value, of.since, of.leaves_at)


def _longest(found: list[Standstill]) -> Standstill | None:
    """What nobody knows the end of is longer than anything, then what somebody has to act on; the first of equals."""
    return max(found, key=lambda one: (one.eta is None, one.needs is not None, one.eta or 0), default=None)


def _in_time(of: Situation, found: Standstill) -> Standstill:
    """What would leave after the end of its lifetime never does: whoever edits the routing can still change that."""
    if found.eta is None or of.expires_at is None or found.eta < of.expires_at:
        return found
    return Standstill(found.reason, found.since, None, found.needs or Needs.ADMIN, of.expires_at)


def _named(found: Standstill) -> Standstill:
    """Whatever has no end that anybody knows is for those who run the relay."""
    if found.eta is None and found.needs is None:
        return Standstill(found.reason, found.since, None, Needs.OPS)
    return found
