"""Putting a routing in force for what waits too.

Law: waiting deliveries follow their account, in order; attempts under way keep their route; equal content makes no
new version.
"""

from dataclasses import replace

from relay.core.health import HealthEvent
from relay.core.meaning import Fault
from relay.core.routing import Routing
from relay.core.words import AccountId, MailboxId
from relay.errors import CorruptValue, StaleRouting
from relay.store.engine.context import Context
from relay.store.engine.credentials import renew_credential
from relay.store.engine.edits import Edit, edit_of
from relay.store.engine.guarding import release_guarded
from relay.store.engine.healths import Symptom, change_provider
from relay.store.engine.kin import follow_mailboxes, follow_providers, join_kin
from relay.store.engine.routes import Fingerprints, Routes
from relay.store.engine.statements import load_statements
from relay.store.engine.stranding import tell_of_moved
from relay.store.ports.events import EventKind, StoreEvent
from relay.store.ports.routing import AppliedRouting

_SQL = load_statements("routing")

DAMAGED = (
    "what the store has of the routing that was applied last does not open: the files of the routing have to be good, "
    "they are applied anew; `relay check` names what is wrong in them"
)


_OWN_CLIENT = (Fault.OAUTH_CLIENT, Fault.OAUTH_SECRET)
"""What stops a provider because of the relay's own client there."""


class Applying:
    """Changes the routing in force."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def applied(self) -> AppliedRouting | None:
        """The routing in force; None: none was ever applied. CorruptValue: it cannot be read."""
        routes = self._context.routes
        if routes.is_damaged:
            raise CorruptValue(DAMAGED)
        return AppliedRouting(routes.version, routes.routing, routes.fingerprints) if routes.version else None

    def edit(self, routing: Routing, fingerprints: Fingerprints) -> Edit:
        """What would change; touches nothing, so it may run beside the loop."""
        return edit_of(self._context.routes, routing, fingerprints, seals=self._context.seals)

    def apply(self, edit: Edit, base: AppliedRouting | None = None) -> int:
        """Puts a routing in force and returns its version. StaleRouting: what is in force is not `base`."""
        context = self._context
        if base is not None and not _is_in_force(base, context.routes):
            raise StaleRouting
        if edit.base is not context.routes:
            edit = self.edit(edit.routes.routing, edit.routes.fingerprints)
        if edit.is_empty:
            return edit.base.version
        context.replace_routes(self._dated(edit))
        self._write(edit)
        join_kin(context, edit.base.routing)
        origins = follow_mailboxes(context, edit)
        self._reload_terms(edit)
        followed = follow_providers(context, edit)
        for provider in edit.elsewhere:
            if provider not in followed:
                self._renew_host(provider)
        for account, origin in edit.moved.items():
            move_account(self._context, account, origin)
        tell_of_moved(context, edit.moved)
        for mailbox, fingerprint in edit.fingerprints.items():
            origin = origins.get(mailbox, mailbox)
            if fingerprint is not None and edit.base.fingerprints.get(origin) != fingerprint:
                self._renew(mailbox)
        context.journal.record(StoreEvent(EventKind.ROUTING, context.clock.wall(), reason=str(edit.routes.version)))
        context.changed()
        return edit.routes.version

    def _dated(self, edit: Edit) -> Routes:
        """With since when those have no credentials that had some, or were not there."""
        lost = [mailbox for mailbox, fingerprint in edit.fingerprints.items() if fingerprint is None]
        if not lost:
            return edit.routes
        since = dict.fromkeys(lost, self._context.clock.wall())
        return replace(edit.routes, without={**edit.routes.without, **since})

    def _write(self, edit: Edit) -> None:
        context = self._context
        for statement, rows in edit.writes:
            if rows:
                context.database.write_many(statement, rows)
        if None in edit.fingerprints.values():
            context.database.write(_SQL["date_fingerprints"], (context.clock.wall(),))

    def _reload_terms(self, edit: Edit) -> None:
        """Providers and mailboxes whose limits, weights or ceilings may be others now."""
        schedule, now = self._context.schedule, self._context.clock.now()
        for provider in edit.providers:
            schedule.reload_provider(provider, now)
        schedule.reload_all(edit.mailboxes, now)

    def _renew(self, mailbox: MailboxId) -> None:
        """A mailbox with another credential or route is tried at once, whatever stopped it."""
        context = self._context
        renew_credential(context, mailbox)
        if context.remembrance.provider_health(mailbox.provider).reason in _OWN_CLIENT:
            self._renew_host(mailbox.provider)  # its client of OAuth2 is another one: that is part of the credential

    def _renew_host(self, provider: str) -> None:
        """A provider at another host is not what could not be reached: it is tried at once."""
        context = self._context
        if context.remembrance.provider_health(provider).is_stopped:
            change_provider(context, provider, Symptom(HealthEvent.CHANGED))


def _is_in_force(base: AppliedRouting, routes: Routes) -> bool:
    if base.version != routes.version:
        return False
    return base.fingerprints is routes.fingerprints or base.fingerprints == routes.fingerprints


def move_account(context: Context, account: AccountId, origin: MailboxId | None) -> None:
    """What is ready of an account follows it; what goes nowhere is counted aside."""
    target = context.routes.mailbox_of(account)
    number = context.names.known_account(account)
    if origin == target:
        return
    if number is None:  # nothing of it is here yet; where others take mail in, something may be by the commit
        context.ready.move(number, account, origin, target)
        return
    release_guarded(context, account)
    if origin is None or target is None:
        reason = None if target is not None else context.routes.trouble_of(account)
        context.journal.record(StoreEvent(EventKind.STRANDED, context.clock.wall(), account=account, reason=reason))
    context.ready.move(number, account, origin, target)
