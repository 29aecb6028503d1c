"""What metrics ask of limits and of single accounts, gathered in small steps.

Law: it only reads; among 100,000 accounts each step looks at a bounded number of them.
"""

from dataclasses import dataclass, field

from relay.core.limits import SECOND
from relay.core.rotation import Line, ProviderLine
from relay.core.words import AccountId, MailboxId
from relay.store.engine.accounts import AccountViews, health_of
from relay.store.engine.context import Context
from relay.store.engine.statements import load_statements
from relay.store.ports.history import AccountGauge, LimitWait

_SQL = load_statements("reading")

ACTIVE: int = 24 * 60 * 60 * SECOND
"""Who sent something within this time is shown by name."""

WELL = "ok"


@dataclass(slots=True)
class Waits:
    """When the limits let something leave, per provider with mail that is ready."""

    opens: dict[str, int | None] = field(default_factory=dict)
    hosts: dict[str, ProviderLine] = field(default_factory=dict)

    def look(self, context: Context, lines: list[Line]) -> None:
        """Looks at some mailboxes; one that is stopped waits for something else than a limit."""
        now = context.clock.now()
        for line in lines:
            if not line.ready:
                continue
            name = line.mailbox.provider
            self.hosts[name] = line.provider
            earliest = self.opens.setdefault(name, None)
            at = now if line.turn is not None else line.alarm
            if at is not None and not line.standing.is_stopped and (earliest is None or at < earliest):
                self.opens[name] = at

    def finish(self, context: Context) -> list[LimitWait]:
        """By name; the totals have to be open too."""
        return [LimitWait(name, self._seconds(name, context.clock.now())) for name in sorted(self.hosts)]

    def _seconds(self, name: str, now: int) -> float:
        own, total = self.opens[name], self.hosts[name].totals.whole.opens_at(now)
        return 0.0 if own is None or total is None else max(0, max(own, total) - now) / SECOND


@dataclass(slots=True)
class Roster:
    """Who is shown by name: those that are not well, those with mail queued, those that sent something lately."""

    ailing: list[AccountId] = field(default_factory=list)
    queued: list[AccountId] = field(default_factory=list)
    active: list[AccountId] = field(default_factory=list)

    def look(self, context: Context, senders: list[AccountId]) -> None:
        """Looks at some accounts of the routing."""
        accounts, since = context.routes.routing.accounts, context.clock.now() - ACTIVE
        for sender in senders:
            account = accounts.get(sender)
            if account is None or health_of(context, account) != WELL:
                self.ailing.append(sender)
            elif _has_mail(context, sender):
                self.queued.append(sender)
            elif _was_active(context, account.mailbox, since):
                self.active.append(sender)

    def first(self, most: int) -> tuple[list[AccountId], int]:
        """At most `most` of them, and how many there are beside."""
        everybody = [*sorted(self.ailing), *sorted(self.queued), *sorted(self.active)]
        return everybody[:most], max(0, len(everybody) - most)


def gauge_of(context: Context, views: AccountViews, sender: AccountId) -> AccountGauge:
    """The figures of one account."""
    account = context.routes.routing.accounts.get(sender)
    mailbox = context.routes.mailbox_of(sender)
    health = "paused" if account is None else health_of(context, account)
    ratio = 0.0 if account is None else _used(context.schedule.look(account.mailbox), context.clock.now())
    if not _has_mail(context, sender):
        return AccountGauge(sender, health, ratio, 0.0)
    view = None if mailbox is None else views.one(sender)
    if view is None or view.eta is None or view.needs is not None:
        return AccountGauge(sender, health, ratio, None)
    return AccountGauge(sender, health, ratio, max(0, view.eta - context.clock.civil()) / SECOND)


def _used(line: Line, now: int) -> float:
    return max((min(1.0, window.used(now) / window.ceiling()) for window in line.ledger.windows), default=0.0)


def _has_mail(context: Context, sender: AccountId) -> bool:
    number = context.names.known_account(sender)
    return number is not None and context.pending.line(number) is not None


def _was_active(context: Context, mailbox: MailboxId, since: int) -> bool:
    number = context.names.known_mailbox(mailbox)
    return number is not None and context.database.read_one(_SQL["was_active"], (number, since)) is not None
