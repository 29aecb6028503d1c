"""The health of a mailbox, and of a provider's host, as one table: state x event -> state.

Law: what stops a mailbox stops that mailbox alone; every stop has a reason, and a time at which one probe goes or a
person who has to act; and what passes by itself never hides what somebody has to mend. Instants are relay time in
microseconds, `since` is wall time.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType

from relay.core.limits import HOUR, Instant
from relay.core.terms import Standing

REFUSED_FOR: int = HOUR
"""A credential that was refused so lately is no new one, whatever was set in between."""

MOST_REFUSED: int = 8
"""Fingerprints that are kept of a mailbox: more than anybody types in an hour."""


class HealthState(StrEnum):
    """A mailbox's state."""

    OK = "ok"
    DOUBTED = "doubted"
    """A login that used to work was refused: nothing goes but one login more, which shows what that was."""
    SLOWED = "slowed"
    """It works, at a part of its pace."""
    WAITING = "waiting"
    """Nothing goes but a probe; time heals it."""
    PAUSED = "paused"
    """Nothing goes but a probe; somebody has to act."""


class HealthEvent(StrEnum):
    """What bears on it."""

    DELIVERED = "delivered"
    """A message went through."""
    LOGIN_WORKED = "login-worked"
    LET_IN = "let-in"
    """A login worked, and a login was what had been refused; or, of a provider, anybody's: its host is well."""
    WORKS_SLOWED = "works-slowed"
    """As one of these three, of who is slowed: it goes on, at its slower pace."""
    EASED = "eased"
    """Nothing was too fast for long enough: the pace is the whole one again."""
    LOGIN_REFUSED = "login-refused"
    """The credential was refused, and had worked before."""
    NEVER_WORKED = "never-worked"
    """The credential was refused, and never worked."""
    METHOD_REFUSED = "method-refused"
    """The way of logging in is not taken: another kind of password, OAuth2, or a sign-in in a browser is wanted."""
    LOGIN_BUSY = "login-busy"
    """Not now, the provider says of logins."""
    RATE_LIMITED = "rate-limited"
    QUOTA_EXCEEDED = "quota-exceeded"
    SPAM_BLOCKED = "spam-blocked"
    """A message was taken for spam; the first within an hour."""
    SPAM_AGAIN = "spam-again"
    """The second within an hour."""
    SPAM_OFTEN = "spam-often"
    """The third within an hour, or another one after that."""
    BLOCKED = "blocked"
    """The provider stopped this mailbox or its contract."""
    SENDER_REFUSED = "sender-refused"
    SENDER_FULL = "sender-full"
    """Its own mailbox is full, so nothing more can be sent."""
    POLICY_REFUSED = "policy-refused"
    """Several recipients' domains refuse what this mailbox sends, for the same kind of reason."""
    GUARDED = "guarded"
    """Several recipients of this mailbox were refused in the same words, which are hardly about them."""
    REFUSED = "refused"
    """MAIL or TLS was refused for good, in the name of the whole mailbox; or nobody can log in at this host."""
    UNKNOWN = "unknown"
    """An answer about the whole mailbox, or the host, that no rule understands."""
    IP_BLOCKED = "ip-blocked"
    """Of a provider: it does not take connections from this address."""
    BUSY = "busy"
    """Refused for now, in the name of the whole mailbox."""
    UNREACHABLE = "unreachable"
    """No connection, or it broke: a burst must not run into a host that hangs up."""
    CUT_OFF = "cut-off"
    """Hung up on after the login, before anything was served: a login that works shows nothing against it."""
    CROWDED = "crowded"
    """The provider has too many connections, and not one is left: it is tried again soon, and is no failure."""
    BROKEN = "broken"
    """Of a provider: the lines of several mailboxes broke after the greeting; a login shows nothing against it."""
    LOGINS_OUT = "logins-out"
    """Of a provider: it refuses several mailboxes that worked, so nobody's password is wrong."""
    ACQUITTED = "acquitted"
    """What had stopped it was somebody else's trouble: it never was its own."""
    CHANGED = "changed"
    """Its credential or its route is another one."""
    FIXED = "fixed"
    """Somebody says that he has mended it."""


PASSING = frozenset(
    {
        HealthEvent.LOGIN_BUSY,
        HealthEvent.BUSY,
        HealthEvent.UNREACHABLE,
        HealthEvent.BROKEN,
        HealthEvent.CUT_OFF,
        HealthEvent.CROWDED,
    }
)
"""What goes away in minutes, and is never a reason to forget anything else."""

PACED = frozenset({HealthEvent.RATE_LIMITED, HealthEvent.QUOTA_EXCEEDED})
"""Too much, or too fast: another secret does not change it."""

PAUSING = frozenset(
    {
        HealthEvent.NEVER_WORKED,
        HealthEvent.METHOD_REFUSED,
        HealthEvent.SPAM_OFTEN,
        HealthEvent.BLOCKED,
        HealthEvent.SENDER_REFUSED,
        HealthEvent.SENDER_FULL,
        HealthEvent.POLICY_REFUSED,
        HealthEvent.GUARDED,
        HealthEvent.REFUSED,
        HealthEvent.UNKNOWN,
        HealthEvent.IP_BLOCKED,
    }
)
"""What somebody has to look at."""

STOPPING = PASSING | PACED | PAUSING | {HealthEvent.LOGIN_REFUSED, HealthEvent.LOGINS_OUT}

_HEALING = (
    HealthEvent.DELIVERED, HealthEvent.LET_IN, HealthEvent.ACQUITTED, HealthEvent.CHANGED,
)  # fmt: skip
_STAYING = (HealthEvent.LOGIN_WORKED, HealthEvent.SPAM_BLOCKED, HealthEvent.FIXED)
_WORKING = frozenset({HealthState.OK, HealthState.SLOWED})
_HELD_ON_TO = frozenset({HealthState.DOUBTED, HealthState.PAUSED})


def _row(state: HealthState) -> dict[HealthEvent, HealthState]:
    """What each event makes of one state."""
    is_held_on_to = state in _HELD_ON_TO
    waits = state if is_held_on_to else HealthState.WAITING
    return {
        **dict.fromkeys(_HEALING, HealthState.OK),
        HealthEvent.WORKS_SLOWED: HealthState.SLOWED,
        HealthEvent.EASED: HealthState.OK if state is HealthState.SLOWED else state,
        **dict.fromkeys(_STAYING, state),
        **dict.fromkeys(sorted(PASSING | PACED), waits),
        HealthEvent.LOGINS_OUT: waits,
        HealthEvent.LOGIN_REFUSED: HealthState.PAUSED if is_held_on_to else HealthState.DOUBTED,
        HealthEvent.SPAM_AGAIN: HealthState.SLOWED if state in _WORKING else state,
        **dict.fromkeys(sorted(PAUSING), HealthState.PAUSED),
    }


HEALTH: Mapping[tuple[HealthState, HealthEvent], HealthState] = MappingProxyType(
    {(state, event): target for state in HealthState for event, target in _row(state).items()}
)
"""Which event it is, where several are alike, follows from what the health remembers (relay/core/healing.py)."""


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
    """The reply class that stopped it, or slowed it."""
    since: int | None = None
    cause: HealthEvent | None = None
    probe_at: Instant | None = None
    step: int = 0
    is_proven: bool = False
    """A login with this credential has worked."""
    slow: int = 1
    """Its pace is divided by this."""
    slowed_by: str | None = None
    """The reply class that slowed it."""
    clean_since: Instant | None = None
    """Since when nothing was too fast, while it is slowed."""
    is_fresh: bool = False
    """Its credential is new and was not tried yet: that login is outside every budget."""
    fixed_at: Instant | None = None
    """For when somebody who said "fixed" was promised the last try, while it is stopped."""
    refused: tuple[tuple[str, Instant], ...] = ()
    """Fingerprints of credentials that were refused within `REFUSED_FOR`, and when."""
    logins_back_at: Instant | None = None
    """Of a provider: when its last outage of logins was over."""

    def was_refused(self, fingerprint: str | None, now: Instant) -> bool:
        """Whether this credential was refused lately."""
        return any(each == fingerprint and now - at <= REFUSED_FOR for each, at in self.refused)

    def refusing(self, fingerprint: str, now: Instant) -> "Health":
        """It was refused just now."""
        others = [(each, at) for each, at in self.refused if each != fingerprint and now - at <= REFUSED_FOR]
        return replace(self, refused=(*others, (fingerprint, now))[-MOST_REFUSED:])

    def forgiving(self, fingerprint: str | None) -> "Health":
        """It is right, or was never at fault."""
        kept = tuple(each for each in self.refused if each[0] != fingerprint)
        return self if kept == self.refused else replace(self, refused=kept)

    @property
    def is_stopped(self) -> bool:
        """Whether nothing goes but a probe."""
        return self.state not in _WORKING

    @property
    def is_login_stopped(self) -> bool:
        """Whether only logins have to wait: sessions that are open go on."""
        return self.is_stopped and self.cause is HealthEvent.LOGIN_BUSY

    @property
    def pause(self) -> Pause | None:
        """Why and since when it is paused; None: it is not."""
        if self.state is not HealthState.PAUSED or self.since is None:
            return None
        return Pause(self.reason or "unknown", self.since)

    @property
    def standing(self) -> Standing:
        """What the schedule has to know of it."""
        is_shut = self.is_stopped and not self.is_login_stopped
        return Standing(
            is_shut,
            self.probe_at if is_shut else None,
            self.is_proven,
            self.slow,
            logs_in_at=self.probe_at or 0 if self.is_login_stopped else 0,
            is_fresh=self.is_fresh,
            is_barred=self.is_stopped and self.cause is HealthEvent.IP_BLOCKED,
            is_for_proven=self.is_stopped and self.cause is HealthEvent.LOGINS_OUT,
            is_one_by_one=self.is_stopped and self.cause is HealthEvent.BROKEN,
        )


@dataclass(frozen=True, slots=True)
class Moment:
    """Relay and wall time together, microseconds."""

    relay: Instant
    wall: int
