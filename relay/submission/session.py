"""One dialogue with a client, from the banner to QUIT.

Law: every command gets exactly one reply, in order; what is refused leaves the session usable, and a message is
answered 250 only after the store has it.
"""

from collections.abc import Callable
from types import MappingProxyType

from relay.core.refusal import Reason, Refusal
from relay.core.routing import Client, Routing, Tls
from relay.core.words import Stage
from relay.submission.desk import Desk
from relay.submission.gathering import Gathering
from relay.submission.login import LoginExchange
from relay.submission.peer import Peer
from relay.submission.sasl import LINE_MOST
from relay.submission.settings import ListenerSettings
from relay.submission.transaction import Transaction, account_of, add_recipient, read_mail, usage
from relay.submission.wire import Wire

COMMAND_MOST: int = 4096
"""Octets of a command line: eight times RFC 5321, 4.5.3.1.4, for long addresses with parameters."""

ERRORS_MOST: int = 20
"""Commands that make no sense: what errs this often is no mail client."""

COMMANDS_MOST: int = 1000
"""Commands without a mail, besides its recipients: what says more only keeps a connection from others."""

OK = b"250 2.0.0 Ok\r\n"
SENDER_OK = b"250 2.1.0 Ok\r\n"
RECIPIENT_OK = b"250 2.1.5 Ok\r\n"
LOGIN_OK = b"235 2.7.0 Welcome\r\n"
GO_AHEAD = b"354 End data with <CR><LF>.<CR><LF>\r\n"
START_TLS = b"220 2.0.0 Ready for TLS\r\n"
BYE = b"221 2.0.0 Bye\r\n"
HELP = b"214 2.0.0 EHLO AUTH MAIL RCPT DATA RSET NOOP QUIT\r\n"
ANSWERED = b""
CANNOT_VERIFY = b"252 2.0.0 Not verified, send and see\r\n"

_ERRORS = frozenset(
    (
        Reason.COMMAND_TOO_LONG,
        Reason.COMMAND_UNKNOWN,
        Reason.COMMAND_SYNTAX,
        Reason.COMMAND_NOT_OFFERED,
        Reason.COMMAND_ORDER,
        Reason.PARAMETER_UNKNOWN,
        Reason.LOGIN_NEEDED,
        Reason.LOGIN_IN_CLEAR,
        Reason.MECHANISM_UNKNOWN,
    )
)
_HTTP = (b"GET", b"HEAD", b"POST", b"PUT", b"PATCH", b"DELETE", b"OPTIONS", b"CONNECT", b"TRACE", b"PRI")
_STAGES = MappingProxyType({b"AUTH": Stage.AUTH, b"MAIL": Stage.MAIL, b"RCPT": Stage.RCPT, b"DATA": Stage.DATA})


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
        self._listener = listener
        self._peer = peer
        self._clock = clock
        self._login = LoginExchange(wire, desk.authenticator, peer)
        self._is_secure = is_secure
        self._is_greeted = False
        self._is_extended = False
        self._is_logged_in = False
        self._client: Client | None = None
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
        while not self._is_over():
            self.is_resting = self._transaction is None
            line = await self._wire.line(LINE_MOST)
            self.is_resting = False
            if isinstance(line, Reason):
                self.refuse(Refusal(line), Stage.EHLO)
            elif not await self._obey(line):
                return

    def refuse(self, refusal: Refusal, stage: Stage, transaction: Transaction | None = None) -> None:
        """Says it to the client and tells of it; `transaction` is the one that it ends."""
        self._errors += refusal.reason in _ERRORS
        reply = self._desk.reply(refusal)
        self._wire.say(reply)
        begun = transaction or self._transaction
        self._desk.observe.refused(
            None if self._client is None else self._client.name,
            account=refusal.account or (begun.account.sender if begun is not None and begun.account else None),
            peer=self._peer.text,
            stage=stage,
            reason=refusal.reason,
            reply=reply.decode("ascii").rstrip(),
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
            self._wire.say(BYE)
            return False
        answer = await self._answer(verb, argument, len(line))
        if isinstance(answer, Refusal):
            self.refuse(answer, _STAGES.get(verb, Stage.EHLO))
            return answer.reason.code != 421
        self._wire.say(answer)
        return True

    async def _answer(self, verb: bytes, argument: bytes, size: int) -> bytes | Refusal:
        if verb == b"AUTH":
            return await self._auth(argument)
        if size > COMMAND_MOST:
            return Refusal(Reason.COMMAND_TOO_LONG)
        if verb == b"DATA":
            return await self._data(argument)
        if verb == b"STARTTLS":
            return await self._starttls(argument)
        handler = _COMMANDS.get(verb)
        return Refusal(Reason.COMMAND_UNKNOWN) if handler is None else handler(self, argument)

    def _ehlo(self, argument: bytes) -> bytes | Refusal:
        return self._greet(argument, is_extended=True) or self._desk.ehlo_reply(
            has_auth=self._has_auth, has_starttls=self._has_starttls
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

    @property
    def _has_starttls(self) -> bool:
        return self._listener.tls is Tls.STARTTLS and not self._is_secure

    @property
    def _has_auth(self) -> bool:
        return self._is_secure or self._peer.is_loopback or self._listener.has_plaintext_allowed

    async def _starttls(self, argument: bytes) -> bytes | Refusal:
        """What was said in clear is forgotten, whoever said it (RFC 3207, 4.2); only the errors stay counted."""
        if self._is_secure:
            return _order("TLS is on already")
        if not self._has_starttls:
            return Refusal(Reason.COMMAND_NOT_OFFERED)
        if argument.strip():
            return usage("STARTTLS")
        await self._wire.start_tls(START_TLS)
        self._is_secure = True
        self._is_greeted = self._is_extended = self._is_logged_in = False
        self._client = self._transaction = None
        return ANSWERED

    async def _auth(self, argument: bytes) -> bytes | Refusal:
        if not self._is_greeted:
            return _order("EHLO before AUTH")
        if self._transaction is not None or self._is_logged_in:
            return _order("AUTH once, before MAIL")
        if not self._has_auth:
            return Refusal(Reason.LOGIN_IN_CLEAR)
        found = await self._login.run(argument)
        if isinstance(found, Reason):
            return Refusal(found)
        self._client, self._is_logged_in = found, True
        self.is_stranger = False
        self._desk.observe.logged_in(found.name, peer=self._peer.text)
        return LOGIN_OK

    def _identify(self, routing: Routing) -> Client | None:
        """Who speaks, under the routing in force: a login holds as long as its password stays what it was."""
        if self._is_logged_in and self._client is not None:
            now = routing.clients.get(self._client.name)
            if now is not None and now.password == self._client.password:
                return now
        self._is_logged_in = False
        self._client = self._desk.client_at(self._peer, self._listener)
        return self._client

    def _mail(self, argument: bytes) -> bytes | Refusal:
        if not self._is_greeted or self._transaction is not None:
            return _order("one MAIL at a time, after EHLO")
        routing = self._desk.routing()
        client = self._identify(routing)
        if client is None:
            return Refusal(Reason.LOGIN_NEEDED)
        mail = read_mail(argument)
        if isinstance(mail, Refusal):
            return mail
        sender, parameters = mail
        acceptance = self._desk.acceptance
        if parameters.size > self._desk.settings.max_message_size:
            return acceptance.too_large()
        account = account_of(routing, client, sender, today=acceptance.today)
        if isinstance(account, Refusal):
            return account
        if not acceptance.has_space():
            return Refusal(Reason.STORE_FULL)
        self._transaction = Transaction(
            routing,
            client,
            sender,
            account,
            parameters,
            self._protocol(has_smtputf8=parameters.has_smtputf8),
            begun=self._clock(),
        )
        self.is_stranger = False
        return SENDER_OK

    def _protocol(self, *, has_smtputf8: bool) -> str:
        """How the message comes, in the words of RFC 3848 and RFC 6531, 3.7.3."""
        if not self._is_extended:
            return "SMTP"
        kind = "UTF8SMTP" if has_smtputf8 else "ESMTP"
        return f"{kind}{'S' if self._is_secure else ''}{'A' if self._is_logged_in else ''}"

    def _rcpt(self, argument: bytes) -> bytes | Refusal:
        if self._transaction is None:
            return self._no_transaction()
        most = self._desk.settings.max_recipients
        return add_recipient(self._transaction, argument, most=most) or RECIPIENT_OK

    def _no_transaction(self) -> Refusal:
        if self._identify(self._desk.routing()) is None:
            return Refusal(Reason.LOGIN_NEEDED)
        return _order("MAIL first")

    async def _data(self, argument: bytes) -> bytes | Refusal:
        if argument.strip():
            return usage("DATA")
        transaction = self._transaction
        if transaction is None:
            return self._no_transaction()
        if not transaction.recipients:
            return Refusal(Reason.RECIPIENTS_NONE)
        self._wire.say(GO_AHEAD)
        gathered = Gathering(self._desk.settings.max_message_size, self._desk.memory, transaction.client.name)
        try:
            answer = await self._receive(transaction, gathered)
        finally:
            gathered.release()
            self._transaction = None
        if isinstance(answer, bytes):
            return answer
        self.refuse(answer, Stage.EOD, transaction)
        return ANSWERED

    async def _receive(self, transaction: Transaction, gathered: Gathering) -> bytes | Refusal:
        """Reads the message and hands it over."""
        acceptance = self._desk.acceptance
        reason = await gathered.read(self._wire)
        if reason is not None:
            return acceptance.too_large() if reason is Reason.MESSAGE_TOO_LARGE else Refusal(reason)
        accepted = await acceptance.accept(transaction, gathered)
        if isinstance(accepted, Refusal):
            return accepted
        self._commands = self._errors = 0
        self._desk.observe.accepted(
            accepted.message,
            size=accepted.size,
            seconds=self._clock() - transaction.begun,
            is_mended=accepted.is_mended,
        )
        return f"250 2.0.0 Ok: queued as {accepted.message.id}\r\n".encode()


def _order(text: str) -> Refusal:
    return Refusal(Reason.COMMAND_ORDER, {"usage": text})


def _constant(reply: bytes) -> Callable[[Session, bytes], bytes]:
    return lambda _session, _argument: reply


def _not_offered(_session: Session, _argument: bytes) -> Refusal:
    return Refusal(Reason.COMMAND_NOT_OFFERED)


def _misled(_session: Session, _argument: bytes) -> Refusal:
    """A browser that a web page made talk to this port: what it says next is the page's and may look like a mail."""
    return Refusal(Reason.TOO_MANY_ERRORS)


_COMMANDS: MappingProxyType[bytes, Callable[[Session, bytes], bytes | Refusal]] = MappingProxyType(
    {
        b"EHLO": Session._ehlo,
        b"HELO": Session._helo,
        b"MAIL": Session._mail,
        b"RCPT": Session._rcpt,
        b"RSET": Session._rset,
        b"NOOP": _constant(OK),
        b"HELP": _constant(HELP),
        b"VRFY": _constant(CANNOT_VERIFY),
        **dict.fromkeys((b"EXPN", b"ETRN", b"TURN", b"BDAT"), _not_offered),
        **dict.fromkeys(_HTTP, _misled),
    }
)
