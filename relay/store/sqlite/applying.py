"""Putting a routing in force for what waits too.

Law: waiting deliveries follow their account, in order; attempts under way keep their route; equal content makes no
new version.
"""

from collections.abc import Iterator, Mapping

from relay.core.health import Health, HealthEvent
from relay.core.health import after as health_after
from relay.core.routing import Routing
from relay.core.words import AccountId, MailboxId
from relay.store.ports.events import EventKind, StoreEvent
from relay.store.ports.routing import AppliedRouting
from relay.store.sqlite.context import Context
from relay.store.sqlite.routes import save_routes
from relay.store.sqlite.settling import set_health
from relay.store.sqlite.values import LANES

Fingerprints = Mapping[MailboxId, str | None]


class Applying:
    """Changes the routing in force."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def applied(self) -> AppliedRouting | None:
        """The routing in force; None: none was ever applied."""
        routes = self._context.routes
        return AppliedRouting(routes.version, routes.routing, routes.fingerprints) if routes.version else None

    def apply(self, routing: Routing, fingerprints: Fingerprints) -> int:
        """Puts a routing in force and returns its version."""
        context, routes = self._context, self._context.routes
        is_new = not routes.version or routing != routes.routing
        if not is_new and dict(fingerprints) == dict(routes.fingerprints):
            return routes.version
        old, old_fingerprints = routes.routing, routes.fingerprints
        moved = {account: routes.mailbox_of(account) for account in _edited(old, routing)}
        moved |= self._of_changed(old, old_fingerprints, fingerprints)
        routes.routing, routes.fingerprints = routing, dict(fingerprints)
        routes.version += is_new
        save_routes(context.database, context.seals, routes, at=context.clock.wall(), is_new=is_new)
        self._reload_terms(old, moved)
        for account, origin in moved.items():
            self._move(account, origin)
        self._renew(old_fingerprints, fingerprints)
        context.journal.record(StoreEvent(EventKind.ROUTING, context.clock.wall(), reason=str(routes.version)))
        context.changed()
        return routes.version

    def _of_changed(self, old: Routing, before: Fingerprints, now: Fingerprints) -> dict[AccountId, MailboxId | None]:
        """Accounts whose mailbox lost its credentials or got some."""
        mailboxes = [
            mailbox for mailbox in old.by_mailbox if (before.get(mailbox, "") is None) != (now.get(mailbox, "") is None)
        ]
        accounts = (account.sender for mailbox in mailboxes for account in old.by_mailbox[mailbox])
        return {account: self._context.routes.mailbox_of(account) for account in accounts}

    def _reload_terms(self, old: Routing, moved: Mapping[AccountId, MailboxId | None]) -> None:
        """Providers and mailboxes whose limits, weights or ceilings may be others now."""
        context, now, new = self._context, self._context.clock.now(), self._context.routes.routing
        providers = [
            name for name in {**old.providers, **new.providers} if old.providers.get(name) != new.providers.get(name)
        ]
        for provider in providers:
            context.schedule.reload_provider(provider, now)
        mailboxes = {mailbox: None for mailbox in new.by_mailbox if mailbox.provider in providers}
        for account in moved:
            for routing in (old, new):
                if account in routing.accounts:
                    mailboxes[routing.accounts[account].mailbox] = None
        for mailbox in mailboxes:
            context.schedule.reload(mailbox, now)

    def _move(self, account: AccountId, origin: MailboxId | None) -> None:
        """What is ready of an account follows it; what goes nowhere is counted aside."""
        context, now = self._context, self._context.clock.now()
        target = context.routes.mailbox_of(account)
        number = context.names.known_account(account)
        if origin == target or number is None:
            return
        if origin is not None:
            if target is None:
                for lane, many in zip(LANES, context.schedule.ready_of(origin, account), strict=True):
                    if many:
                        context.unrouted[number, lane] = many
            context.schedule.move_account(account, origin, target, now)
            return
        for lane in LANES:
            many = context.unrouted.pop((number, lane), 0)
            if many and target is not None:
                context.schedule.add_ready(target, account, lane, now, many)

    def _renew(self, before: Fingerprints, now: Fingerprints) -> None:
        """A mailbox with another credential or route is tried at once, whatever stopped it."""
        context = self._context
        for mailbox, fingerprint in now.items():
            known = before.get(mailbox)
            if fingerprint is None or fingerprint == known:
                continue
            health = context.remembrance.health(mailbox)
            if health != Health():
                changed = health_after(
                    health, HealthEvent.CHANGED, moment=context.clock.moment(), settings=context.settings.health
                )
                set_health(context, mailbox, changed)


def _edited(old: Routing, new: Routing) -> Iterator[AccountId]:
    """Accounts that are not what they were."""
    for account, known in new.accounts.items():
        before = old.accounts.get(account)
        if before is not known and before != known:
            yield account
    for account in old.accounts:
        if account not in new.accounts:
            yield account
