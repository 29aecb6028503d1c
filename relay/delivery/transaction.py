"""One mail transaction over a logged-in connection: MAIL, RCPT, DATA, body, gate, dot.

Law: all but the final dot is written first, then the gate is asked, and only its yes lets the dot out; each failure
keeps the stage at which it was met, and whatever was not understood ends the session.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace

from aiosmtplib import SMTPResponse

from relay.core.classify import Context
from relay.core.envelope import Envelope, Recipient, Result, Verdict
from relay.core.meaning import Failure, ReplyClass
from relay.core.routing import Timeouts
from relay.core.words import Stage
from relay.delivery.commands import Offer, data_of, mail_command, rcpt_command
from relay.delivery.habits import Habits, Riddles
from relay.delivery.international import simplified
from relay.delivery.judging import START_MAIL, Judge, Progress, is_agreed, known, of_obstacle
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
        self._context = context
        self._timeouts = timeouts
        self._habits = habits
        self._is_current = is_current
        self._censored = censored
        self._judge = self._judging(Riddles() if riddles is None else riddles)
        self._messages = 0
        self._is_busy = False

    def _judging(self, riddles: Riddles) -> Judge:
        return Judge(self._context, habits=self._habits, riddles=riddles, censored=self._censored)

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
        progress = Progress(offer, known(envelope), envelope, content)
        return await self._to_its_end(self._transmit(gate, progress), progress)

    async def rehearse(self, address: str) -> Result:
        """MAIL and RCPT with the mailbox's own address, and RSET: `delivered` means that both were taken."""
        envelope = Envelope(address, (Recipient(address),))
        progress = Progress(self._offer.bare(), (), envelope, b"")
        self._habits = Habits()  # no message was sent: nothing is learned for those that are
        self._judge = self._judging(Riddles())
        return await self._to_its_end(self._rehearse(progress), progress)

    async def _to_its_end(self, transaction: Awaitable[Result], progress: Progress) -> Result:
        """A line that breaks is a result; whoever gives up half-way hangs up."""
        self._is_busy = True
        try:
            return await transaction
        except WireFailed as failed:
            return self._judge.of_loss(failed.failure, progress)
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
    async def _transmit(self, gate: Callable[[], Awaitable[bool]], progress: Progress) -> Result:
        opening = self._opening(progress)
        if isinstance(opening, Result):
            return opening
        refusal = await self._introduce((*opening, _DATA), progress)
        if refusal is not None:
            return refusal
        await self._write(data_of(progress.content))
        if not await gate():
            return self._stopped_at_gate()
        self._wire.ask(_DOT)
        progress.is_past_gate, progress.stage = True, Stage.EOD
        answer = await self._wire.reply(self._timeouts.final)
        result = self._heard(Stage.EOD, answer, progress)
        return replace(result, is_dsn_passed_on=True) if progress.offer.passes_on(progress.envelope) else result

    async def _rehearse(self, progress: Progress) -> Result:
        opening = self._opening(progress)
        if isinstance(opening, Result):
            return opening
        refusal = await self._introduce_in_turn(opening, progress)
        if refusal is not None:
            return refusal
        taken = Result(
            Verdict.DELIVERED, ReplyClass.DELIVERED, Stage.RCPT, None, is_mail_written=True, is_end_known=True
        )
        return await self._reset(taken)

    def _opening(self, progress: Progress) -> tuple[bytes, bytes] | Result:
        """MAIL and RCPT, or why not even these are said."""
        if not self._wire.is_settled:
            return self._stale()
        size = len(progress.content)
        envelope = progress.envelope = simplified(progress.envelope, progress.content)
        obstacle = self._offer.obstacle(envelope, size)
        if obstacle is not None:
            return of_obstacle(obstacle)
        return mail_command(envelope, size, progress.offer), rcpt_command(envelope.recipients[0], progress.offer)

    async def _introduce(self, commands: tuple[bytes, bytes, bytes], progress: Progress) -> Result | None:
        """MAIL, RCPT and DATA, together where the provider can; the first refusal, or None when it wants the body."""
        if self._offer.has_pipelining and not self._habits.swallows_pipelined:
            return await self._introduce_at_once(commands, progress)
        return await self._introduce_in_turn(commands, progress)

    async def _introduce_in_turn(self, commands: tuple[bytes, ...], progress: Progress) -> Result | None:
        for stage, command in zip(_STAGES, commands, strict=False):
            progress.stage = stage
            self._wire.ask(command)
            progress.is_mail_written = True
            answer = await self._wire.reply(self._patience(stage))
            if not is_agreed(stage, answer):
                return await self._refused(stage, answer, progress)
            self._judge.agreed(stage)
        return None

    async def _introduce_at_once(self, commands: tuple[bytes, bytes, bytes], progress: Progress) -> Result | None:
        self._wire.ask(b"".join(commands), len(commands))
        progress.is_mail_written = True
        refusal: tuple[Stage, SMTPResponse] | None = None
        answer: SMTPResponse | None = None
        try:
            for stage in _STAGES:
                progress.stage = stage if refusal is None else progress.stage
                answer = await self._wire.reply(self._patience(stage))
                if refusal is None and not is_agreed(stage, answer):
                    refusal = stage, answer
                elif refusal is None:
                    self._judge.agreed(stage)
        except WireFailed as failed:
            self._habits.swallows_pipelined |= failed.failure is Failure.TIMEOUT and answer is not None
            if refusal is None:
                raise
        if refusal is None or answer is None:
            return None
        if answer.code == START_MAIL:
            self._wire.reset()  # it waits for a body that has no recipient
            return self._heard(*refusal, progress)
        return await self._refused(*refusal, progress)

    async def _refused(self, stage: Stage, answer: SMTPResponse, progress: Progress) -> Result:
        """After a refusal the session goes on with an empty transaction, or ends; the result was heard before."""
        result = self._heard(stage, answer, progress)
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
    def _heard(self, stage: Stage, answer: SMTPResponse, progress: Progress) -> Result:
        """What a reply comes to."""
        heard = self._judge.of_reply(stage, answer, progress, is_all_answered=self._wire.is_all_answered)
        if heard.is_last:
            self._wire.reset()
        return heard.result

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
