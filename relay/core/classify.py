"""What an upstream reply, or its absence, means: whom it is about and what follows for the delivery.

Law: the provider's rules come first, then reasons in the text, then the enhanced code and then the code, each by
stage; nothing of the mailbox's or the provider's bounces, and what is not understood is tried again or held.
"""

import re
from dataclasses import dataclass, field

from relay.core.codes import by_code, by_enhanced
from relay.core.hint import hinted, is_daily
from relay.core.limits import MINUTE
from relay.core.meaning import MEANINGS, Action, Failure, Judgement, ReplyClass, Scope, Source
from relay.core.reasons import REASONS
from relay.core.reasons.whose import is_asked_again, of_mailbox, of_recipient
from relay.core.reply import Reply
from relay.core.rules import Rule, first_of, reading_of
from relay.core.words import Stage

GREYLIST: tuple[int, int] = (5 * MINUTE, 15 * MINUTE)
"""When a greylisted delivery is tried again: not sooner, and by itself not later."""

SECOND_THOUGHT: int = 15 * MINUTE
"""Until a final answer that nobody understands is asked for again."""


@dataclass(frozen=True, slots=True)
class Context:
    """What has to be known beside the reply; every field has a default, so that more can come."""

    provider: str = "generic"
    """Its name in the routing; for people, nothing is concluded from it."""
    is_past_gate: bool = False
    """The final dot was written: without a reply nobody knows what became of the message."""
    rules: tuple[Rule, ...] = ()
    """The provider's own, which come first."""
    reasons: tuple[Rule, ...] = field(default=REASONS, repr=False)
    """What holds for every provider; others only where rules are measured."""
    has_worked: bool = False
    """A login of this mailbox has worked before: what looks like a wrong way of logging in is a wrong password."""


NO_CONTEXT = Context()

_HOST_STAGES = frozenset({Stage.CONNECT, Stage.EHLO, Stage.STARTTLS})
"""Nobody has said yet who he is: what is said here is about the provider, or about our address there."""

_MAILBOX_STAGES = frozenset({Stage.AUTH, Stage.MAIL})
"""The provider knows who we are and not yet to whom we write: what is said here is about the mailbox."""

_UNREPEATABLE = frozenset({ReplyClass.SPAM_BLOCKED, ReplyClass.CONTENT_REFUSED})
"""Whatever the code: the same bytes again would only harm the mailbox."""

_UNNAMED = frozenset({ReplyClass.RECIPIENT_REFUSED, ReplyClass.POLICY_REFUSED})
"""Classes of a code that says only that it was refused: what the text asks for is more."""

_BY_ADDRESS = re.compile(r"\b(?:from|per|by) (?:\w+ ){0,3}(?:ip|host|address|client|network)\b|\bIP\b", re.IGNORECASE)


def classify(stage: Stage, seen: Reply | Failure, context: Context = NO_CONTEXT) -> Judgement:
    """Judges what was seen at a stage of a session; `seen` at `EOD` may be the reply that takes the message."""
    if isinstance(seen, Failure):
        return _of_failure(stage, seen, context)
    if 200 <= seen.code < 300 and stage is Stage.EOD:
        return _DELIVERED
    if not 400 <= seen.code < 600:
        return _of_failure(stage, Failure.NONSENSE, context)
    words = reading_of(seen)
    rule = first_of(context.rules, stage, seen, words)
    if rule is not None:
        return _ruled(rule, stage, seen, Source.PROVIDER_RULE, context=context)
    rule = first_of(context.reasons, stage, seen, words)
    if rule is not None:
        return _of_reason(rule, stage, seen, words, context=context)
    return _guessed(stage, seen, words, has_worked=context.has_worked)


def _guessed(stage: Stage, reply: Reply, words: str, *, has_worked: bool = False) -> Judgement:
    """What the codes say where no rule read the text, unless it says whose it is or asks for another try."""
    source, guess = Source.ENHANCED, by_enhanced(stage, reply)
    is_open = is_asked_again(stage, reply, words)
    if guess is None or (guess in _UNNAMED and is_open):
        source, guess = Source.BASIC, None if is_open else by_code(stage, reply)
    if stage is Stage.AUTH and has_worked and guess is ReplyClass.AUTH_METHOD and reply.code in _NOT_UNDERSTOOD:
        source, guess = Source.BASIC, ReplyClass.PROTOCOL_ERROR
    mine = of_mailbox(guess or ReplyClass.UNKNOWN, stage, reply, words)
    if mine is not None:
        return _bent(mine, stage, reply, source=Source.BASIC)
    return _bent(guess or ReplyClass.UNKNOWN, stage, reply, source=source if guess else Source.UNKNOWN)


_NOT_UNDERSTOOD = frozenset({500, 501, 502, 503, 504, 555})
"""Answers that a command is not known or not now. Of a mailbox whose login has worked in the same way they say that its
provider is out of order, not that its owner has to log in otherwise: that is said in words, or by a code of its own.
"""

_DELIVERED = Judgement(ReplyClass.DELIVERED, *MEANINGS[ReplyClass.DELIVERED])


def _of_failure(stage: Stage, failure: Failure, context: Context) -> Judgement:
    if failure is Failure.TOO_LARGE:
        return _unheard(ReplyClass.MESSAGE_TOO_LARGE, Scope.MESSAGE, Action.BOUNCE)
    if failure is Failure.NO_LOGIN:
        return _unheard(ReplyClass.AUTH_METHOD, Scope.PROVIDER, Action.BREAK)
    if failure is Failure.NOT_OFFERED and stage is Stage.AUTH:
        return _unheard(ReplyClass.AUTH_METHOD, Scope.MAILBOX, Action.PAUSE)
    if failure is Failure.NOT_OFFERED and stage is Stage.MAIL:
        return _unheard(ReplyClass.RECIPIENT_REFUSED, Scope.RECIPIENT, Action.BOUNCE)
    if failure in (Failure.UNVERIFIED, Failure.NOT_OFFERED):
        return _unheard(ReplyClass.TLS_REQUIRED, Scope.PROVIDER, Action.BREAK)
    meaning = ReplyClass.PROTOCOL_ERROR if failure is Failure.NONSENSE else ReplyClass.NETWORK
    if stage in _HOST_STAGES:
        return _unheard(meaning, Scope.PROVIDER, Action.BREAK)
    return Judgement(meaning, Scope.MAILBOX, Action.RETRY, is_doubtful=context.is_past_gate, source=Source.NO_REPLY)


def _unheard(reply_class: ReplyClass, scope: Scope, action: Action) -> Judgement:
    return Judgement(reply_class, scope, action, source=Source.NO_REPLY)


def _of_reason(rule: Rule, stage: Stage, reply: Reply, words: str, *, context: Context) -> Judgement:
    """What a reason means; that it is another's is a guess, so the bounce guard has an eye on the recipient's."""
    judgement = _ruled(rule, stage, reply, Source.TEXT_RULE, context=context)
    other = of_recipient(judgement.reply_class, stage, reply, words) or of_mailbox(
        judgement.reply_class, stage, reply, words
    )
    return judgement if other is None else _bent(other, stage, reply, source=Source.BASIC)


def _ruled(rule: Rule, stage: Stage, reply: Reply, source: Source, *, context: Context) -> Judgement:
    """What a rule says, as far as it says it; the rest is the class's own."""
    meaning = rule.reply_class
    if rule.is_by_period:
        over_a_day = is_daily(reply.text)
        is_quota = not reply.is_temporary if over_a_day is None else over_a_day
        meaning = ReplyClass.QUOTA_EXCEEDED if is_quota else ReplyClass.RATE_LIMITED
    elif rule.once_worked is not None and context.has_worked:
        meaning = rule.once_worked
    judgement = _bent(meaning, stage, reply, source=source)
    scope, action = rule.scope or judgement.scope, rule.action or judgement.action
    if scope in (Scope.MAILBOX, Scope.PROVIDER) and action is Action.BOUNCE:
        action = Action.HOLD
    wait = _wait(meaning, action, reply) or (rule.retry_after if action is not Action.BOUNCE else None)
    return Judgement(meaning, scope, action, wait, source=source)


def _bent(reply_class: ReplyClass, stage: Stage, reply: Reply, *, source: Source) -> Judgement:
    """The meaning of a class, bent by where and how finally it was said."""
    scope, action = _meant(reply_class, stage, reply)
    is_read = source in (Source.PROVIDER_RULE, Source.TEXT_RULE)
    if reply.is_temporary and action is Action.BOUNCE and not (is_read and reply_class in _UNREPEATABLE):
        action = Action.RETRY
    if action is Action.BOUNCE and stage in _MAILBOX_STAGES and reply_class is not ReplyClass.MESSAGE_TOO_LARGE:
        scope, action = Scope.MAILBOX, Action.HOLD
    return Judgement(reply_class, scope, action, _wait(reply_class, action, reply), source=source)


def _meant(reply_class: ReplyClass, stage: Stage, reply: Reply) -> tuple[Scope, Action]:
    scope, action = MEANINGS[reply_class]
    if reply_class is ReplyClass.TOO_MANY_CONNECTIONS:
        return (Scope.PROVIDER if _BY_ADDRESS.search(reply.text) else scope), action
    if reply_class is ReplyClass.UNKNOWN:
        if stage in _HOST_STAGES:
            return Scope.PROVIDER, Action.HOLD
        if stage in _MAILBOX_STAGES:
            return Scope.MAILBOX, Action.HOLD
        return (Scope.RECIPIENT if stage is Stage.RCPT else scope), action
    if stage in _HOST_STAGES:
        return Scope.PROVIDER, Action.BREAK
    if reply_class is ReplyClass.PROTOCOL_ERROR:
        if stage is Stage.RCPT:
            return Scope.RECIPIENT, Action.BOUNCE
        if stage is Stage.AUTH:
            return Scope.MAILBOX, Action.HOLD
        return scope, Action.RETRY  # over a fresh session; who remembers messages holds it, when it is met again
    return scope, action


def _wait(reply_class: ReplyClass, action: Action, reply: Reply) -> int | None:
    """Microseconds until the next try, where reply or class name them; what is over is not tried again."""
    if action is Action.BOUNCE:
        return None
    hint = hinted(reply.text)
    if reply_class is ReplyClass.GREYLISTED:
        return max(hint, GREYLIST[0]) if hint else sum(GREYLIST) // 2
    if reply_class is ReplyClass.UNKNOWN and action is Action.RETRY and not reply.is_temporary:
        return max(hint or 0, SECOND_THOUGHT)
    return hint
