"""What metrics ask of limits and of single accounts, gathered in small steps.

Law: it only reads; among 100,000 accounts each step looks at a bounded number of them.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from relay.core.limits import SECOND
from relay.core.rotation import Line, ProviderLine
from relay.core.words import AccountId, MailboxId
from relay.store.ports.history import AccountGauge, LimitWait
from relay.store.sqlite.accounts import AccountViews, health_of
from relay.store.sqlite.context import Context
from relay.store.sqlite.statements import load_statements

_SQL = load_statements("reading")

ACTIVE: int = 24 * 60 * 60 * SECOND
"""Who sent something within this time is shown by name."""

WELL = "ok"


def limit_waits(context: Context) -> Iterator[LimitWait]:
    """Per provider with mail in the queue, by name."""
    now = context.clock.now()
    opens: dict[str, int | None] = {}
    hosts: dict[str, ProviderLine] = {}
    for line in context.schedule.lines():
        if not (line.express or line.bulk):
            continue
        name = line.mailbox.provider
        hosts[name] = line.provider
        earliest = opens.setdefault(name, None)
        if line.standing.is_stopped or earliest == now:
            continue
        at = now if line.turn is not None else line.alarm
        if at is not None and (earliest is None or at < earliest):
            opens[name] = at
    for name in sorted(hosts):
        own, total = opens[name], hosts[name].totals.whole.opens_at(now)
        yield LimitWait(name, 0.0 if own is None or total is None else max(0, max(own, total) - now) / SECOND)


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
    if view is None or view.eta is None:
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
