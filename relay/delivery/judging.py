"""What became of one transaction: each reply, or its absence, read beside how far the attempt had come.

Law: a reply shows nobody for whom the mail is; what was not understood is remembered, and ends the session.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from aiosmtplib import SMTPResponse

from relay.core.classify import Context, classify
from relay.core.confided import confided, withheld
from relay.core.envelope import Envelope, Result, Verdict
from relay.core.hiding import original
from relay.core.meaning import Failure, Judgement, ReplyClass
from relay.core.reply import Reply, read_reply, verbatim
from relay.core.words import Stage
from relay.delivery.commands import Obstacle, Offer, mail_command, rcpt_command
from relay.delivery.habits import Habits, Riddles

START_MAIL = 354
_CLOSING = 421


@dataclass(slots=True)
class Progress:
    """How far an attempt has come."""

    offer: Offer
    """What of the provider's offer is used."""
    hide: tuple[str, ...] = field(repr=False)
    """Addresses that no reply may show."""
    envelope: Envelope = field(repr=False)
    content: bytes = field(repr=False)
    stage: Stage = Stage.MAIL
    is_mail_written: bool = False
    is_past_gate: bool = False

    def could_say_less(self, stage: Stage) -> bool:
        """Whether the command of this stage has parameters that the message can do without."""
        bare = self.offer.bare()
        if stage is Stage.MAIL:
            size = len(self.content)
            return mail_command(self.envelope, size, self.offer) != mail_command(self.envelope, size, bare)
        recipient = self.envelope.recipients[0]
        return rcpt_command(recipient, self.offer) != rcpt_command(recipient, bare)


class Heard(NamedTuple):
    """What a reply comes to."""

    result: Result
    is_last: bool
    """The session ends with it."""


class Judge:
    """Reads the replies of one session."""

    def __init__(self, context: Context, *, habits: Habits, riddles: Riddles, censored: Callable[[str], str]) -> None:
        self._contexts = context, replace(context, is_past_gate=True)
        self._habits = habits
        self._riddles = riddles
        self._censored = censored

    def agreed(self, stage: Stage) -> None:
        """A command was taken."""
        if stage is Stage.MAIL:
            self._riddles.solved()

    def of_reply(self, stage: Stage, answer: SMTPResponse, progress: Progress, *, is_all_answered: bool) -> Heard:
        """What a reply means; one that makes no sense here, any 421, and too many sessions end this one.

        `is_all_answered`: nothing that was asked waits for its reply.
        """
        text = self._censored(str(answer.message))
        reply = read_reply(answer.code, text, progress.hide)
        judgement = classify(stage, reply, self._contexts[progress.is_past_gate])
        is_sense = judgement.reply_class is ReplyClass.DELIVERED or 400 <= answer.code < 600
        is_end_known = is_sense and (progress.is_past_gate or is_all_answered)
        result = _result(judgement, stage, reply, is_end_known=is_end_known)
        if not reply.is_positive:
            result = replace(result, reply=_discreet(stage, reply, progress), said=verbatim(answer.code, text))
        is_one_too_many = judgement.reply_class is ReplyClass.TOO_MANY_CONNECTIONS
        is_last = answer.code == _CLOSING or is_one_too_many or not is_sense
        if judgement.reply_class is ReplyClass.PROTOCOL_ERROR and is_sense and not reply.is_temporary:
            result, is_estranged = self._misunderstood(result, progress)
            is_last = is_last or is_estranged
        return Heard(result, is_last)

    def of_loss(self, failure: Failure, progress: Progress) -> Result:
        """The line broke, or nobody answered."""
        judgement = classify(progress.stage, failure, self._contexts[progress.is_past_gate])
        return _result(judgement, progress.stage, None, is_mail_written=progress.is_mail_written, is_end_known=False)

    def _misunderstood(self, result: Result, progress: Progress) -> Heard:
        """It may be a parameter that was offered: the next try, over a fresh session, says none that can be spared."""
        is_recipient = result.stage is Stage.RCPT
        had_parameters = False
        if result.stage in (Stage.MAIL, Stage.RCPT):
            had_parameters = self._habits.refuses_parameters = progress.could_say_less(result.stage)
        if not is_recipient:
            result = replace(result, verdict=self._riddles.met(progress.content, is_last=not had_parameters))
        elif had_parameters:
            result = replace(result, verdict=Verdict.DEFERRED)
        return Heard(result, had_parameters or not is_recipient)


def of_obstacle(obstacle: Obstacle) -> Result:
    """What was found before anything was said."""
    return _result(classify(Stage.MAIL, obstacle.failure), Stage.MAIL, obstacle.told, is_mail_written=False)


def known(envelope: Envelope) -> tuple[str, ...]:
    """Everybody to whom this goes, by each address that a provider may name."""
    recipient = envelope.recipients[0]
    first = original(recipient.orcpt)
    return (recipient.address,) if first is None or first == recipient.address else (recipient.address, first)


def _discreet(stage: Stage, reply: Reply, progress: Progress) -> Reply:
    """The reply without what the mail says of its patient: who has read the mail can repeat it."""
    return replace(reply, text=withheld(reply.text, confided(progress.content))) if stage is Stage.EOD else reply


def is_agreed(stage: Stage, answer: SMTPResponse) -> bool:
    """Whether a command was taken."""
    return answer.code == START_MAIL if stage is Stage.DATA else 200 <= answer.code < 300


def _result(
    judgement: Judgement, stage: Stage, reply: Reply | None, *, is_mail_written: bool = True, is_end_known: bool = True
) -> Result:
    return Result(
        judgement.verdict, judgement.reply_class, stage, reply,
        is_mail_written=is_mail_written, is_end_known=is_end_known, retry_after=judgement.retry_after,
        is_provider=judgement.is_provider, is_read=judgement.is_read,
    )  # fmt: skip
