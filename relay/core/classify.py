"""What an upstream reply, or its absence, means: whom it is about and what follows for the delivery.

Law: only what a provider says about the recipient or the message itself bounces; a refusal of the login, of the
sender or of encryption is the mailbox's or the provider's trouble, and what is not understood is tried again or held.
For now stage, code and enhanced code decide; a text counts only where it names a limit or a waiting time.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from relay.core.limits import DAY, HOUR, MINUTE, SECOND
from relay.core.meaning import MEANINGS, Action, Failure, Judgement, ReplyClass, Scope
from relay.core.reply import Reply
from relay.core.words import Stage

LONGEST_HINT: int = DAY
"""A reply that asks for more is a slip or a lie; a mailbox is probed daily anyway."""


@dataclass(frozen=True, slots=True)
class Context:
    """What has to be known beside the reply; every field has a default, so that more can come."""

    provider: str = "generic"
    """The profile whose rules come first."""
    is_past_gate: bool = False
    """The final dot was written: without a reply nobody knows what became of the message."""


NO_CONTEXT = Context()

_HOST_STAGES = frozenset({Stage.CONNECT, Stage.EHLO, Stage.STARTTLS})
"""Nobody has said yet who he is: what is said here is about the provider, or about our address there."""

_SESSION_STAGES = frozenset({*_HOST_STAGES, Stage.AUTH})
"""While a session begins: later a session that is too many would not be there."""

_MAILBOX_STAGES = frozenset({Stage.AUTH, Stage.MAIL})
"""The provider knows who we are and not yet to whom we write: what is said here is about the mailbox."""

_RECIPIENT_STATUS: Mapping[str, ReplyClass] = MappingProxyType(
    {
        "1.1": ReplyClass.RECIPIENT_UNKNOWN,
        "1.6": ReplyClass.RECIPIENT_UNKNOWN,
        "2.1": ReplyClass.RECIPIENT_UNKNOWN,
        "1.2": ReplyClass.RECIPIENT_DOMAIN_BAD,
        "1.10": ReplyClass.RECIPIENT_DOMAIN_BAD,
        "2.2": ReplyClass.RECIPIENT_MAILBOX_FULL,
    }
)
"""Enhanced codes that name the recipient when said at RCPT (RFC 3463; 1.10 is RFC 7505)."""

_TOO_LARGE_STATUS = frozenset({"3.4", "2.3"})
_MISUNDERSTOOD = frozenset({500, 501, 503, 555})
_BAD_MECHANISM = frozenset({*_MISUNDERSTOOD, 502, 504, 534})

_LIMIT = re.compile(r"\b(?:rate|throttl\w*|limits?|quota|too (?:many|fast|quickly))\b", re.IGNORECASE)
_DAILY = re.compile(r"\b(?:daily|day|quota)\b", re.IGNORECASE)
_NOT_OUR_LIMIT = re.compile(r"\b(?:recipient|receiving|size)\b", re.IGNORECASE)
_CROWDED = re.compile(
    r"\b(?:too many|maximum|max|exceed\w*) (?:\w+ ){0,4}(?:connections?|sessions?)\b"
    r"|\bconcurrent (?:smtp )?(?:connections?|sessions?)\b",
    re.IGNORECASE,
)
"""Said of sessions at once; of what they send it is a limit."""
_KIND = r"(?:concurrent|simultaneous|parallel|open|active|smtp|client|number|of|the|allowed|permitted|total)"
_CROWDED_LATER = re.compile(
    rf"\b(?:too many|maximum|max|exceed\w*) (?:{_KIND} ){{0,5}}(?:connections|sessions)\b"
    rf"|\b(?:concurrent|simultaneous) (?:{_KIND} )?(?:connections?|sessions?)\b",
    re.IGNORECASE,
)
"""Said of sessions at once and of nothing that goes over them: counted this is after the login too, and in any code."""
_BY_ADDRESS = re.compile(r"\b(?:from|per|by) (?:\w+ ){0,3}(?:ip|host|address|client|network)\b|\bIP\b", re.IGNORECASE)
_HINT = re.compile(
    r"\b(\d{1,5}) ?(?:(s|secs?|seconds?|secondi|secondo)|(m|mins?|minutes?|minuti|minuto)|(h|hours?|ore|ora))\b",
    re.IGNORECASE,
)


def classify(stage: Stage, seen: Reply | Failure, context: Context = NO_CONTEXT) -> Judgement:
    """Judges what was seen at a stage of a session; `seen` at `EOD` may be the reply that takes the message."""
    if isinstance(seen, Failure):
        return _of_failure(stage, seen, context)
    if 200 <= seen.code < 300 and stage is Stage.EOD:
        return _bent(ReplyClass.DELIVERED, stage, seen)
    if not 400 <= seen.code < 600:
        return _of_failure(stage, Failure.NONSENSE, context)
    return _bent(_class_of(stage, seen), stage, seen)


def hinted(text: str) -> int | None:
    """The waiting time that a reply asks for, in microseconds: the longest that it names, at most `LONGEST_HINT`."""
    waits = [int(match[1]) * (SECOND if match[2] else MINUTE if match[3] else HOUR) for match in _HINT.finditer(text)]
    return min(max(waits), LONGEST_HINT) if waits else None


def _of_failure(stage: Stage, failure: Failure, context: Context) -> Judgement:
    if failure is Failure.TOO_LARGE:
        return Judgement(ReplyClass.MESSAGE_TOO_LARGE, Scope.MESSAGE, Action.BOUNCE)
    if failure is Failure.NO_LOGIN:
        return Judgement(ReplyClass.AUTH_METHOD, Scope.PROVIDER, Action.BREAK)
    if failure is Failure.NOT_OFFERED and stage is Stage.AUTH:
        return Judgement(ReplyClass.AUTH_METHOD, Scope.MAILBOX, Action.PAUSE)
    if failure is Failure.NOT_OFFERED and stage is Stage.MAIL:
        return Judgement(ReplyClass.RECIPIENT_REFUSED, Scope.RECIPIENT, Action.BOUNCE)
    if failure in (Failure.UNVERIFIED, Failure.NOT_OFFERED):
        return Judgement(ReplyClass.TLS_REQUIRED, Scope.PROVIDER, Action.BREAK)
    meaning = ReplyClass.PROTOCOL_ERROR if failure is Failure.NONSENSE else ReplyClass.NETWORK
    if stage in _HOST_STAGES:
        return Judgement(meaning, Scope.PROVIDER, Action.BREAK)
    return Judgement(meaning, Scope.MAILBOX, Action.RETRY, is_doubtful=context.is_past_gate)


def _class_of(stage: Stage, reply: Reply) -> ReplyClass:
    if _names_sessions(stage, reply):
        return ReplyClass.TOO_MANY_CONNECTIONS
    if stage in _HOST_STAGES:
        return _class_at_host(stage, reply)
    if stage is Stage.AUTH:
        return _class_at_auth(reply)
    if stage is Stage.MAIL:
        return _class_for_mailbox(stage, reply) or _class_at_mail(reply)
    return _class_for_mailbox(stage, reply) or _class_after_mail(stage, reply)


def _names_sessions(stage: Stage, reply: Reply) -> bool:
    """Some providers count sessions only when the message is sent, and some say so with a final code."""
    if _CROWDED_LATER.search(reply.text) is not None:
        return _NOT_OUR_LIMIT.search(reply.text) is None
    return reply.is_temporary and stage in _SESSION_STAGES and _CROWDED.search(reply.text) is not None


def _class_at_host(stage: Stage, reply: Reply) -> ReplyClass:
    if reply.is_temporary:
        return ReplyClass.OUTAGE
    return ReplyClass.TLS_REQUIRED if stage is Stage.STARTTLS else ReplyClass.UNKNOWN


def _class_at_auth(reply: Reply) -> ReplyClass:
    if reply.is_temporary:
        return ReplyClass.AUTH_TEMPORARY
    if reply.code in (530, 538):
        return ReplyClass.TLS_REQUIRED
    if reply.code in _BAD_MECHANISM or _status(reply) in ("7.9", "7.30", "7.139"):
        return ReplyClass.AUTH_METHOD
    return ReplyClass.AUTH_REJECTED


def _class_for_mailbox(stage: Stage, reply: Reply) -> ReplyClass | None:
    """What concerns everything that this mailbox sends, at whichever command the provider says it."""
    if _status(reply) == "5.3":
        return ReplyClass.TOO_MANY_RECIPIENTS
    if _status(reply) == "4.5" and not reply.is_temporary:
        return ReplyClass.QUOTA_EXCEEDED
    if _names_limit(stage, reply):
        is_daily = _DAILY.search(reply.text) is not None
        return ReplyClass.QUOTA_EXCEEDED if is_daily or not reply.is_temporary else ReplyClass.RATE_LIMITED
    return ReplyClass.OUTAGE if reply.code == 421 else None


def _names_limit(stage: Stage, reply: Reply) -> bool:
    """After MAIL a final reply that speaks of a limit may mean the recipient's: there only a temporary one counts."""
    if not reply.is_temporary and stage is not Stage.MAIL:
        return False
    return _LIMIT.search(reply.text) is not None and _NOT_OUR_LIMIT.search(reply.text) is None


def _class_at_mail(reply: Reply) -> ReplyClass:
    status = _status(reply)
    if status in _TOO_LARGE_STATUS:
        return ReplyClass.MESSAGE_TOO_LARGE
    if reply.is_temporary:
        is_busy = reply.code in (450, 452) or status.startswith("7.")
        return ReplyClass.RATE_LIMITED if is_busy else ReplyClass.OUTAGE
    if reply.code in _MISUNDERSTOOD or status.startswith("5."):
        return ReplyClass.PROTOCOL_ERROR
    return ReplyClass.TLS_REQUIRED if reply.code == 530 else ReplyClass.SENDER_REFUSED


def _class_after_mail(stage: Stage, reply: Reply) -> ReplyClass:
    status = _status(reply)
    if status in _TOO_LARGE_STATUS:
        return ReplyClass.MESSAGE_TOO_LARGE
    if reply.code in _MISUNDERSTOOD or status.startswith("5."):
        return ReplyClass.PROTOCOL_ERROR
    if stage is Stage.RCPT:
        known = _RECIPIENT_STATUS.get(status, ReplyClass.RECIPIENT_REFUSED)
        is_unsure = reply.is_temporary and known is ReplyClass.RECIPIENT_UNKNOWN
        return ReplyClass.RECIPIENT_REFUSED if is_unsure else known
    is_policy = status.startswith("7.") and not reply.is_temporary
    return ReplyClass.POLICY_REFUSED if is_policy else ReplyClass.UNKNOWN


def _bent(reply_class: ReplyClass, stage: Stage, reply: Reply) -> Judgement:
    """The meaning of a class, bent by where and how finally it was said."""
    scope, action = MEANINGS[reply_class]
    if reply_class is ReplyClass.TOO_MANY_CONNECTIONS:
        scope = Scope.PROVIDER if _BY_ADDRESS.search(reply.text) else scope
    elif stage in _HOST_STAGES:
        scope, action = Scope.PROVIDER, Action.BREAK
    elif stage is Stage.RCPT and scope is Scope.MESSAGE:
        scope = Scope.RECIPIENT
    elif stage is Stage.MAIL and reply_class is ReplyClass.PROTOCOL_ERROR:
        action = Action.RETRY  # over a fresh session; who remembers messages holds it, when it is met again
    elif stage in _MAILBOX_STAGES and reply_class in (ReplyClass.PROTOCOL_ERROR, ReplyClass.TLS_REQUIRED):
        scope, action = Scope.MAILBOX, Action.HOLD
    if reply.is_temporary and action in (Action.BOUNCE, Action.HOLD):
        action = Action.RETRY
    return Judgement(reply_class, scope, action, hinted(reply.text) if reply.is_temporary else None)


def _status(reply: Reply) -> str:
    """Subject and detail of the enhanced code: `7.1` of `5.7.1`; empty where there is none."""
    return reply.enhanced[2:] if reply.enhanced else ""
