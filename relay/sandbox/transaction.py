"""One mail transaction: MAIL, RCPT, DATA and the final dot as the provider decides them.

Law: a recipient is counted once, at the command that the sandbox was told to count at, and only if there is room.
"""

import re

from relay.core.words import Stage
from relay.sandbox.envelope import MailFrom, read_mail_from, read_rcpt_to
from relay.sandbox.provider import Provider
from relay.sandbox.replies import Misbehaviour, Refusal, Say
from relay.sandbox.settings import CountAt, Fault
from relay.sandbox.voice import Voice

_MESSAGE_ID = re.compile(rb"^message-id:[ \t]*(?:\r\n[ \t]+)?([^\r\n]*)", re.IGNORECASE | re.MULTILINE)
_FAILURES = {Fault.TEMPFAIL: Say.TEMPFAIL, Fault.PERMFAIL: Say.PERMFAIL}


class Transaction:
    """What one session is about to hand in; every method answers the reply or raises what happens instead."""

    def __init__(self, provider: Provider, voice: Voice) -> None:
        self._provider = provider
        self._voice = voice
        self._mail = MailFrom("", 0, False)
        self._recipients: list[str] = []
        self._charged = 0
        self._failure: tuple[Stage, Fault] | None = None
        self.is_drop_due = False

    def open(self, argument: str) -> str:
        """MAIL: refused without a login where one is needed, when too big, and over a limit."""
        provider, voice = self._provider, self._voice
        self._mail = read_mail_from(argument)
        voice.sender = self._mail.sender
        if voice.user is None and not provider.users.is_open:
            raise Refusal(Say.LOGIN_FIRST)
        if self._mail.size > provider.settings.max_size:
            raise Refusal(Say.TOO_BIG)
        reply = provider.permit(Stage.MAIL, Say.SENDER_OK, voice.user)
        if not provider.has_room(voice.user, 1, now=voice.now):
            raise Refusal(Say.OVER_LIMIT, event="over-limit")
        counted = self._charge(1) if provider.counts_at(CountAt.MAIL) else 0
        self._plan_failure()
        voice.note("mail", Stage.MAIL, reply, counted=counted)
        return reply

    def add(self, argument: str) -> str:
        """RCPT: one more recipient, counted here or, beyond the one that MAIL paid for, where MAIL counts."""
        provider, voice = self._provider, self._voice
        recipient = voice.named = read_rcpt_to(argument, is_utf8=self._mail.is_utf8)
        if len(self._recipients) >= provider.settings.max_recipients:
            raise Refusal(Say.TOO_MANY_RECIPIENTS)
        reply = provider.permit(Stage.RCPT, Say.RECIPIENT_OK, self._voice.user)
        self._fail_if_planned(Stage.RCPT)
        wanted = len(self._recipients) + 1
        counted = 0 if provider.counts_at(CountAt.EOD) else self._charge(wanted)
        self._recipients.append(recipient)
        voice.note("rcpt", Stage.RCPT, reply, rcpt=recipient, counted=counted)
        voice.named = None
        return reply

    def start_data(self) -> str:
        """DATA: only with a recipient."""
        if not self._recipients:
            raise Refusal(Say.OUT_OF_ORDER)
        reply = self._provider.permit(Stage.DATA, Say.GO_AHEAD, self._voice.user)
        self._voice.note("data", Stage.DATA, reply)
        self.is_drop_due = self._provider.strikes(Fault.DROP_DATA)
        return reply

    def take(self, message: bytes) -> str:
        """The final dot: the message is taken, which is noted once for each recipient, or refused."""
        provider, voice = self._provider, self._voice
        voice.message_id = find_message_id(message)
        if provider.strikes(Fault.LOSE_AFTER_DOT):
            raise Misbehaviour(Fault.LOSE_AFTER_DOT)
        reply = provider.permit(Stage.EOD, Say.TAKEN, self._voice.user)
        self._fail_if_planned(Stage.EOD)
        counted = self._charge(len(self._recipients)) if provider.counts_at(CountAt.EOD) else 0
        file = provider.keep(message, now=voice.now)
        for recipient in self._recipients:
            share, counted = min(counted, 1), max(counted - 1, 0)
            voice.note("delivered", Stage.EOD, reply, rcpt=recipient, size=len(message), counted=share, file=file)
        if provider.strikes(Fault.DROP_AFTER_DOT):
            raise Misbehaviour(Fault.DROP_AFTER_DOT)
        return reply

    def _charge(self, wanted: int) -> int:
        """Counts what is not yet paid for; raises Refusal 450 if that breaks a limit."""
        missing = wanted - self._charged
        if missing <= 0:
            return 0
        if not self._provider.has_room(self._voice.user, missing, now=self._voice.now):
            raise Refusal(Say.OVER_LIMIT, event="over-limit")
        self._provider.count(self._voice.user, missing, now=self._voice.now)
        self._charged += missing
        return missing

    def _plan_failure(self) -> None:
        """Draws once for the whole transaction, then the place: never MAIL, whose refusals concern the mailbox."""
        for fault in _FAILURES:
            if self._provider.strikes(fault):
                self._failure = (Stage.RCPT if self._provider.draws() else Stage.EOD, fault)
                return

    def _fail_if_planned(self, stage: Stage) -> None:
        if self._failure and self._failure[0] is stage:
            fault = self._failure[1]
            self._voice.note("fault", stage, rcpt=self._voice.named, fault=fault)
            raise Refusal(_FAILURES[fault])


def find_message_id(message: bytes) -> str | None:
    """The value of the header Message-ID as it stands there, or None."""
    end = message.find(b"\r\n\r\n")
    match = _MESSAGE_ID.search(message, 0, end + 2 if end >= 0 else len(message))
    return match[1].strip().decode("utf-8", "backslashreplace") if match else None
