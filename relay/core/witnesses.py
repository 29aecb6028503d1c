"""Which mailboxes of a provider met what stops it, and since when others have fared better.

Law: who met nothing shows best how a provider is; and what a mailbox meets again, while others do not, is its own
trouble. It is kept in an order, and in memory alone: who is forgotten is accused anew when he meets it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from relay.core.limits import Instant
from relay.core.outages import REMEMBERED
from relay.core.words import MailboxId


@dataclass(frozen=True, slots=True)
class Told:
    """A mailbox was told something in the name of all: when that had begun, and whether it was its login."""

    began: Instant
    is_at_login: bool


@dataclass(frozen=True, slots=True)
class Broken:
    """A mailbox's lines break, and none of its mails went through in between."""

    order: int
    """When the first did."""
    last_at: Instant
    is_own: bool
    """Whether mails of others had gone through before the last one did."""


@dataclass(slots=True)
class Witnesses:
    """Those of one provider."""

    accused: dict[MailboxId, int] = field(default_factory=dict)
    """Who met what stopped it and has not worked since, by when that was."""
    let_in_at: int = 0
    """When somebody was let in last."""
    droppers: dict[MailboxId, int] = field(default_factory=dict)
    """Who lost mails after the dot when that stopped it, and got none through since."""
    delivered_at: int = 0
    """When a mail of anybody went through last."""
    told: dict[MailboxId, Told] = field(default_factory=dict)
    """Who was told in the name of all that nobody is served from here, and sent nothing since: the first time."""
    broken: dict[MailboxId, Broken] = field(default_factory=dict)
    """Whose lines broke, and no mail of it went through since; who broke last is the last."""
    _order: int = 0

    def accuse(self, mailboxes: Iterable[MailboxId]) -> None:
        """These met what stops it: it may be theirs, so others show first whether it is over."""
        self._order += 1
        self.accused.update(dict.fromkeys(mailboxes, self._order))

    def let_in(self, mailbox: MailboxId, *, is_acquitted: bool) -> None:
        """A login worked; where lines break later that says nothing for whoever it was."""
        self._order += 1
        self.let_in_at = self._order
        if is_acquitted:
            self.accused.pop(mailbox, None)

    def is_alone(self, mailbox: MailboxId) -> bool:
        """Whether others were let in since this one met what nobody should meet."""
        return self.accused.get(mailbox, self.let_in_at) < self.let_in_at

    def drop(self, mailboxes: Iterable[MailboxId]) -> None:
        """Mails of these were lost after the dot, and that stops it."""
        self.accuse(mailboxes)
        self.droppers.update(dict.fromkeys(mailboxes, self._order))

    def tell(self, mailbox: MailboxId, told: Told) -> Told:
        """It is told so; the first time counts, until a mail of it goes through: others may have been served since."""
        known = self.told.get(mailbox, told)
        self.told[mailbox] = known if known.is_at_login == told.is_at_login else told
        return self.told[mailbox]

    @property
    def is_told_after_login(self) -> bool:
        """Whether somebody who was let in was told so: that others are let in too shows nothing against it."""
        return any(not told.is_at_login for told in self.told.values())

    def deliver(self, mailbox: MailboxId) -> bool:
        """A mail went through: whatever stopped the provider is not its own; whether it was thought to be."""
        self._order += 1
        self.delivered_at = self._order
        self.droppers.pop(mailbox, None)
        self.told.pop(mailbox, None)
        self.broken.pop(mailbox, None)
        return self.accused.pop(mailbox, None) is not None

    def drops_alone(self, mailbox: MailboxId) -> bool:
        """Whether mails of others went through since this one lost its own: what more it loses is its own trouble."""
        return self.droppers.get(mailbox, self.delivered_at) < self.delivered_at

    def break_line(self, mailbox: MailboxId, now: Instant) -> None:
        """A line of it broke, after the greeting; what broke longer ago than `REMEMBERED` is forgotten."""
        while self.broken and next(iter(self.broken.values())).last_at < now - REMEMBERED:
            del self.broken[next(iter(self.broken))]
        known = self.broken.pop(mailbox, None)
        order = self._order if known is None else known.order
        self.broken[mailbox] = Broken(order, now, is_own=order < self.delivered_at)

    def breaks_alone(self, mailbox: MailboxId) -> bool:
        """Whether its line broke again, after mails of others went through: that says nothing of its provider."""
        broken = self.broken.get(mailbox)
        return broken is not None and broken.is_own

    def loses_alone(self, mailbox: MailboxId) -> bool:
        """Whether what this one loses after the dot says nothing of its provider."""
        return self.drops_alone(mailbox) or self.breaks_alone(mailbox)
