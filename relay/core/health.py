"""The health of a mailbox, and of a provider's host, as one table: state x event -> state.

Law: what stops a mailbox stops that mailbox alone; every stop has a reason, and a time at which one probe goes or a
person who has to act. Instants are relay time in microseconds, `since` is wall time.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType

from relay.core.envelope import LoginFailure, Result, Verdict
from relay.core.limits import DAY, HOUR, MINUTE, SECOND, Instant
from relay.core.rotation import CROWDED
from relay.core.terms import Standing


class HealthState(StrEnum):
    """A mailbox's state."""

    OK = "ok"
    DOUBTED = "doubted"
    SLOWED = "slowed"
    WAITING = "waiting"
    PAUSED = "paused"


class HealthEvent(StrEnum):
    """What bears on it."""

    DELIVERED = "delivered"
    """A message went through."""
    LOGIN_WORKED = "login-worked"
    LET_IN = "let-in"
    """Of a provider: somebody was logged in, so whatever had stopped its host is over."""
    LOGIN_REFUSED = "login-refused"
    """The credential, or the way of logging in, was refused for good."""
    REFUSED = "refused"
    """MAIL or TLS was refused for good, in the name of the whole mailbox."""
    BUSY = "busy"
    """Refused for now, in the name of the whole mailbox: too fast, too much, not now."""
    UNREACHABLE = "unreachable"
    """No connection, or it broke: a burst must not run into a host that hangs up."""
    CUT_OFF = "cut-off"
    """Hung up on after the login, before anything was served: a login that works shows nothing against it."""
    CROWDED = "crowded"
    """The provider has too many connections, and not one is left: it is tried again soon, and is no failure."""
    CHANGED = "changed"
    """Its credential or its route is another one."""


_STOPPING: Mapping[HealthEvent, HealthState] = MappingProxyType(
    {
        HealthEvent.LOGIN_REFUSED: HealthState.PAUSED,
        HealthEvent.REFUSED: HealthState.PAUSED,
        HealthEvent.BUSY: HealthState.WAITING,
        HealthEvent.UNREACHABLE: HealthState.WAITING,
        HealthEvent.CUT_OFF: HealthState.WAITING,
        HealthEvent.CROWDED: HealthState.WAITING,
    }
)
HEALTH: Mapping[tuple[HealthState, HealthEvent], HealthState] = MappingProxyType(
    {(state, event): target for state in HealthState for event, target in _STOPPING.items()}
    | {(state, HealthEvent.DELIVERED): HealthState.OK for state in HealthState}
    | {(state, HealthEvent.LET_IN): HealthState.OK for state in HealthState}
    | {(state, HealthEvent.CHANGED): HealthState.OK for state in HealthState}
    | {(state, HealthEvent.LOGIN_WORKED): state for state in HealthState}
    | {(HealthState.PAUSED, HealthEvent.CROWDED): HealthState.PAUSED}
)
"""After LOGIN_WORKED a state stays, but for one that a login alone had brought about (see `after`); who is paused hears
nothing new from a provider that has no place."""

_ENDED_BY_LOGIN = frozenset({HealthEvent.LOGIN_REFUSED, HealthEvent.UNREACHABLE, HealthEvent.CROWDED})


@dataclass(frozen=True, slots=True)
class HealthSettings:
    """At which intervals a stopped mailbox or provider is probed, microseconds; the last of each repeats."""

    probe: tuple[int, ...] = (5 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR)
    login: tuple[int, ...] = (HOUR, 6 * HOUR, DAY)
    """After a refused login: few, because repeated refusals are themselves punished."""
    crowded: tuple[int, ...] = (CROWDED,)
    network: tuple[int, ...] = (10 * SECOND, 30 * SECOND, MINUTE, 2 * MINUTE, 5 * MINUTE, 15 * MINUTE)

    def steps(self, event: HealthEvent) -> tuple[int, ...]:
        """The intervals that fit what happened."""
        if event is HealthEvent.LOGIN_REFUSED:
            return self.login
        if event is HealthEvent.CROWDED:
            return self.crowded
        return self.network if event in (HealthEvent.UNREACHABLE, HealthEvent.CUT_OFF) else self.probe


@dataclass(frozen=True, slots=True)
class Pause:
    """Why a mailbox stands still until somebody mends it, and since when (wall time in microseconds)."""

    reason: str
    since: int


@dataclass(frozen=True, slots=True)
class Health:
    """A mailbox's or a provider's health; `step` counts the stops in a row by the same `cause`."""

    state: HealthState = HealthState.OK
    reason: str | None = None
    """The reply class that stopped it."""
    since: int | None = None
    cause: HealthEvent | None = None
    probe_at: Instant | None = None
    step: int = 0
    is_proven: bool = False
    """A login with this credential has worked."""
    slow: int = 1

    @property
    def is_stopped(self) -> bool:
        """Whether nothing goes but a probe."""
        return self.state in (HealthState.WAITING, HealthState.PAUSED)

    @property
    def pause(self) -> Pause | None:
        """Why and since when it is paused; None: it is not."""
        if self.state is not HealthState.PAUSED or self.since is None:
            return None
        return Pause(self.reason or "unknown", self.since)

    @property
    def standing(self) -> Standing:
        """What the schedule has to know of it."""
        return Standing(self.is_stopped, self.probe_at if self.is_stopped else None, self.is_proven, self.slow)


@dataclass(frozen=True, slots=True)
class Moment:
    """Relay and wall time together, microseconds."""

    relay: Instant
    wall: int


def after(
    health: Health,
    event: HealthEvent,
    *,
    moment: Moment,
    settings: HealthSettings,
    reason: str | None = None,
    retry_after: int | None = None,
) -> Health:
    """The health after an event; `reason` is the reply class, `retry_after` (microseconds) what the reply asked for."""
    state = HEALTH[health.state, event]
    if event is HealthEvent.CHANGED:
        return Health()
    if event is HealthEvent.CROWDED and health.state is HealthState.PAUSED:
        return health
    if event in _STOPPING:
        return _stopped(health, event, state, moment=moment, settings=settings, reason=reason, retry_after=retry_after)
    if event is HealthEvent.LOGIN_WORKED and health.cause not in _ENDED_BY_LOGIN:
        return health if health.is_proven else replace(health, is_proven=True)
    return Health(is_proven=True, slow=health.slow)


def _stopped(
    health: Health,
    event: HealthEvent,
    state: HealthState,
    *,
    moment: Moment,
    settings: HealthSettings,
    reason: str | None,
    retry_after: int | None,
) -> Health:
    step = health.step + 1 if health.is_stopped and health.cause is event else 1
    steps = settings.steps(event)
    pause = max(steps[min(step, len(steps)) - 1], retry_after or 0)
    is_new = not health.is_stopped or health.reason != reason
    since = moment.wall if is_new or health.since is None else health.since
    proven = health.is_proven and event is not HealthEvent.LOGIN_REFUSED
    return Health(state, reason, since, event, moment.relay + pause, step, proven, health.slow)


_BUSY_CLASSES = frozenset({"rate-limited", "quota-exceeded", "too-many-recipients", "auth-temporary"})
"""Too many connections are not among them: the mailbox works, with one session fewer."""

_LOST_CLASSES = frozenset({"network", "outage"})
_UNSENT_CLASSES = frozenset({"tls-required", "no-credentials", "no-account", "auth-method"})
"""Why the relay itself did not log in: no verified TLS, nothing to log in with, no way of logging in that it speaks."""

_NONSENSE_CLASSES = frozenset({"protocol-error", "unknown"})
"""Answers to AUTH that say nothing about the password: the mailbox stops, and is probed as after any other refusal."""


def event_of_result(result: Result) -> HealthEvent | None:
    """How the end of an attempt bears on its mailbox; None: not at all."""
    if result.verdict is Verdict.DELIVERED:
        return HealthEvent.DELIVERED
    if result.verdict is Verdict.HELD:
        return HealthEvent.REFUSED
    if result.verdict is Verdict.DROPPED and result.reply_class in _LOST_CLASSES:
        return HealthEvent.CUT_OFF
    if result.verdict is Verdict.IN_DOUBT or result.reply_class in _LOST_CLASSES:
        return HealthEvent.UNREACHABLE
    if result.verdict is Verdict.DEFERRED and result.reply_class in _BUSY_CLASSES:
        return HealthEvent.BUSY
    return None


def reason_of_result(result: Result) -> str:
    """For what a mailbox stops: where no reply ended it, its line is in question, whatever was heard instead."""
    return "network" if result.verdict is Verdict.IN_DOUBT else result.reply_class


def event_of_failure(failure: LoginFailure) -> HealthEvent:
    """How a session that could not be opened bears on its mailbox, or on its provider where that is what failed."""
    if failure.reply_class in _UNSENT_CLASSES and not failure.is_login_sent:
        return HealthEvent.REFUSED
    if failure.reply is None or failure.reply_class in _LOST_CLASSES:
        return HealthEvent.UNREACHABLE
    if failure.reply.is_temporary or failure.reply_class in _BUSY_CLASSES:
        return HealthEvent.BUSY
    is_about_login = failure.is_login_sent and failure.reply_class not in _NONSENSE_CLASSES
    return HealthEvent.LOGIN_REFUSED if is_about_login else HealthEvent.REFUSED
