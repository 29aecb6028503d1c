"""Which reply at which stage, and what has to follow: the rows that the real relay is driven through.

Law: what follows is written here a second time, from the design's table and not from the code that is tested.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum

OWNER, OPS, NOBODY = "owner", "ops", None


class Follows(Enum):
    """What becomes of the delivery, of its mailbox and of its provider, and who is told: one row of the class table."""

    DELIVERED = "delivered", "ok", "ok", NOBODY
    BOUNCED = "bounced", "ok", "ok", NOBODY
    RETRIED = "waiting", "ok", "ok", NOBODY
    """The delivery alone is tried again later."""
    ASIDE = "held", "ok", "ok", OPS
    """The delivery alone is held; whoever runs the relay has to look."""
    SOON = "held", "waiting", "ok", NOBODY
    """The mailbox waits for a while, and time alone heals it."""
    QUOTA = "held", "waiting", "ok", OWNER
    OWNER_ACTS = "held", "paused", "ok", OWNER
    OPS_ACT = "held", "paused", "ok", OPS
    HOST_SOON = "waiting", "ok", "waiting", NOBODY
    """The provider's host is tried again soon."""
    HOST_ACTS = "held", "ok", "paused", OPS
    """The provider's host, until somebody mends it or it lets us in again."""

    def __init__(self, delivery: str, mailbox: str, provider: str, told: str | None) -> None:
        self.delivery = delivery
        self.mailbox = mailbox
        self.provider = provider
        self.told = told


@dataclass(frozen=True)
class Row:
    """One reply, what it means, and what follows from it."""

    reply_class: str
    stage: str
    reply: str
    follows: Follows
    reason: str | None = None
    """What is shown as the reason, where it is not the class."""
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
        return self.stage != "auth" and self.reply_class in ("unknown", "account-blocked")

    @property
    def shown(self) -> str:
        """The reason that is shown."""
        return self.reason or self.reply_class


def _at(reply_class: str, follows: Follows, stages: str, *replies: str, reason: str | None = None) -> Iterator[Row]:
    for stage in stages.split():
        for reply in replies:
            yield Row(reply_class, stage, reply, follows, reason)


ROWS: tuple[Row, ...] = (
    *_at("auth-rejected", Follows.OWNER_ACTS, "auth", "535 5.7.8 Error: authentication failed: authentication failure"),
    *_at("auth-method", Follows.OWNER_ACTS, "auth", "534 5.7.9 Application-specific password required."),
    *_at("auth-temporary", Follows.SOON, "auth", "454 4.7.0 Temporary authentication failure"),
    *_at(
        "too-many-connections", Follows.SOON, "auth",
        "421 4.7.0 Too many concurrent SMTP connections",
    ),
    *_at("rate-limited", Follows.SOON, "mail rcpt data eod", "450 4.7.1 Mail send limit exceeded, too many messages."),
    *_at("quota-exceeded", Follows.QUOTA, "mail rcpt data eod", "550 5.4.5 Daily user sending limit exceeded."),
    *_at("quota-exceeded", Follows.QUOTA, "mail", "454 Throttling failure: Daily message quota exceeded"),
    *_at("spam-blocked", Follows.BOUNCED, "data eod", "552 5.2.0 igxL1p00E1WDM2s01gxMXG spam detected"),
    *_at(
        "content-refused", Follows.BOUNCED, "eod",
        "552 5.7.0 This message was blocked because its content presents a potential security issue.",
    ),
    *_at(
        "account-blocked", Follows.OWNER_ACTS, "auth mail rcpt data eod",
        "550 5.7.1 Your account has been suspended and cannot send mail",
    ),
    *_at(
        "sender-refused", Follows.OWNER_ACTS, "mail rcpt eod",
        "553 5.7.1 Sender address rejected: not owned by user",
    ),
    *_at(
        "sender-mailbox-full", Follows.OWNER_ACTS, "mail eod",
        "554 5.2.2 mailbox full; STOREDRV.Submission.Exception:QuotaExceededException; Failed to process message",
    ),
    *_at("recipient-unknown", Follows.BOUNCED, "rcpt", "550 5.1.1 Recipient address rejected: User unknown"),
    *_at("recipient-mailbox-full", Follows.RETRIED, "rcpt", "452 4.2.2 The recipient's inbox is out of storage space"),
    *_at("recipient-mailbox-full", Follows.BOUNCED, "rcpt", "552 5.2.2 The recipient mailbox is full"),
    *_at("recipient-domain-bad", Follows.BOUNCED, "rcpt", "550 5.1.2 We weren't able to find the recipient domain."),
    *_at("recipient-refused", Follows.RETRIED, "rcpt", "450 4.2.1 The user is receiving mail too quickly"),
    *_at("recipient-refused", Follows.BOUNCED, "rcpt", "550 5.7.1 Recipient refuses mail from you"),
    *_at("greylisted", Follows.RETRIED, "rcpt", "450 4.2.0 Recipient address rejected: Greylisted"),
    *_at("policy-refused", Follows.BOUNCED, "eod", "550 5.7.26 Unauthenticated email is not accepted: DMARC policy"),
    *_at("message-too-large", Follows.BOUNCED, "mail eod", "552 5.3.4 Message size exceeds fixed limit"),
    *_at("too-many-recipients", Follows.SOON, "rcpt", "452 4.5.3 Your message has too many recipients."),
    *_at("ip-blocked", Follows.HOST_ACTS, "connect mail", "550 5.7.1 Client host [203.0.113.9] is on our block list"),
    *_at("tls-required", Follows.HOST_ACTS, "auth mail", "530 5.7.0 Must issue a STARTTLS command first"),
    *_at("protocol-error", Follows.BOUNCED, "rcpt", "503 5.5.1 Error: nested MAIL command"),
    *_at("protocol-error", Follows.ASIDE, "mail data eod", "503 5.5.1 Error: bad sequence of commands"),
    *_at("outage", Follows.HOST_SOON, "connect ehlo", "421 4.3.0 Temporary System Problem. Try again later."),
    *_at("outage", Follows.SOON, "mail rcpt data eod", "451 4.3.0 Temporary service failure"),
    *_at("network", Follows.HOST_SOON, "connect ehlo", "!drop"),
    *_at("network", Follows.SOON, "auth mail rcpt data", "!drop"),
    *_at("unknown", Follows.HOST_ACTS, "connect ehlo", "599 zzqq totally unknown gibberish"),
    *_at("unknown", Follows.OPS_ACT, "auth mail", "599 zzqq totally unknown gibberish"),
    *_at("unknown", Follows.RETRIED, "rcpt data eod", "599 zzqq totally unknown gibberish"),
    *_at("unknown", Follows.RETRIED, "data eod", "499 zzqq not known either"),
)  # fmt: skip
"""Once each: what takes several of a kind (spam thrice, three domains, three mailboxes) has its own tests."""
