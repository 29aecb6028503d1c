"""What travels through the relay: a message as accepted, a delivery as claimed, an attempt as it ended.

Law: addresses are kept and sent in the very bytes that were accepted, and none of them shows in `repr`.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from relay.core.limits import Instant
from relay.core.reply import Reply
from relay.core.words import AccountId, DeliveryId, Lane, MailboxId, MessageId, Stage


class Kind(StrEnum):
    """What a message is: a client's mail, or a report of ours, which is never reported on itself."""

    MAIL = "mail"
    REPORT = "report"


@dataclass(frozen=True, slots=True)
class Recipient:
    """One RCPT TO with its DSN parameters (RFC 3461); `notify` empty: the default."""

    address: str = field(repr=False)
    notify: tuple[str, ...] = ()
    orcpt: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Envelope:
    """One SMTP transaction: who sends, to whom, with which parameters."""

    sender: str = field(repr=False)
    recipients: tuple[Recipient, ...] = field(repr=False)
    envid: str | None = None
    ret: str | None = None
    needs_smtputf8: bool = False
    is_8bit: bool = False


@dataclass(frozen=True, slots=True)
class Letter:
    """What a notice tells: which word (how many were said before) of which concern, and to whom (see core/telling)."""

    concern: int
    word: int
    reader: str


@dataclass(frozen=True, slots=True)
class NewMessage:
    """What submission hands to the store: the bytes in wire form (CRLF lines, not dot-stuffed), ready to send."""

    id: MessageId
    client: str
    account: AccountId
    envelope: Envelope
    content: bytes = field(repr=False)
    header_message_id: str = field(repr=False)
    submitted_hash: bytes = field(repr=False)
    """SHA-256 of the very bytes that the client submitted."""
    wants_express: bool = False
    """The client asked for the express lane by X-Relay-Priority."""
    kind: Kind = Kind.MAIL
    answers: int | None = None
    """Of a report: the entry of the outbox that it tells of; where that was struck out, nobody is told."""
    tells: Letter | None = None
    """Of a notice: if it is refused, or does not leave in its time, its word was not said."""
    lifetime: int | None = None
    """Microseconds of wall time until it bounces; None: the account's or the queue's."""
    is_dated: bool = False
    """It is worth nothing after its lifetime, held or not: its sender named the day."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A delivery that this node may send now; the attempt is recorded and its slots are taken."""

    attempt: int
    delivery: DeliveryId
    message: MessageId
    mailbox: MailboxId
    account: AccountId
    lane: Lane
    node: str
    envelope: Envelope
    """With the one recipient of this delivery."""
    size: int
    tries: int
    doubts: int
    is_probe: bool = False
    """The one attempt with which a stopped mailbox shows whether it works again."""


class Verdict(StrEnum):
    """What became of an attempt, as `classify` sees it."""

    DELIVERED = "delivered"
    DEFERRED = "deferred"
    BOUNCED = "bounced"
    HELD = "held"
    """The delivery goes back to its place; its mailbox stops."""
    ASIDE = "aside"
    """The delivery alone is held, until somebody acts: its mailbox goes on."""
    IN_DOUBT = "in-doubt"
    """The gate was passed and no final reply came."""
    CORRUPT = "corrupt"
    """The message cannot be read back from the store: nothing was sent, and no other try would be any different."""
    DROPPED = "dropped"
    """This node no longer held the claim, or stopped before MAIL: nothing happened to the delivery."""


@dataclass(frozen=True, slots=True)
class Result:
    """How one attempt ended."""

    verdict: Verdict
    reply_class: str
    """A class of the closed vocabulary: delivered, auth-rejected, network, unknown, ..."""
    stage: Stage
    reply: Reply | None
    """What the provider said, masked and bounded, or, where nothing was sent, what its offer told the relay; None: it
    said nothing (time-out, drop)."""
    is_mail_written: bool
    """Whether MAIL FROM reached the socket; if not, the slot is given back."""
    is_end_known: bool
    """Whether the reply to the last command written was read; if not, the attempt ends after linger."""
    retry_after: int | None = None
    """Microseconds, where reply or rule names them."""
    is_provider: bool = False
    """What was said is not about this mailbox, but about all that comes from here."""
    is_read: bool = False
    """A rule found the class in the text of the reply; if not, it is a guess from a code."""
    said: str | None = field(default=None, repr=False)
    """What the provider said when it refused, in its own words: addresses unmasked, bounded, only ever kept sealed."""
    is_dsn_passed_on: bool = False
    """The provider was told what reports the sender wants (RFC 3461), and sends them from here on."""

    @property
    def is_attempt(self) -> bool:
        """Whether anything happened to the delivery that is worth keeping."""
        return self.verdict is not Verdict.DROPPED or self.is_mail_written


@dataclass(frozen=True, slots=True)
class LoginFailure:
    """Why a session could not be opened: what was said, and whether it is the mailbox or its provider that failed."""

    reply_class: str
    stage: Stage
    reply: Reply | None
    is_provider: bool
    """The host is what failed (connect, banner, TLS), not this login."""
    is_login_sent: bool
    """Whether credentials were sent, so that the provider counts a login."""
    fault: str | None = None
    """Finer than the class, where that is known: the certificate expired, the name is wrong, ..."""
    is_outdated: bool = False
    """The routing was changed meanwhile: it says nothing about the credential and the way of now."""

    @property
    def is_answered(self) -> bool:
        """Whether the provider told how it ended; if not, it may count the login a while later (linger)."""
        return self.reply is not None

    @property
    def reason(self) -> str:
        """What whoever mends it reads."""
        return self.fault or self.reply_class


@dataclass(frozen=True, slots=True)
class Taken:
    """What `take` returns: deliveries to send now, sessions to open and close, and when to ask again."""

    claims: tuple[Claim, ...]
    open: dict[MailboxId, int]
    """Sessions to open now; they and their logins are reserved until `session` reports on each."""
    close: dict[MailboxId, int]
    """Idle sessions whose place another mailbox needs."""
    wake_at: Instant | None
    """The earliest instant at which more could be granted if nothing else happens."""
    mark: int
    """To be handed to `wait`: what changed since is not missed."""
    knock: frozenset[MailboxId] = frozenset()
    """Of `open`: their provider does not take this machine's address, and is asked by a connection without a login."""
