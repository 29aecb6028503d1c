"""How the end of an attempt, or of a try to log in, bears on health: from reply class, stage and verdict to an event.

Law: only what was said in the name of a whole mailbox, or of a host, bears on it; a recipient's or a message's refusal
counts where it comes so often that it cannot be theirs.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from relay.core.envelope import LoginFailure, Result, Verdict
from relay.core.guard import BOUNCE_GUARD
from relay.core.health import PACED, Health, HealthEvent, HealthState
from relay.core.healthsettings import HealthSettings
from relay.core.meaning import ReplyClass
from relay.core.outages import AUTH_OUTAGE
from relay.core.words import Stage

POLICY_DOMAINS: int = 3
"""So many recipients' domains that refuse by policy within the hour mean the sender, not one message."""


@dataclass(frozen=True, slots=True)
class Tally:
    """What this mailbox met within the last hour, what has just happened among it."""

    spam: int = 1
    """Messages that were taken for spam."""
    domains: int = 1
    """Recipients' domains that refused by policy."""


ALONE = Tally()

_EVENTS: Mapping[str, HealthEvent] = MappingProxyType(
    {
        ReplyClass.AUTH_REJECTED: HealthEvent.LOGIN_REFUSED,
        ReplyClass.AUTH_METHOD: HealthEvent.METHOD_REFUSED,
        ReplyClass.AUTH_TEMPORARY: HealthEvent.LOGIN_BUSY,
        ReplyClass.RATE_LIMITED: HealthEvent.RATE_LIMITED,
        ReplyClass.TOO_MANY_RECIPIENTS: HealthEvent.RATE_LIMITED,
        ReplyClass.QUOTA_EXCEEDED: HealthEvent.QUOTA_EXCEEDED,
        ReplyClass.SPAM_BLOCKED: HealthEvent.SPAM_OFTEN,
        ReplyClass.ACCOUNT_BLOCKED: HealthEvent.BLOCKED,
        ReplyClass.SENDER_REFUSED: HealthEvent.SENDER_REFUSED,
        ReplyClass.SENDER_MAILBOX_FULL: HealthEvent.SENDER_FULL,
        ReplyClass.POLICY_REFUSED: HealthEvent.POLICY_REFUSED,
        ReplyClass.IP_BLOCKED: HealthEvent.IP_BLOCKED,
        ReplyClass.UNKNOWN: HealthEvent.UNKNOWN,
    }
)
"""What a class means where it was said of the mailbox."""

_LOST = frozenset({ReplyClass.NETWORK, ReplyClass.OUTAGE})
_AT_ANY_CODE = PACED | {HealthEvent.LOGIN_REFUSED, HealthEvent.METHOD_REFUSED, HealthEvent.LOGIN_BUSY}
"""Means the same with a temporary code as with a final one."""

_LEAVE_IN_PLACE = frozenset({*_AT_ANY_CODE, HealthEvent.BUSY, HealthEvent.UNKNOWN})

_UNSENT = frozenset({ReplyClass.TLS_REQUIRED, "no-credentials", "no-account"})
"""Why the relay itself did not log in: no verified TLS, nothing to log in with."""

_UNCOUNTED = frozenset({HealthEvent.UNREACHABLE, HealthEvent.LOGIN_BUSY, HealthEvent.BUSY, HealthEvent.CROWDED, *PACED})


def event_of_result(result: Result, tally: Tally = ALONE) -> HealthEvent | None:
    """How the end of an attempt bears on its mailbox, or on its provider where that was meant; None: not at all."""
    if result.verdict is Verdict.DELIVERED:
        return HealthEvent.DELIVERED
    is_lost = result.reply_class in _LOST
    if result.verdict is Verdict.DROPPED:
        return HealthEvent.CUT_OFF if is_lost else None
    if result.verdict is Verdict.IN_DOUBT or is_lost:
        return HealthEvent.BROKEN if result.is_provider else HealthEvent.UNREACHABLE
    if result.reply_class == BOUNCE_GUARD:
        return HealthEvent.GUARDED
    if result.verdict is Verdict.BOUNCED:
        return _of_bounce(result, tally)
    event = _EVENTS.get(result.reply_class)
    if result.verdict is Verdict.HELD:
        return event or HealthEvent.REFUSED
    return _of_deferral(result, event) if result.verdict is Verdict.DEFERRED else None


def _of_bounce(result: Result, tally: Tally) -> HealthEvent | None:
    """A message's own refusal, again and again."""
    if result.reply_class == ReplyClass.SPAM_BLOCKED:
        steps = (HealthEvent.SPAM_BLOCKED, HealthEvent.SPAM_AGAIN, HealthEvent.SPAM_OFTEN)
        return steps[min(max(tally.spam, 1), len(steps)) - 1]
    if result.reply_class == ReplyClass.POLICY_REFUSED and tally.domains >= POLICY_DOMAINS:
        return HealthEvent.POLICY_REFUSED
    return None


def _of_deferral(result: Result, event: HealthEvent | None) -> HealthEvent | None:
    if result.is_provider:
        return event or HealthEvent.BUSY
    if event in _AT_ANY_CODE or event is None:
        return event
    is_of_mailbox = result.stage is Stage.MAIL and result.reply is not None
    if event is HealthEvent.UNKNOWN:
        return event if is_of_mailbox else None
    return HealthEvent.BUSY if result.reply_class in _OF_MAILBOX else None


_OF_MAILBOX = frozenset({ReplyClass.ACCOUNT_BLOCKED, ReplyClass.SENDER_REFUSED, ReplyClass.SENDER_MAILBOX_FULL})


def stays_in_place(event: HealthEvent | None) -> bool:
    """Whether the delivery that met this keeps its place and its tries: its mailbox paces them, not the message."""
    return event in _LEAVE_IN_PLACE


def reason_of_result(result: Result) -> str:
    """For what a mailbox stops: where no reply ended it, its line is in question, whatever was heard instead."""
    return ReplyClass.NETWORK if result.verdict is Verdict.IN_DOUBT else result.reply_class


def event_of_failure(failure: LoginFailure) -> HealthEvent:
    """How a session that could not be opened bears on its mailbox, or on its provider where that is what failed."""
    if failure.is_provider:
        return _of_host(failure)
    if failure.reply_class == ReplyClass.AUTH_METHOD:
        return HealthEvent.METHOD_REFUSED
    if failure.reply_class in _UNSENT and not failure.is_login_sent:
        return HealthEvent.REFUSED
    if failure.reply is None or failure.reply_class in _LOST:
        return HealthEvent.UNREACHABLE
    event = _EVENTS.get(failure.reply_class)
    if failure.reply.is_temporary and event not in _AT_ANY_CODE:
        return HealthEvent.LOGIN_BUSY if failure.is_login_sent else HealthEvent.BUSY
    return event or HealthEvent.REFUSED


def _of_host(failure: LoginFailure) -> HealthEvent:
    """Nobody has said yet who he is, or several have who are not to blame.

    A connection without a login shows nothing of what was said to a login.
    """
    if failure.reply_class == AUTH_OUTAGE:
        return HealthEvent.LOGINS_OUT
    if failure.reply_class == ReplyClass.IP_BLOCKED:
        return HealthEvent.REFUSED if failure.is_login_sent else HealthEvent.IP_BLOCKED
    if failure.stage is Stage.AUTH and failure.reply_class in _LOST:
        return HealthEvent.BROKEN
    if failure.reply_class in (ReplyClass.AUTH_METHOD, *_UNSENT):
        return HealthEvent.REFUSED
    if failure.reply is None or failure.reply_class in _LOST:
        return HealthEvent.UNREACHABLE
    if failure.reply.is_temporary:
        return HealthEvent.BUSY
    return HealthEvent.UNKNOWN if failure.reply_class == ReplyClass.UNKNOWN else HealthEvent.REFUSED


def is_refused_login(failure: LoginFailure) -> bool:
    """Whether it counts in `health.refused_logins`: this mailbox's credentials were sent, and answered for good."""
    is_answered = failure.is_login_sent and failure.is_answered and not failure.is_provider
    return is_answered and event_of_failure(failure) not in _UNCOUNTED


def may_have_been_refused(health: Health) -> bool:
    """Whether a login that nobody saw the end of counts as a refused one: its password is not known to be right."""
    return not health.is_proven or health.state in (HealthState.DOUBTED, HealthState.PAUSED)


def pause_after_silence(failure: LoginFailure, health: Health, settings: HealthSettings) -> int | None:
    """How long, at least, a login that nobody answered is not repeated, microseconds; None: as after any lost line.

    It may have been refused: a credential that never worked is not shown again sooner than after a refusal.
    """
    is_unanswered = failure.is_login_sent and not failure.is_answered and not failure.is_provider
    return settings.second_refusal if is_unanswered and not health.is_proven else None
