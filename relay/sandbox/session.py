"""One SMTP session as the provider sees it: bytes in, steps out, no socket.

Law: every command ends in one reply or one misbehaviour, and whatever it decided is in the log before that.
"""

from collections.abc import Callable, Mapping
from enum import Enum
from typing import Final, TypeVar

from relay.core.words import Stage
from relay.sandbox.inbound import Bad, Inbound
from relay.sandbox.provider import Provider
from relay.sandbox.replies import Misbehaviour, Refusal, Say
from relay.sandbox.sasl import Exchange, Proof
from relay.sandbox.settings import Fault
from relay.sandbox.transaction import Transaction
from relay.sandbox.voice import After, Step, Voice

_A = TypeVar("_A")


class _Reading(Enum):
    COMMANDS = "commands"
    LOGIN = "login"
    MESSAGE = "message"


class Session:
    """The state of one connection; its owner feeds it bytes and does the steps that it answers."""

    def __init__(self, provider: Provider, number: int, *, can_upgrade: bool) -> None:
        self._provider = provider
        self._number = number
        self._voice = Voice(provider, number)
        self._inbound = Inbound(provider.settings.max_size)
        self._reading = _Reading.COMMANDS
        self._offers_starttls = can_upgrade and not provider.strikes(Fault.NO_STARTTLS)
        self._is_starttls_hidden = can_upgrade and not self._offers_starttls
        self._exchange: Exchange | None = None
        self._refused: str | None = None
        self._is_greeted = False
        self._transaction: Transaction | None = None

    # -------------------------------------------------------------------------------------- what happens to the owner
    def greet(self) -> list[Step]:
        """The connection is there."""
        self._do(Stage.CONNECT, Session._banner, "")
        return self._take_steps()

    def end(self, reply: str) -> list[Step]:
        """Ends the session from our side with a 421: too many of them, or idle."""
        self._tick()
        self._refuse(None, Refusal(reply))
        return self._take_steps()

    def lost(self) -> None:
        """The connection is gone, from whichever side."""
        self._tick()
        self._voice.sender = None
        self._voice.note("disconnect")

    def upgraded(self) -> None:
        """TLS is up: all that was said before is forgotten (RFC 3207 section 4.2)."""
        self._reset()
        self._offers_starttls = self._is_greeted = self._voice.is_silent = False
        self._voice.user = None

    def receive(self, data: bytes) -> list[Step]:
        """Takes bytes, handles every whole command and message in them, and returns what to do."""
        self._inbound.feed(data)
        while not self._voice.is_silent and self._go_on():
            pass
        if self._voice.is_silent:
            self._inbound.clear()
        return self._take_steps()

    def _take_steps(self) -> list[Step]:
        steps, self._voice.steps = self._voice.steps, []
        return steps

    # ------------------------------------------------------------------------------------------- one line, one message
    def _go_on(self) -> bool:
        if self._reading is _Reading.MESSAGE:
            return self._go_on_with_message()
        line = self._inbound.take_line()
        if line is None:
            return False
        self._tick()
        if isinstance(line, Bad) or b"\r" in line or b"\0" in line:
            self._exchange, self._reading = None, _Reading.COMMANDS
            self._refuse(None, Refusal(Say.TOO_LONG if line is Bad.TOO_LONG else Say.BAD_LINE))
        else:
            self._handle(line.decode("utf-8", "surrogateescape"))
        return True

    def _go_on_with_message(self) -> bool:
        if self._transaction and self._transaction.is_drop_due and self._inbound.has_message_bytes:
            self._tick()
            self._voice.misbehave(Stage.DATA, Fault.DROP_DATA)
            return False
        message = self._inbound.take_message()
        if message is None:
            return False
        self._tick()
        self._reading = _Reading.COMMANDS
        self._do(Stage.EOD, Session._end_of_data, message)
        self._reset()
        return True

    def _handle(self, text: str) -> None:
        if self._reading is _Reading.LOGIN:
            self._do(Stage.AUTH, Session._answer_challenge, text)
            return
        verb, _, argument = text.partition(" ")
        stage, handler = _COMMANDS.get(verb.upper(), (None, Session._unknown))
        self._do(stage, handler, argument.strip(" "))

    def _do(self, stage: Stage | None, handler: "Callable[[Session, _A], None]", argument: _A) -> None:
        try:
            handler(self, argument)
        except Refusal as refusal:
            self._refuse(stage, refusal)
        except Misbehaviour as misbehaviour:
            self._voice.misbehave(stage, misbehaviour.what)

    def _refuse(self, stage: Stage | None, refusal: Refusal) -> None:
        self._voice.note(refusal.event, stage, refusal.reply, rcpt=self._voice.named)
        self._voice.named = None
        if self._transaction is None:
            self._voice.sender = None
        self._voice.say(stage, refusal.reply)

    def _reset(self) -> None:
        self._transaction = None
        self._voice.sender = self._voice.named = self._voice.message_id = None

    def _tick(self) -> None:
        self._voice.now = self._provider.world.now()

    # -------------------------------------------------------------------------------------------------------- commands
    def _banner(self, _: str) -> None:
        reply = self._provider.permit(Stage.CONNECT, f"220 {self._provider.settings.hostname} ESMTP sandbox")
        self._voice.note("connect", Stage.CONNECT, reply)
        self._voice.say(Stage.CONNECT, reply)

    def _helo(self, _: str) -> None:
        self._greeting(self._provider.settings.hostname)

    def _ehlo(self, _: str) -> None:
        settings = self._provider.settings
        offers = [settings.hostname, "PIPELINING", f"SIZE {settings.max_size}", "8BITMIME", "SMTPUTF8"]
        offers += ["ENHANCEDSTATUSCODES", "DSN", f"AUTH {' '.join(settings.mechanisms)}"]
        if self._offers_starttls:
            offers.append("STARTTLS")
        self._greeting(*offers)

    def _greeting(self, *lines: str) -> None:
        usual = "\n".join([f"250-{line}" for line in lines[:-1]] + [f"250 {lines[-1]}"])
        reply = self._provider.permit(Stage.EHLO, usual)
        self._reset()
        self._is_greeted = True
        self._voice.say(Stage.EHLO, reply)

    def _starttls(self, argument: str) -> None:
        if not self._offers_starttls:
            if self._is_starttls_hidden:
                self._voice.note("fault", Stage.STARTTLS, fault=Fault.NO_STARTTLS)
            raise Refusal(Say.NOT_OFFERED)
        if argument:
            raise Refusal(Say.SYNTAX)
        reply = self._provider.permit(Stage.STARTTLS, Say.TLS_READY)
        self._voice.say(Stage.STARTTLS, reply, After.UPGRADE)

    def _auth(self, argument: str) -> None:
        if not self._is_greeted or self._voice.user is not None or self._transaction:
            raise Refusal(Say.OUT_OF_ORDER)
        mechanism, _, initial = argument.partition(" ")
        settings = self._provider.settings
        nonce = f"<{self._number}.{self._voice.now.wall}@{settings.hostname}>"
        self._exchange = Exchange(mechanism.upper(), offered=settings.mechanisms, nonce=nonce)
        self._go_on_with_login(self._exchange.start(initial.strip(" ") or None))

    def _answer_challenge(self, line: str) -> None:
        exchange, self._reading = self._exchange, _Reading.COMMANDS
        refused, self._refused = self._refused, None
        if refused is not None:
            self._voice.say(Stage.AUTH, refused)
            return
        assert exchange is not None
        self._go_on_with_login(exchange.answer(line))

    def _go_on_with_login(self, answer: str | Proof) -> None:
        if isinstance(answer, Proof):
            self._login(answer)
        else:
            self._reading = _Reading.LOGIN
            self._voice.say(None, answer)

    def _login(self, proof: Proof) -> None:
        """Notes every finished login as `auth`; its reply tells how it ended."""
        provider, voice = self._provider, self._voice
        is_right = provider.users.accepts(proof.user, proof.is_of, now=voice.now.wall)
        if is_right and provider.strikes(Fault.REFUSE_AUTH):
            voice.note("fault", Stage.AUTH, user=proof.user, fault=Fault.REFUSE_AUTH)
            is_right = False
        try:
            reply = provider.permit(Stage.AUTH, Say.LOGGED_IN if is_right else Say.WRONG_PASSWORD, proof.user)
        except Refusal as refusal:
            reply = refusal.reply
        voice.note("auth", Stage.AUTH, reply, user=proof.user)
        if reply.startswith("2"):
            voice.user = proof.user
        elif proof.refusal is not None:
            self._refused, self._reading = reply, _Reading.LOGIN
            voice.say(None, proof.refusal)
            return
        voice.say(Stage.AUTH, reply)

    def _mail(self, argument: str) -> None:
        if not self._is_greeted or self._transaction:
            raise Refusal(Say.OUT_OF_ORDER)
        transaction = Transaction(self._provider, self._voice)
        reply = transaction.open(argument)
        self._transaction = transaction
        self._voice.say(Stage.MAIL, reply)

    def _rcpt(self, argument: str) -> None:
        self._voice.say(Stage.RCPT, self._opened().add(argument))

    def _data(self, argument: str) -> None:
        if argument:
            raise Refusal(Say.SYNTAX)
        reply = self._opened().start_data()
        self._voice.say(Stage.DATA, reply)
        if reply.startswith("3"):
            self._reading = _Reading.MESSAGE
            self._inbound.start_message()

    def _end_of_data(self, message: bytes | Bad) -> None:
        if isinstance(message, Bad):
            raise Refusal(Say.TOO_BIG)
        self._voice.say(Stage.EOD, self._opened().take(message))

    def _opened(self) -> Transaction:
        if self._transaction is None:
            raise Refusal(Say.OUT_OF_ORDER)
        return self._transaction

    def _rset(self, _: str) -> None:
        self._reset()
        self._voice.say(None, Say.OK)

    def _noop(self, _: str) -> None:
        self._voice.say(None, Say.OK)

    def _vrfy(self, _: str) -> None:
        self._voice.say(None, Say.VRFY)

    def _help(self, _: str) -> None:
        self._voice.say(None, Say.HELP)

    def _quit(self, _: str) -> None:
        self._voice.say(None, Say.BYE, After.CLOSE)

    def _unknown(self, _: str) -> None:
        raise Refusal(Say.UNKNOWN)


_Command = tuple[Stage | None, Callable[[Session, str], None]]
_COMMANDS: Final[Mapping[str, _Command]] = {
    "HELO": (Stage.EHLO, Session._helo),
    "EHLO": (Stage.EHLO, Session._ehlo),
    "STARTTLS": (Stage.STARTTLS, Session._starttls),
    "AUTH": (Stage.AUTH, Session._auth),
    "MAIL": (Stage.MAIL, Session._mail),
    "RCPT": (Stage.RCPT, Session._rcpt),
    "DATA": (Stage.DATA, Session._data),
    "RSET": (None, Session._rset),
    "NOOP": (None, Session._noop),
    "VRFY": (None, Session._vrfy),
    "HELP": (None, Session._help),
    "QUIT": (None, Session._quit),
}
