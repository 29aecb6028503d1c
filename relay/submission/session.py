"""One dialogue with a client, from the banner to QUIT.

Law: every command gets exactly one reply, in order; what is refused leaves the session usable, and a message is
answered 250 only after the store has it.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from relay.core.refusal import Reason, Refusal
from relay.core.words import Stage
from relay.submission.commands import ERRORS, FIXED, STAGES, order
from relay.submission.desk import Desk
from relay.submission.identity import Identity
from relay.submission.login import LoginExchange
from relay.submission.peer import Peer
from relay.submission.receiving import begin, receive
from relay.submission.replies import ANSWERED, BYE, LOGIN_OK, OK, RECIPIENT_OK, SENDER_OK, START_TLS
from relay.submission.resubmission import Answers
from relay.submission.sasl import LINE_MOST
from relay.submission.settings import ListenerSettings
from relay.submission.transaction import Transaction, add_recipient, read_recipient, usage
from relay.submission.wire import Wire

COMMAND_MOST: int = 4096
"""Octets of a command line: eight times RFC 5321, 4.5.3.1.4, for long addresses with parameters."""

ERRORS_MOST: int = 20
"""Commands that make no sense: what errs this often is no mail client."""

COMMANDS_MOST: int = 1000
"""Commands without a mail, besides its recipients: what says more only keeps a connection from others."""


class Session:
    """The dialogue over one connection."""

    def __init__(
        self,
        wire: Wire,
        desk: Desk,
        *,
        listener: ListenerSettings,
        peer: Peer,
        clock: Callable[[], float],
        is_secure: bool = False,
    ) -> None:
        """`clock` is the loop's, in seconds; `is_secure`: under TLS from its first octet."""
        self._wire = wire
        self._desk = desk
        self._identity = Identity(desk, listener, peer, is_secure=is_secure)
        self._clock = clock
        self._login = LoginExchange(wire, desk.authenticator, peer)
        self._is_greeted = False
        self._is_extended = False
        self._answers = Answers(desk.acceptance.resubmissions)
        self._transaction: Transaction | None = None
        self._errors = 0
        self._commands = 0
        self._commands_most = COMMANDS_MOST + desk.settings.max_recipients
        self.is_stranger = True
        """Nobody has logged in and no mail was begun."""
        self.is_stopping = False
        """The relay stops: what is begun may be finished, nothing new begins."""
        self.is_resting = False
        """Nothing is begun: the client may be sent away now."""

    async def converse(self) -> None:
        """Until the client quits or is sent away. ClientGone."""
        self._wire.say(self._desk.banner)
        try:
            await self._talk()
        finally:
            if self._answers.has_any:
                await (self._answers.are_read() if self._wire.is_all_read else self._answers.are_unread())

    async def _talk(self) -> None:
        while not self._is_over():
            self.is_resting = self._transaction is None
            is_later = not self._wire.has_unread
            line = await self._wire.line(LINE_MOST)
            self.is_resting = False
            if is_later and self._answers.has_any:
                await self._answers.are_read()
            if isinstance(line, Reason):
                self.refuse(Refusal(line), Stage.EHLO)
            elif not await self._obey(line):
                return

    def refuse(self, refusal: Refusal, stage: Stage, transaction: Transaction | None = None) -> None:
        """Says it to the client and tells of it; `transaction` is the one that it ends."""
        self._errors += refusal.reason in ERRORS
        reply = self._desk.reply(refusal)
        self._wire.say(reply)
        told = reply if refusal.recipient is None else self._desk.reply(refusal.hidden())
        begun = transaction or self._transaction
        self._desk.observe.refused(
            self._identity.name,
            account=refusal.account or (begun.account.sender if begun is not None and begun.account else None),
            peer=self._identity.peer.text,
            stage=stage,
            reason=refusal.reason,
            reply=told.decode("ascii").rstrip(),
            sender=refusal.values.get("sender") if stage is Stage.MAIL else None,
            cause=refusal.cause,
        )

    def _is_over(self) -> bool:
        """Sends the client away where the relay stops or the client makes no sense."""
        if self._transaction is None and self.is_stopping:
            self.refuse(Refusal(Reason.STOPPING), Stage.EHLO)
        elif self._errors >= ERRORS_MOST or self._commands >= self._commands_most:
            self.refuse(Refusal(Reason.TOO_MANY_ERRORS), Stage.EHLO)
        else:
            return False
        return True

    async def _obey(self, line: bytes) -> bool:
        """Answers one command; whether the dialogue goes on."""
        verb, _, argument = line.partition(b" ")
        verb = verb.upper()
        self._commands += 1
        if verb == b"QUIT":
            await self._answers.are_read()
            self._wire.say(BYE)
            return False
        answer = await self._answer(verb, argument, len(line))
        if isinstance(answer, Refusal):
            self.refuse(answer, STAGES.get(verb, Stage.EHLO))
            return answer.reason.code != 421
        self._wire.say(answer)
        return True

    async def _answer(self, verb: bytes, argument: bytes, size: int) -> bytes | Refusal:
        if verb == b"AUTH":
            return await self._auth(argument)
        if size > COMMAND_MOST:
            return Refusal(Reason.COMMAND_TOO_LONG)
        if verb == b"RCPT":
            return await self._rcpt(argument)
        if verb == b"DATA":
            return await self._data(argument)
        if verb == b"STARTTLS":
            return await self._starttls(argument)
        handler = _COMMANDS.get(verb)
        return handler(self, argument) if handler is not None else FIXED.get(verb, Refusal(Reason.COMMAND_UNKNOWN))

    def _ehlo(self, argument: bytes) -> bytes | Refusal:
        return self._greet(argument, is_extended=True) or self._desk.ehlo_reply(
            has_auth=self._identity.has_auth, has_starttls=self._identity.has_starttls
        )

    def _helo(self, argument: bytes) -> bytes | Refusal:
        return self._greet(argument, is_extended=False) or self._desk.helo_reply

    def _greet(self, argument: bytes, *, is_extended: bool) -> Refusal | None:
        """Any name will do, as long as there is one; a transaction begun before is forgotten (RFC 5321, 4.1.4)."""
        if not argument.strip():
            return usage("EHLO name")
        self._is_greeted, self._is_extended = True, is_extended
        self._transaction = None
        return None

    def _rset(self, _: bytes) -> bytes:
        self._transaction = None
        return OK

    async def _starttls(self, argument: bytes) -> bytes | Refusal:
        """What was said in clear is forgotten, whoever said it (RFC 3207, 4.2); only the errors stay counted."""
        if self._identity.is_secure:
            return order("TLS is on already")
        if not self._identity.has_starttls:
            return Refusal(Reason.COMMAND_NOT_OFFERED)
        if argument.strip():
            return usage("STARTTLS")
        await self._wire.start_tls(START_TLS)
        self._identity.secure()
        self._is_greeted = self._is_extended = False
        self._transaction = None
        return ANSWERED

    async def _auth(self, argument: bytes) -> bytes | Refusal:
        if not self._is_greeted:
            return order("EHLO before AUTH")
        if self._transaction is not None or self._identity.is_logged_in:
            return order("AUTH once, before MAIL")
        if not self._identity.has_auth:
            return Refusal(Reason.LOGIN_IN_CLEAR)
        found = await self._login.run(argument)
        if isinstance(found, Reason):
            return Refusal(found)
        self._identity.log_in(found)
        self.is_stranger = False
        self._desk.observe.logged_in(found.name, peer=self._identity.peer.text)
        return LOGIN_OK

    def _mail(self, argument: bytes) -> bytes | Refusal:
        if not self._is_greeted or self._transaction is not None:
            return order("one MAIL at a time, after EHLO")
        begun = begin(self._desk, self._identity, argument=argument, is_extended=self._is_extended, now=self._clock())
        if isinstance(begun, Refusal):
            return begun
        self._transaction = begun
        self.is_stranger = False
        return SENDER_OK

    async def _rcpt(self, argument: bytes) -> bytes | Refusal:
        transaction = self._transaction
        if transaction is None:
            return self._no_transaction()
        recipient = read_recipient(transaction, argument, most=self._desk.settings.max_recipients)
        if isinstance(recipient, Refusal):
            return recipient
        refused = await self._desk.acceptance.recipients.refusal(transaction, recipient.address)
        if refused is not None:
            return refused
        add_recipient(transaction, recipient)
        return RECIPIENT_OK

    def _no_transaction(self) -> Refusal:
        if self._identity.client(self._desk.routing()) is None:
            return Refusal(Reason.LOGIN_NEEDED)
        return order("MAIL first")

    async def _data(self, argument: bytes) -> bytes | Refusal:
        if argument.strip():
            return usage("DATA")
        transaction = self._transaction
        if transaction is None:
            return self._no_transaction()
        if not transaction.recipients:
            return Refusal(Reason.RECIPIENTS_NONE)
        try:
            answer = await receive(self._wire, self._desk, transaction=transaction, clock=self._clock)
        finally:
            self._transaction = None
        if isinstance(answer, Refusal):
            self.refuse(answer, Stage.EOD, transaction)
            return ANSWERED
        self._commands = self._errors = 0
        reply, told = answer
        self._answers.add(told)
        return reply


_COMMANDS: Mapping[bytes, Callable[[Session, bytes], bytes | Refusal]] = MappingProxyType(
    {
        b"EHLO": Session._ehlo,
        b"HELO": Session._helo,
        b"MAIL": Session._mail,
        b"RSET": Session._rset,
    }
)
