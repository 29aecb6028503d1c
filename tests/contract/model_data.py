"""What the model store keeps: plain lists, no index, nothing twice.

Law: `Disk` is what survives a crash, `Process` is what does not.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from relay.core.envelope import Claim, Envelope, NewMessage
from relay.core.health import Health
from relay.core.lifecycle import State
from relay.core.reply import Reply
from relay.core.routing import Routing
from relay.core.words import AccountId, Lane, MailboxId
from relay.store.ports import OutboxEntry
from tests.contract.counting import Run


@dataclass
class Mail:
    """A message that was accepted."""

    new: NewMessage
    accepted_at: int
    accepted_relay: int
    lane: Lane


@dataclass
class Delivery:
    """One message to one recipient."""

    id: int
    mail: Mail
    envelope: Envelope
    expires_at: int
    state: State = State.WAITING
    due: int = 0
    tries: int = 0
    doubts: int = 0
    reason: str | None = None
    reply: Reply | None = None
    is_seen: bool = False
    """Whether it was looked at for a notice of delay."""
    since: int = 0
    """When its state changed last; 0: never."""

    @property
    def account(self) -> AccountId:
        return self.mail.new.account


@dataclass
class Attempt(Run):
    """One try of a delivery; `ended` None while its slot is held."""

    delivery: Delivery = None  # type: ignore[assignment]
    claim: Claim = None  # type: ignore[assignment]
    gated_at: int | None = None
    lapsed_at: int | None = None
    is_over: bool = False
    is_counted: bool = True
    stage: str | None = None
    reply_class: str | None = None
    reply: Reply | None = None
    is_refused: bool = False
    """It ended otherwise than delivered."""
    is_lost: bool = False
    """The delivery is not this attempt's any more."""


@dataclass
class Login(Run):
    """One login."""

    is_refusal: bool = False
    reply_class: str | None = None
    """Why it failed; None: it worked, or is under way."""


@dataclass
class Applied:
    """The routing in force."""

    version: int = 0
    routing: Routing = field(default_factory=Routing)
    fingerprints: Mapping[MailboxId, str | None] = field(default_factory=dict)
    without: Mapping[MailboxId, int] = field(default_factory=dict)
    """Since when a mailbox has no credentials."""

    def trouble_of(self, account: AccountId) -> str | None:
        known = self.routing.accounts.get(account)
        if known is None:
            return "no-account"
        return "no-credentials" if self.fingerprints.get(known.mailbox, "") is None else None

    def mailbox_of(self, account: AccountId) -> MailboxId | None:
        return None if self.trouble_of(account) else self.routing.accounts[account].mailbox


@dataclass
class Disk:
    """What survives."""

    mails: list[Mail] = field(default_factory=list)
    deliveries: list[Delivery] = field(default_factory=list)
    attempts: list[Attempt] = field(default_factory=list)
    logins: list[Login] = field(default_factory=list)
    healths: dict[MailboxId, Health] = field(default_factory=dict)
    provider_healths: dict[str, Health] = field(default_factory=dict)
    applied: Applied = field(default_factory=Applied)
    outbox: list[OutboxEntry] = field(default_factory=list)
    handed: dict[int, Mail] = field(default_factory=dict)
    """By entry of the outbox: the report that tells of it and is on its way."""
    untold: set[int] = field(default_factory=set)
    """Entries that nobody can be told of."""
    leases: dict[str, int] = field(default_factory=dict)
    lost: list[Attempt] = field(default_factory=list)
    guarded: dict[MailboxId, int] = field(default_factory=dict)
    """When a mailbox stood still for its bounces last."""
    guarded_from: dict[MailboxId, int] = field(default_factory=dict)
    """When that began."""
    noticed: dict[AccountId, tuple[int, int]] = field(default_factory=dict)
    """Per account: since when notices of delay are counted, and how many."""
    places: dict[str, set[str]] = field(default_factory=dict)
    """By host and port: the provider entries that lead there, or once did."""
    numbers: int = 0
    planted: Any = None
    """What a planted fault keeps beside."""

    def kin(self, mailbox: MailboxId) -> list[MailboxId]:
        """The same login under all of its names, its own first."""
        met = (names for names in self.places.values() if mailbox.provider in names)
        others = set().union(*met) - {mailbox.provider}
        return [mailbox, *(MailboxId(name, mailbox.username) for name in sorted(others))]

    def number(self) -> int:
        self.numbers += 1
        return self.numbers


@dataclass
class Process:
    """What is gone when all processes die."""

    sessions: list[MailboxId] = field(default_factory=list)
    """One entry for each session that is open."""
    openings: list[Login] = field(default_factory=list)
    """Logins that were asked for and not reported on."""
    crowded: dict[MailboxId | str, int] = field(default_factory=dict)
    """Until when a mailbox, or all of a provider by its name, have enough sessions."""
    accused: dict[MailboxId, int] = field(default_factory=dict)
    """When a mailbox met what stopped its provider, if it has not worked since."""
    droppers: dict[MailboxId, int] = field(default_factory=dict)
    """When a mailbox lost a mail after the dot, and its provider was stopped for it, if it has sent none since."""
    told: dict[MailboxId, tuple[int, bool]] = field(default_factory=dict)
    """Who was told in the name of all, and sent nothing since: when the first such try began, and if it was a login."""
    broken: dict[MailboxId, tuple[int, int]] = field(default_factory=dict)
    """Whose lines broke, and who sent nothing since: when the first did, in the same order, and when the last did."""
    alone: set[MailboxId] = field(default_factory=set)
    """Of those, whose last one broke after mails of others had gone through."""
    delivered: dict[str, int] = field(default_factory=dict)
    """By provider: when a mail went through last, in the same order."""
    let_in: dict[str, int] = field(default_factory=dict)
    """By provider: when somebody was let in last, in the same order."""
    order: int = 0
