"""The bounce guard: when several patients are refused in the same words, it is not about the patients.

Law: nothing is kept back for fewer than three different recipients of one mailbox, and nothing that a rule reads in
the text as being about the recipient or his mail, for fewer than ten between whom nothing was delivered; a class that
was guessed from a code is no such reading.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from relay.core.limits import MINUTE, Instant
from relay.core.meaning import ReplyClass
from relay.core.reply import Reply
from relay.core.words import Stage

SAME_WITHIN: int = 15 * MINUTE
SAME_LEAST: int = 3
"""Two patients may have moved to the same provider that refuses both; three in a quarter of an hour have not."""

READ_LEAST: int = 10
"""So many for whom a rule read the words as theirs, while nothing went through: a rule may have read a trouble of the
mailbox as the recipients'. Ten wrong addresses in a quarter of an hour and no right one among them do not happen."""

BOUNCE_GUARD = "bounce-guard"
"""Why a mailbox, and what it would have bounced, stand still."""

_UNLESS_READ = frozenset(
    {
        ReplyClass.RECIPIENT_UNKNOWN,
        ReplyClass.RECIPIENT_MAILBOX_FULL,
        ReplyClass.RECIPIENT_DOMAIN_BAD,
        ReplyClass.RECIPIENT_REFUSED,
        ReplyClass.GREYLISTED,
        ReplyClass.CONTENT_REFUSED,
        ReplyClass.MESSAGE_TOO_LARGE,
        ReplyClass.POLICY_REFUSED,
    }
)
"""A letter that goes to ten patients is refused ten times for what is in it, and by ten for their policy, which has a
count of its own. What was taken for spam has one too, and is never sent again: so it is never kept for it."""

_OF_RECIPIENTS = frozenset(
    {
        ReplyClass.RECIPIENT_UNKNOWN,
        ReplyClass.RECIPIENT_MAILBOX_FULL,
        ReplyClass.RECIPIENT_DOMAIN_BAD,
        ReplyClass.RECIPIENT_REFUSED,
    }
)
"""What is said of one after the other, and not of the letter that they all get."""

_ALWAYS = frozenset({ReplyClass.PROTOCOL_ERROR, ReplyClass.UNKNOWN})
_STAGES = frozenset({Stage.RCPT, Stage.DATA, Stage.EOD})


@dataclass(frozen=True, slots=True)
class Bounced:
    """A recipient (keyed hash) was refused for good, in these words."""

    recipient: bytes
    at: Instant
    likeness: bytes


def is_suspect(stage: Stage, reply: Reply | None, reply_class: str, *, is_read: bool) -> bool:
    """Whether a refusal counts; `is_read`: a rule found its class in the text."""
    if reply is None or reply.is_temporary or stage not in _STAGES:
        return False
    return reply_class in _ALWAYS or (reply_class in _UNLESS_READ and not is_read)


def least_of(stage: Stage, reply: Reply | None, reply_class: str, *, is_read: bool) -> int | None:
    """For how many recipients the same refusal is about the mailbox; None: however many there are."""
    if is_suspect(stage, reply, reply_class, is_read=is_read):
        return SAME_LEAST
    is_final = reply is not None and not reply.is_temporary
    return READ_LEAST if is_final and stage in _STAGES and reply_class in _OF_RECIPIENTS else None


def is_about_mailbox(refusals: Iterable[Bounced], likeness: bytes, now: Instant, *, least: int = SAME_LEAST) -> bool:
    """Whether suspect refusals of one mailbox, of which the newest is in these words, are about the mailbox."""
    since = now - SAME_WITHIN
    same = {each.recipient for each in refusals if each.likeness == likeness and since <= each.at <= now}
    return len(same) >= least
