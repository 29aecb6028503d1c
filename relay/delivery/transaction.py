"""One mail transaction over a logged-in connection: MAIL, RCPT, DATA, body, gate, dot.

Law: all but the final dot is written first, then the gate is asked, and only its yes lets the dot out; each failure
keeps the stage at which it was met, and whatever was not understood ends the session.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

from aiosmtplib import SMTPResponse

from relay.core.classify import Context, classify
from relay.core.confided import confided, withheld
from relay.core.envelope import Envelope, Recipient, Result, Verdict
from relay.core.hiding import original
from relay.core.meaning import Failure, Judgement, ReplyClass
from relay.core.reply import Reply, read_reply, verbatim
from relay.core.routing import Timeouts
from relay.core.words import Stage
from relay.delivery.commands import Offer, data_of, mail_command, rcpt_command
from relay.delivery.habits import Habits, Riddles
from relay.delivery.international import simplified
from relay.delivery.wire import Wire, WireFailed

BODY_BLOCK: int = 1024 * 1024
"""Bytes of a body that the provider has `timeouts.data` to take: a slow line is borne, a reader of single bytes not."""

QUIT_WAIT: int = 5_000_000
"""Microseconds for the answer to QUIT: it is a courtesy, nothing depends on it."""

_DATA = b"DATA\r\n"
_DOT = b".\r\n"
_RSET = b"RSET\r\n"
_QUIT = b"QUIT\r\n"
_STAGES = (Stage.MAIL, Stage.RCPT, Stage.DATA)
_DONE = 250
_CLOSING = 421
_START_MAIL = 354


@dataclass(slots=True)
class _Progress:
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


class SmtpSession:
    """A connection that is logged in as one mailbox."""

    def __init__(
        self,
        wire: Wire,
        offer: Offer,
        *,
        context: Context,
        timeouts: Timeouts,
        habits: Habits,
        is_current: Callable[[], bool],
        riddles: Riddles | None = None,
        censored: Callable[[str], str] = str,
    ) -> None:
        self._wire = wire
        self._offer = offer
        self._contexts = context, replace(context, is_past_gate=True)
        self._timeouts = timeouts
        self._habits = habits
        self._is_current = is_current
        self._riddles = Riddles() if riddles is None else riddles
        self._censored = censored
        self._messages = 0
        self._is_busy = False

    @property
    def is_usable(self) -> bool:
        """Whether another message may be sent over it: nothing went wrong, and the routing still leads this way."""
        return not self._is_busy and self._wire.is_settled and self._is_current()

    @property
    def is_cut_off(self) -> bool:
        """Whether the peer hung up, or said what nobody had asked for."""
        return self._wire.failure is not None

    async def transmit(self, envelope: Envelope, content: bytes, gate: Callable[[], Awaitable[bool]]) -> Result:
        """Sends one message to one recipient (RFC 5321, 3.3); raises only what the gate raises, and then hung up."""
        offer = self._offer.bare() if self._habits.refuses_parameters else self._offer
        progress = _Progress(offer, _known(envelope), envelope, content)
        self._is_busy = True
        try:
            return await self._transmit(envelope, content, gate, progress)
        except WireFailed as failed:
            return self._lost(progress, failed.failure)
        except BaseException:
            self._wire.reset()
            raise
        finally:
            self._is_busy = False
            self._messages += 1

    async def rehearse(self, address: str) -> Result:
        """MAIL and RCPT with the mailbox's own address, and RSET: `delivered` means that both were taken."""
        envelope = Envelope(address, (Recipient(address),))
        progress = _Progress(self._offer.bare(), (), envelope, b"")
        self._habits, self._riddles = Habits(), Riddles()  # no message was sent: nothing is learned for those that are
        self._is_busy = True
        try:
            return await self._rehearse(progress)
        except WireFailed as failed:
            return self._lost(progress, failed.failure)
        except BaseException:
            self._wire.reset()
            raise
        finally:
            self._is_busy = False
            self._messages += 1

    async def close(self) -> None:
        """Says QUIT where nothing is in the way, and hangs up."""
        if not self._is_busy and self._wire.is_settled:
            self._is_busy = True
            await dismiss(self._wire)
        self._wire.reset()

    # ---------------------------------------------------------------------------------------------- the transaction
    async def _transmit(
        self, envelope: Envelope, content: bytes, gate: Callable[[], Awaitable[bool]], progress: _Progress
    ) -> Result:
        if not self._wire.is_settled:
            return self._stale()
        envelope = progress.envelope = simplified(envelope, content)
        obstacle = self._offer.obstacle(envelope, len(content))
        if obstacle is not None:
            return _result(classify(Stage.MAIL, obstacle.failure), Stage.MAIL, obstacle.told, is_mail_written=False)
        mail = mail_command(envelope, len(content), progress.offer)
        rcpt = rcpt_command(envelope.recipients[0], progress.offer)
        refusal = await self._introduce((mail, rcpt, _DATA), progress)
        if refusal is not None:
            return refusal
        await self._write(data_of(content))
        if not await gate():
            return self._stopped_at_gate()
        self._wire.ask(_DOT)
        progress.is_past_gate, progress.stage = True, Stage.EOD
        answer = await self._wire.reply(self._timeouts.final)
        result = self._judge(Stage.EOD, answer, progress)
        return replace(result, is_dsn_passed_on=True) if progress.offer.passes_on(envelope) else result

    async def _rehearse(self, progress: _Progress) -> Result:
        if not self._wire.is_settled:
            return self._stale()
        progress.envelope = simplified(progress.envelope, b"")
        obstacle = self._offer.obstacle(progress.envelope, 0)
        if obstacle is not None:
            return _result(classify(Stage.MAIL, obstacle.failure), Stage.MAIL, obstacle.told, is_mail_written=False)
        mail = mail_command(progress.envelope, 0, progress.offer)
        rcpt = rcpt_command(progress.envelope.recipients[0], progress.offer)
        for stage, command in ((Stage.MAIL, mail), (Stage.RCPT, rcpt)):
            progress.stage = stage
            self._wire.ask(command)
            progress.is_mail_written = True
            answer = await self._wire.reply(self._timeouts.command)
            if not _is_agreed(stage, answer):
                return await self._refused(stage, answer, progress)
        taken = Result(
            Verdict.DELIVERED, ReplyClass.DELIVERED, Stage.RCPT, None, is_mail_written=True, is_end_known=True
        )
        return await self._reset(taken)

    async def _introduce(self, commands: tuple[bytes, bytes, bytes], progress: _Progress) -> Result | None:
        """MAIL, RCPT and DATA, together where the provider can; the first refusal, or None when it wants the body."""
        if self._offer.has_pipelining and not self._habits.swallows_pipelined:
            return await self._introduce_at_once(commands, progress)
        for stage, command in zip(_STAGES, commands, strict=True):
            progress.stage = stage
            self._wire.ask(command)
            progress.is_mail_written = True
            answer = await self._wire.reply(self._patience(stage))
            if not _is_agreed(stage, answer):
                return await self._refused(stage, answer, progress)
            self._agreed(stage)
        return None

    async def _introduce_at_once(self, commands: tuple[bytes, bytes, bytes], progress: _Progress) -> Result | None:
        self._wire.ask(b"".join(commands), len(commands))
        progress.is_mail_written = True
        refusal: tuple[Stage, SMTPResponse] | None = None
        answer: SMTPResponse | None = None
        try:
            for stage in _STAGES:
                progress.stage = stage if refusal is None else progress.stage
                answer = await self._wire.reply(self._patience(stage))
                if refusal is None and not _is_agreed(stage, answer):
                    refusal = stage, answer
                elif refusal is None:
                    self._agreed(stage)
        except WireFailed as failed:
            self._habits.swallows_pipelined |= failed.failure is Failure.TIMEOUT and answer is not None
            if refusal is None:
                raise
        if refusal is None or answer is None:
            return None
        if answer.code == _START_MAIL:
            self._wire.reset()  # it waits for a body that has no recipient
            return self._judge(*refusal, progress)
        return await self._refused(*refusal, progress)

    def _agreed(self, stage: Stage) -> None:
        if stage is Stage.MAIL:
            self._riddles.solved()

    async def _refused(self, stage: Stage, answer: SMTPResponse, progress: _Progress) -> Result:
        """After a refusal the session goes on with an empty transaction, or ends; the result was heard before."""
        result = self._judge(stage, answer, progress)
        if stage is Stage.MAIL or not self._wire.is_settled:
            return result
        return await self._reset(result)

    async def _reset(self, result: Result) -> Result:
        """The transaction is taken back; a result whose RSET is not answered ends when the provider has read it."""
        try:
            self._wire.ask(_RSET)
            if (await self._wire.reply(self._timeouts.command)).code != _DONE:
                self._wire.reset()
        except WireFailed:
            return replace(result, is_end_known=False)
        return result

    async def _write(self, data: bytes) -> None:
        """The body, and nothing of it left in our hands when this returns."""
        if len(data) <= BODY_BLOCK:
            self._wire.say(data)
            await self._wire.drain(self._timeouts.data)
            return
        view = memoryview(data)
        for start in range(0, len(data), BODY_BLOCK):
            self._wire.say(view[start : start + BODY_BLOCK])
            await self._wire.drain(self._timeouts.data)

    def _patience(self, stage: Stage) -> int:
        return self._timeouts.data if stage is Stage.DATA else self._timeouts.command

    # --------------------------------------------------------------------------------------------------- the result
    def _judge(self, stage: Stage, answer: SMTPResponse, progress: _Progress) -> Result:
        """What a reply means; a reply that makes no sense here, any 421, and too many sessions end this one."""
        text = self._censored(str(answer.message))
        reply = read_reply(answer.code, text, progress.hide)
        judgement = classify(stage, reply, self._contexts[progress.is_past_gate])
        is_sense = judgement.reply_class is ReplyClass.DELIVERED or 400 <= answer.code < 600
        is_end_known = is_sense and (progress.is_past_gate or self._wire.is_all_answered)
        result = _result(judgement, stage, reply, is_end_known=is_end_known)
        if not reply.is_positive:
            result = replace(result, reply=_discreet(stage, reply, progress), said=verbatim(answer.code, text))
        if judgement.reply_class is ReplyClass.PROTOCOL_ERROR and is_sense and not reply.is_temporary:
            result = self._misunderstood(result, progress)
        is_one_too_many = judgement.reply_class is ReplyClass.TOO_MANY_CONNECTIONS
        if answer.code == _CLOSING or is_one_too_many or not is_sense:
            self._wire.reset()
        return result

    def _misunderstood(self, result: Result, progress: _Progress) -> Result:
        """It may be a parameter that was offered: the next try, over a fresh session, says none that can be spared."""
        is_recipient = result.stage is Stage.RCPT
        had_parameters = False
        if result.stage in (Stage.MAIL, Stage.RCPT):
            had_parameters = self._habits.refuses_parameters = progress.could_say_less(result.stage)
        if not is_recipient:
            result = replace(result, verdict=self._riddles.met(progress.content, is_last=not had_parameters))
        elif had_parameters:
            result = replace(result, verdict=Verdict.DEFERRED)
        if had_parameters or not is_recipient:
            self._wire.reset()
        return result

    def _lost(self, progress: _Progress, failure: Failure) -> Result:
        judgement = classify(progress.stage, failure, self._contexts[progress.is_past_gate])
        return _result(judgement, progress.stage, None, is_mail_written=progress.is_mail_written, is_end_known=False)

    def _stale(self) -> Result:
        """It was hung up on before MAIL: by the way if it had served, as a failure if it never did."""
        meaning = ReplyClass.UNKNOWN if self._messages else ReplyClass.NETWORK
        self._wire.reset()
        return Result(Verdict.DROPPED, meaning, Stage.MAIL, None, is_mail_written=False, is_end_known=True)

    def _stopped_at_gate(self) -> Result:
        self._wire.reset()
        return Result(Verdict.DROPPED, ReplyClass.UNKNOWN, Stage.DATA, None, is_mail_written=True, is_end_known=False)


async def dismiss(wire: Wire) -> None:
    """Says QUIT and hangs up, whatever is answered."""
    try:
        wire.ask(_QUIT)
        await wire.reply(QUIT_WAIT)
    except WireFailed:
        pass  # it is gone, which is what was wanted
    finally:
        wire.reset()


def _known(envelope: Envelope) -> tuple[str, ...]:
    """Everybody to whom this goes, by each address that a provider may name."""
    recipient = envelope.recipients[0]
    first = original(recipient.orcpt)
    return (recipient.address,) if first is None or first == recipient.address else (recipient.address, first)


def _discreet(stage: Stage, reply: Reply, progress: _Progress) -> Reply:
    """The reply without what the mail says of its patient: who has read the mail can repeat it."""
    return replace(reply, text=withheld(reply.text, confided(progress.content))) if stage is Stage.EOD else reply


def _is_agreed(stage: Stage, answer: SMTPResponse) -> bool:
    return answer.code == _START_MAIL if stage is Stage.DATA else 200 <= answer.code < 300


def _result(
    judgement: Judgement, stage: Stage, reply: Reply | None, *, is_mail_written: bool = True, is_end_known: bool = True
) -> Result:
    return Result(
        judgement.verdict, judgement.reply_class, stage, reply,
        is_mail_written=is_mail_written, is_end_known=is_end_known, retry_after=judgement.retry_after,
        is_provider=judgement.is_provider, is_read=judgement.is_read,
    )  # fmt: skip
