"""The reading port: what admins ask about messages, accounts and providers, with why each is not moving and until when.

Law: it only reads, a page at a time, and never holds up what moves mail; no view names a recipient but by hash and
domain, and every reply in it is masked. Instants are wall time in microseconds since 1970 UTC.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Generic, Protocol, TypeVar

from relay.core.remedy import Needs
from relay.core.routing import Owner
from relay.core.words import AccountId, Lane, MailboxId, MessageId, Plan
from relay.errors import PermanentError

T = TypeVar("T")

PAGE: int = 100
"""Items on a page unless asked for."""

PAGE_MOST: int = 1000
"""Items on a page at most: what a caller can read, and the loop can make without a pause that others feel."""


class WrongCursor(PermanentError):
    """this cursor is not one that a list of this relay ended with"""


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some of a list; `next_cursor` None: there is no more."""

    items: tuple[T, ...]
    next_cursor: str | None = None


@dataclass(frozen=True, slots=True)
class AttemptView:
    """One try of a delivery; `ended_at` None while it runs."""

    started_at: int
    ended_at: int | None
    stage: str | None
    reply_class: str | None
    reply: str | None


@dataclass(frozen=True, slots=True)
class DeliveryView:
    """A delivery as admins see it; its address only as a keyed hash and a domain."""

    recipient_hash: str
    """Hexadecimal; equal for equal addresses of this store, whatever the case of their domain."""
    recipient_domain: str
    state: str
    """waiting, sending, held, delivered, bounced, cancelled."""
    lane: Lane
    reason: str | None
    """Why it is not moving or how it ended: a reply class, `limit`, `login`, `queue`, `no-account`, `in-doubt`, ...;
    None: nothing is in its way, or it was delivered."""
    since: int
    needs: Needs | None
    eta: int | None
    """When it will leave if nothing new happens, or be tried next, which is before its lifetime ends; None: final, or
    not before somebody acts."""
    attempts: tuple[AttemptView, ...] = ()
    bounces_at: int | None = None
    """When its lifetime ends, where it will not leave before unless somebody acts; of what bounced
    for it: the day that its sender had named."""


@dataclass(frozen=True, slots=True)
class MessageView:
    """A message with its deliveries; `state` is the first of sending, waiting, held, bounced, cancelled, delivered
    that one of its deliveries is in."""

    id: MessageId
    account: AccountId
    client: str
    state: str
    accepted_at: int
    size: int
    deliveries: tuple[DeliveryView, ...]
    is_dated: bool = False
    """Its sender named the day on which its lifetime ends (`X-Relay-Valid-Until`)."""


@dataclass(frozen=True, slots=True)
class LimitView:
    """A limit, as routing.yaml writes it, and how much of it is used now."""

    limit: str
    used: int
    most: int
    """What it allows now (less when slowed)."""


@dataclass(frozen=True, slots=True)
class PausedView:
    """That a person keeps an account's mail back: since when, and why, in his words."""

    since: int
    why: str


@dataclass(frozen=True, slots=True)
class SaidView:
    """What a provider said last about mail of a mailbox, masked."""

    at: int
    stage: str
    reply_class: str
    reply: str


@dataclass(frozen=True, slots=True)
class SentView:
    """How much an account hands in, as far back as history goes; reports of ours do not count."""

    last_at: int | None
    """When it last did; None: not in the history (90 days)."""
    week: int
    """Messages of the last 7 days."""
    month: int
    """Messages of the last 30 days."""


@dataclass(frozen=True, slots=True)
class LoginWait:
    """That a budget of logins lets a mailbox without a session have none now, whatever else would let it."""

    budget: str
    """`refused-logins` (health.refused_logins) or `login` (the provider's login_limit)."""
    limit: str
    """As it is written."""
    until: int


@dataclass(frozen=True, slots=True)
class Particulars:
    """What the routing and the store know of an account beyond its health."""

    owner: Owner = field(default=Owner(), repr=False)
    aliases: tuple[str, ...] = ()
    replaces: Mapping[str, date] = field(default_factory=dict)
    retires: date | None = None
    paid_until: date | None = None
    paused: PausedView | None = None
    stranded_at: int | None = None
    """Since when its mail goes nowhere, where that is known (no-credentials, paused-by-admin)."""
    sent: SentView | None = None
    """None: nobody asked."""
    last_reply: SaidView | None = None
    """None where it was not asked for, or nothing was said yet."""
    login_wait: LoginWait | None = None
    """None: its mailbox may log in, or has a session, or nobody asked."""
    tried_at: int | None = None
    """When its mailbox, which is stopped, is really tried next, wall time: budgets of logins and limits have room then;
    None: it is not stopped, or that is not foreseeable."""
    host_tried_at: int | None = None
    """The same where its provider is stopped: when that is tried next by this mailbox, which is not before its own."""


@dataclass(frozen=True, slots=True)
class AccountView:
    """An account with the health of its mailbox."""

    sender: AccountId
    plan: Plan | None
    """None: it is in no routing any more, only its mail is left."""
    mailbox: MailboxId | None
    health: str
    """ok, doubted, slowed, waiting, paused, retired."""
    reason: str | None
    since: int | None
    eta: int | None
    """When the last of what it has queued now will have left or, while somebody has to act, when it is tried next;
    None: nothing is queued, or not before somebody acts."""
    needs: Needs | None
    queued: int
    limits: tuple[LimitView, ...] = ()
    particulars: Particulars = field(default=Particulars(), compare=False)


@dataclass(frozen=True, slots=True)
class ProviderView:
    """A provider's host, its total limits, and the sessions that are open with it."""

    provider: str
    health: str
    reason: str | None
    since: int | None
    eta: int | None
    """When its host is tried next; None: it is well."""
    needs: Needs | None
    sessions: int
    limits: tuple[LimitView, ...] = ()
    accounts: int = 0
    """Accounts of the routing that send through it: while it is stopped their mail waits, however well they are."""


@dataclass(frozen=True, slots=True)
class MessageQuery:
    """Which messages; every part that is given must hold. Newest first."""

    states: frozenset[str] = frozenset()
    """Of which at least one delivery is in one of these states; empty: any."""
    account: AccountId | None = None
    message_id: str | None = field(default=None, repr=False)
    """The header field Message-ID, as the sender knows it."""
    limit: int = PAGE
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class AccountQuery:
    """Which accounts, by sender; every part that is given must hold."""

    health: str | None = None
    plan: Plan | None = None
    has_queued: bool = False
    """Only those with mail in the queue."""
    with_sent: bool = False
    """Also how much each of them hands in."""
    limit: int = PAGE
    cursor: str | None = None


class Reading(Protocol):
    """What can be asked. WrongCursor: a query's cursor is none of ours."""

    async def messages(self, query: MessageQuery) -> Page[MessageView]:
        """A page of messages, without the attempts of their deliveries."""

    async def message(self, message: MessageId) -> MessageView | None:
        """One message with all attempts; None: there is none of this id."""

    async def accounts(self, query: AccountQuery) -> Page[AccountView]:
        """A page of accounts."""

    async def account(self, sender: AccountId) -> AccountView | None:
        """One account, by any address that it sends as, with all particulars; None: routing and queue know none."""

    async def providers(self) -> Sequence[ProviderView]:
        """Every provider of the routing in force, by name."""
