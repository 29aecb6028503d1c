"""Which reply at which stage, and what has to follow: the rows that the real relay is driven through.

Law: what follows is written here a second time, from the design's table and not from the code that is tested.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum

OWNER, VENDOR, OPS, NOBODY = "owner", "vendor", "ops", None
BEFORE_LOGIN = ("connect", "ehlo", "starttls")
"""Nobody has said who he is: what is answered here everybody hears."""


class Follows(Enum):
    """What becomes of the delivery, of its mailbox and of its provider, and who is told: one row of the class table."""

    BOUNCED = "bounced", "ok", "ok", NOBODY
    RETRIED = "waiting", "ok", "ok", NOBODY
    """The delivery alone is tried again later."""
    ALONE = "waiting", "ok", "ok", NOBODY, 2
    """Its mailbox waits for one try more; when that fails for this delivery again, it alone is tried again later."""
    FEWER = "waiting", "ok", "ok", NOBODY, 1, True
    """Nobody opens a session at this provider for a while."""
    ASIDE = "held", "ok", "ok", OPS
    """The delivery alone is held; whoever runs the relay has to look."""
    SOON = "held", "waiting", "ok", NOBODY
    """The mailbox waits for a while, and time alone heals it."""
    QUOTA = "held", "waiting", "ok", OWNER
    DOUBTED = "held", "doubted", "ok", NOBODY
    """One login more shows what it was."""
    OWNER_ACTS = "held", "paused", "ok", OWNER
    OPS_ACT = "held", "paused", "ok", OPS
    HOST_SOON = "waiting", "ok", "waiting", NOBODY
    """The provider's host is tried again soon."""
    HOST_ACTS = "held", "ok", "paused", OPS
    """The provider's host, until somebody mends it or it lets us in again."""
    HOST_TLS = "held", "ok", "waiting", NOBODY
    """The same for now: if it lasts somebody has to mend it."""

    def __init__(
        self, delivery: str, mailbox: str, provider: str, told: str | None, times: int = 1, is_of_all: bool = False
    ) -> None:
        self.delivery = delivery
        self.mailbox = mailbox
        self.provider = provider
        self.told = told
        self.times = times
        """How often it is met before all this is so."""
        self.stops = mailbox != "ok" or provider != "ok"
        self.is_of_all = is_of_all or provider != "ok"
        """Whether neighbours wait too."""


@dataclass(frozen=True)
class Row:
    """One reply, what it means, and what follows from it."""

    reply_class: str
    stage: str
    reply: str
    follows: Follows
    reason: str | None = None
    """What is shown as the reason, where it is not the class."""
    of_delivery: str | None = None
    """The same of the delivery alone."""
    name: str = field(init=False)

    def __post_init__(self) -> None:
        code = self.reply[:3] if self.reply[:3].isdigit() else self.reply.strip("!")
        object.__setattr__(self, "name", f"{self.reply_class}-{self.stage}-{code}")

    @property
    def is_of_host(self) -> bool:
        """Whether its provider is what stops."""
        return self.follows.provider != "ok"

    @property
    def is_told_later(self) -> bool:
        """Whether it may still turn out to be its provider's trouble: after a login that worked, that is waited for."""
        return (
            self.follows.mailbox == "paused" and self.stage != "auth" and self.shown in ("unknown", "account-blocked")
        )

    @property
    def is_said_once(self) -> bool:
        """Whether whoever comes next is served: the report on a bounce, and the neighbour of who came first."""
        return self.follows is Follows.BOUNCED or (self.stage in BEFORE_LOGIN and not self.is_of_host)

    @property
    def notices(self) -> dict[str, str]:
        """What is told of it at once, in the words of the webhook, which hears everything; and who is told by mail."""
        told: dict[str, str] = {}
        to = self.follows.told
        if to is not None and self.follows is not Follows.ASIDE and not self.is_told_later:
            told["provider.stopped" if self.is_of_host else "mailbox.stopped"] = to
        if self.reply_class == "unknown" or self.follows is Follows.ASIDE:
            told["reply.unknown"] = OPS
        if self.reply_class == "spam-blocked":
            told["mailbox.spam_blocked"] = VENDOR
        return told

    @property
    def shown(self) -> str:
        """The reason that is shown."""
        return self.reason or self.reply_class


def _at(
    reply_class: str,
    follows: Follows,
    stages: str,
    *replies: str,
    reason: str | None = None,
    of_delivery: str | None = None,
) -> Iterator[Row]:
    for stage in stages.split():
        for reply in replies:
            yield Row(reply_class, stage, reply, follows, reason, of_delivery)


ROWS: tuple[Row, ...] = (
    *_at("auth-rejected", Follows.OWNER_ACTS, "auth", "535 5.7.8 Error: authentication failed: authentication failure"),
    *_at("auth-rejected", Follows.DOUBTED, "mail", "535 5.7.8 Error: authentication failed: authentication failure"),
    *_at("auth-method", Follows.OWNER_ACTS, "auth", "534 5.7.9 Application-specific password required."),
    *_at("auth-method", Follows.OWNER_ACTS, "mail rcpt eod", "530 5.7.57 Client not authenticated to send mail"),
    *_at("auth-temporary", Follows.SOON, "auth", "454 4.7.0 Temporary authentication failure"),
    *_at(
        "too-many-connections", Follows.SOON, "connect ehlo auth",
        "421 4.7.0 Too many concurrent SMTP connections",
    ),
    *_at(
        "too-many-connections", Follows.RETRIED, "mail rcpt data eod",
        "421 4.7.0 Too many concurrent SMTP connections",
    ),
    *_at(
        "too-many-connections", Follows.HOST_SOON, "connect ehlo auth",
        "432 4.7.0 Too many connections from your IP address",
    ),
    *_at(
        "too-many-connections", Follows.FEWER, "mail rcpt data eod",
        "432 4.7.0 Too many connections from your IP address", of_delivery="login",
    ),
    *_at("rate-limited", Follows.HOST_SOON, "connect ehlo", "450 4.7.1 Mail send limit exceeded, too many messages."),
    *_at(
        "rate-limited", Follows.SOON, "auth mail rcpt data eod",
        "450 4.7.1 Mail send limit exceeded, too many messages.",
    ),
    *_at("quota-exceeded", Follows.QUOTA, "auth mail rcpt data eod", "550 5.4.5 Daily user sending limit exceeded."),
    *_at("quota-exceeded", Follows.QUOTA, "mail", "454 Throttling failure: Daily message quota exceeded"),
    *_at("spam-blocked", Follows.BOUNCED, "rcpt data eod", "552 5.2.0 igxL1p01E00WDM2s01gxMXG spam detected"),
    *_at(
        "content-refused", Follows.BOUNCED, "rcpt data eod",
        "552 5.7.0 This message was blocked because its content presents a potential security issue.",
    ),
    *_at(
        "account-blocked", Follows.OWNER_ACTS, "auth mail rcpt data eod",
        "550 5.7.1 Your account has been suspended and cannot send mail",
    ),
    *_at(
        "sender-refused", Follows.OWNER_ACTS, "mail rcpt data eod",
        "553 5.7.1 Sender address rejected: not owned by user",
    ),
    *_at("sender-refused", Follows.OWNER_ACTS, "mail", "450 4.7.1 Sender address rejected: not owned by user"),
    *_at(
        "sender-mailbox-full", Follows.OWNER_ACTS, "auth mail rcpt data eod",
        "554 5.2.2 mailbox full; STOREDRV.Submission.Exception:QuotaExceededException; Failed to process message",
    ),
    *_at("recipient-unknown", Follows.BOUNCED, "rcpt data eod", "550 5.1.1 Recipient address rejected: User unknown"),
    *_at(
        "recipient-mailbox-full", Follows.RETRIED, "rcpt data eod",
        "452 4.2.2 The recipient's inbox is out of storage space",
    ),
    *_at("recipient-mailbox-full", Follows.BOUNCED, "rcpt data eod", "552 5.2.2 The recipient mailbox is full"),
    *_at(
        "recipient-domain-bad", Follows.BOUNCED, "rcpt data eod",
        "550 5.1.2 We weren't able to find the recipient domain.",
    ),
    *_at("recipient-domain-bad", Follows.RETRIED, "rcpt", "450 4.1.2 Recipient address rejected: Domain not found"),
    *_at("recipient-refused", Follows.RETRIED, "rcpt data eod", "450 4.2.1 The user is receiving mail too quickly"),
    *_at("recipient-refused", Follows.BOUNCED, "rcpt data eod", "550 5.7.1 Recipient refuses mail from you"),
    *_at("greylisted", Follows.RETRIED, "mail rcpt data eod", "450 4.2.0 Recipient address rejected: Greylisted"),
    *_at("policy-refused", Follows.OWNER_ACTS, "mail", "550 5.7.26 Unauthenticated email is not accepted: DMARC"),
    *_at(
        "policy-refused", Follows.BOUNCED, "rcpt data eod",
        "550 5.7.26 Unauthenticated email is not accepted: DMARC policy",
    ),
    *_at("message-too-large", Follows.BOUNCED, "mail rcpt data eod", "552 5.3.4 Message size exceeds fixed limit"),
    *_at("too-many-recipients", Follows.SOON, "mail rcpt data eod", "452 4.5.3 Your message has too many recipients."),
    *_at(
        "ip-blocked", Follows.HOST_ACTS, "connect ehlo starttls",
        "550 5.7.1 Client host [203.0.113.9] is on our block list",
    ),
    *_at(  # said to one of several mailboxes
        "ip-blocked", Follows.OPS_ACT, "auth mail rcpt data eod",
        "550 5.7.1 Client host [203.0.113.9] is on our block list",
    ),
    *_at("tls-required", Follows.HOST_ACTS, "ehlo", "530 5.7.0 Must issue a STARTTLS command first"),
    *_at(
        "tls-required", Follows.OPS_ACT, "auth mail rcpt data eod",
        "530 5.7.0 Must issue a STARTTLS command first",
    ),
    *_at(
        "tls-required", Follows.HOST_ACTS, "starttls",
        "501 5.5.4 Syntax error", "599 zzqq totally unknown gibberish", reason="tls-refused",
    ),
    *_at("protocol-error", Follows.HOST_ACTS, "connect ehlo", "503 5.5.1 Error: bad sequence of commands"),
    *_at("protocol-error", Follows.BOUNCED, "rcpt", "503 5.5.1 Error: nested MAIL command"),
    *_at("protocol-error", Follows.ASIDE, "mail data eod", "503 5.5.1 Error: bad sequence of commands"),
    *_at("outage", Follows.HOST_SOON, "connect ehlo starttls", "421 4.3.0 Temporary System Problem. Try again later."),
    *_at("outage", Follows.HOST_SOON, "connect ehlo", "499 zzqq not known either"),
    *_at("outage", Follows.HOST_TLS, "starttls", "454 4.7.0 TLS not available for now", reason="tls-refused"),
    *_at("outage", Follows.SOON, "auth", "454 4.3.2 System not accepting network messages"),
    *_at("outage", Follows.SOON, "mail rcpt data eod", "451 4.3.0 Temporary service failure"),
    *_at("outage", Follows.ALONE, "mail rcpt data eod", "421 4.3.0 Temporary System Problem. Try again later."),
    *_at("network", Follows.HOST_SOON, "connect ehlo starttls", "!drop"),
    *_at("network", Follows.SOON, "auth", "!drop"),
    *_at("network", Follows.ALONE, "mail rcpt data", "!drop"),
    *_at("network", Follows.SOON, "eod", "!drop", of_delivery="in-doubt"),
    *_at("unknown", Follows.HOST_ACTS, "connect ehlo", "599 zzqq totally unknown gibberish"),
    *_at("unknown", Follows.OPS_ACT, "auth mail", "599 zzqq totally unknown gibberish"),
    *_at("unknown", Follows.RETRIED, "rcpt data eod", "599 zzqq totally unknown gibberish"),
    *_at("unknown", Follows.RETRIED, "data eod", "499 zzqq not known either"),
)  # fmt: skip
"""Once each: what takes several of a kind (spam thrice, three domains, three mailboxes) has its own tests."""
