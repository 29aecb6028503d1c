"""What somebody has to know of: a trouble of a mailbox, of a provider or of an account, from its beginning to its end.

Law: one concern of a kind about one subject is open at a time, however often its cause is seen; it names no patient.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from relay.core.outages import REFUSED_WITHIN
from relay.core.words import AccountId, MailboxId


class ConcernKind(StrEnum):
    """The closed vocabulary of what is told."""

    MAILBOX_STOPPED = "mailbox-stopped"
    """Its `reason` is the reply class, or the fault; ends when it works again."""
    PROVIDER_STOPPED = "provider-stopped"
    """Nothing goes to its host, or nobody is let in: an outage, a block of this address, certificates."""
    AUTH_OUTAGE = "auth-outage"
    """It refuses logins that worked: nobody's password is wrong."""
    BLOCK = "block"
    """It blocks many of its mailboxes with the same words."""
    ACCOUNT_STRANDED = "account-stranded"
    """An account's mail goes nowhere: `no-account`, `no-credentials`, `paused-by-admin`."""
    ACCOUNTS_STRANDED = "accounts-stranded"
    """The same of many accounts at once, as where a file of secrets is gone: about the relay as a whole."""
    BOUNCE_GUARD = "bounce-guard"
    """The same refusal of several recipients: bounces were kept back."""
    SPAM_BLOCKED = "spam-blocked"
    """Once: the provider took a message for spam; the ticket for its support is ready."""
    FOREIGN_TRAFFIC = "foreign-traffic"
    """Once: too fast for the provider, while the relay used less than half: somebody else sends there too."""
    PASSWORD_EXPIRED_BY_PROVIDER = "password-expired-by-provider"
    """Libero does so after a burst: said in the notice of the mailbox that stopped."""
    UNKNOWN_REPLY = "unknown-reply"
    """Once: a reply that no rule understands."""
    SILENCE = "silence"
    """An account that normally sends has stopped."""
    SURPRISE = "surprise"
    """Once: it sends far above its usual."""
    MANY_TO_ONE = "many-to-one"
    """Once: recipients that get many mails a day."""
    PAID_UNTIL = "paid-until"
    """Once for each step: the paid term of an account's mailbox ends; `reason` is the step and the date, as
    `30d-2027-03-01`."""
    UNSENDABLE = "unsendable"
    """Once: somebody had to be told of something about this subject, and there is no way to him; `reason` is why."""


ONCE: frozenset[ConcernKind] = frozenset(
    {
        ConcernKind.SPAM_BLOCKED,
        ConcernKind.FOREIGN_TRAFFIC,
        ConcernKind.UNKNOWN_REPLY,
        ConcernKind.SURPRISE,
        ConcernKind.MANY_TO_ONE,
        ConcernKind.PAID_UNTIL,
        ConcernKind.UNSENDABLE,
    }
)
"""Told and over: nothing of them lasts, so nobody is reminded."""

_STORIES = (
    frozenset({ConcernKind.MAILBOX_STOPPED, ConcernKind.BOUNCE_GUARD}),
    frozenset({ConcernKind.PROVIDER_STOPPED, ConcernKind.AUTH_OUTAGE, ConcernKind.BLOCK}),
)


def story_of(kind: ConcernKind) -> tuple[ConcernKind, ...]:
    """The kinds that are one story of their subject: whoever heard of several of its stops hears of one end."""
    return next((tuple(sorted(each)) for each in _STORIES if kind in each), (kind,))


REPRIEVE: Mapping[str, int] = MappingProxyType(
    {
        "auth-rejected": REFUSED_WITHIN,
        "unknown": REFUSED_WITHIN,
        "account-blocked": REFUSED_WITHIN,
        "protocol-error": REFUSED_WITHIN,
    }
)
"""By reason: how long (microseconds) a stopped mailbox that has worked is nobody's news yet, because it may turn out to
be its provider's trouble. When that is found its concern is closed, and who was not told hears nothing of it."""


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom a concern is about; what does not apply is None."""

    provider: str | None = None
    mailbox: MailboxId | None = None
    account: AccountId | None = None

    def __str__(self) -> str:
        mailbox = None if self.mailbox is None else "/".join(self.mailbox)
        return self.account or mailbox or self.provider or "relay"


@dataclass(frozen=True, slots=True)
class Concern:
    """One of them. Instants are wall time, microseconds."""

    id: int
    kind: ConcernKind
    subject: Subject
    reason: str | None
    """A reply class or fault, where the kind alone does not say it."""
    opened_at: int
    closed_at: int | None = None
    told_at: int | None = None
    """When somebody was told of it last; None: nobody was."""
    detail: Mapping[str, str] = field(default_factory=dict)
    """`reply` (masked), figures; closed keys, never a recipient."""
