"""What the schedule is told: the terms that bind mailboxes and providers, their standing, and what still counts.

Law: a mailbox is stopped by its own standing alone, a provider by its own; neither is a matter of a single delivery.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, tzinfo
from fractions import Fraction
from typing import Protocol

from relay.core.limits import HOUR, MINUTE, Instant, Limit
from relay.core.words import AccountId, Lane, MailboxId

DEFAULT_LOGIN_LIMIT = Limit(10, 10 * MINUTE)
"""Hosts punish many logins; ten in ten minutes is far above what reused sessions need."""

DEFAULT_REFUSED_LOGINS = Limit(3, HOUR)
"""Repeated refusals are themselves punished."""


@dataclass(frozen=True, slots=True)
class MailboxTerms:
    """What binds a mailbox: its own limits, weight in the rotation, sessions at once, logins."""

    limits: tuple[Limit, ...] = ()
    weight: int = 1
    connections: int = 1
    login_limit: Limit = DEFAULT_LOGIN_LIMIT
    express_share: Fraction = Fraction(0)
    refused_logins: Limit = DEFAULT_REFUSED_LOGINS


@dataclass(frozen=True, slots=True)
class ProviderTerms:
    """What binds all mailboxes of a provider together."""

    total_limits: tuple[Limit, ...] = ()
    total_connections: int = 20
    zone: tzinfo = UTC


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether a mailbox or provider may be used: freely, or only by one probe from `probe_at` on, or not at all."""

    is_stopped: bool = False
    probe_at: Instant | None = None
    is_proven: bool = True
    slow: int = 1
    logs_in_at: Instant = 0
    """Before this nobody logs in anew; sessions that are open go on."""
    is_fresh: bool = False
    """Its credential was not tried yet: that one login is outside every budget."""
    is_barred: bool = False
    """Of a provider: the probe is a connection on which nobody logs in."""
    is_for_proven: bool = False
    """Of a provider: only who was let in before shows whether anybody is."""
    is_one_by_one: bool = False
    """Of a provider: one session at a time shows whether lines hold; those that are open are that one."""

    @property
    def is_careful(self) -> bool:
        """Whether one session at a time is enough to find out how it is."""
        return self.is_stopped or not self.is_proven or self.logs_in_at > 0

    def opens_at(self, now: Instant) -> Instant | None:
        """The earliest instant of use; None: not before something changes."""
        return now if not self.is_stopped else self.probe_at


@dataclass(frozen=True, slots=True)
class PastAttempt:
    """An attempt that still counts: `ended_at` None while it runs."""

    mailbox: MailboxId
    started_at: Instant
    ended_at: Instant | None
    many: int = 1


class Memory(Protocol):
    """Where the schedule learns of a mailbox or provider that it meets for the first time, or again after a rest."""

    def mailbox_terms(self, mailbox: MailboxId) -> MailboxTerms: ...
    def provider_terms(self, provider: str) -> ProviderTerms: ...
    def mailbox_standing(self, mailbox: MailboxId) -> Standing: ...
    def provider_standing(self, provider: str) -> Standing: ...
    def mailbox_past(self, mailbox: MailboxId) -> Iterable[PastAttempt]: ...
    def provider_past(self, provider: str) -> Iterable[PastAttempt]: ...
    def login_past(self, mailbox: MailboxId) -> Iterable[PastAttempt]: ...
    def refusal_past(self, mailbox: MailboxId) -> Iterable[PastAttempt]:
        """Logins that were refused, and those under way, which may be."""

    def civil_offset(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Grant:
    """The next delivery that may be sent: the oldest ready one of this lane of this account."""

    mailbox: MailboxId
    account: AccountId
    lane: Lane
    is_probe: bool = False
