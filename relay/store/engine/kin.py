"""Mailboxes that an edit calls by another name: the login is the same, at the same host and port, and so is its past.

Law: what a provider counts or remembers of a login is not forgotten because we call its entry otherwise; limits are
counted over all names of a mailbox (relay/core/kinship.py), and its health goes with it to the name that it has now.
"""

import json
from collections.abc import Mapping, Sequence

from relay.core.concerns import ConcernKind, Subject
from relay.core.kinship import Kinship
from relay.core.routing import Provider, Routing
from relay.core.words import MailboxId
from relay.store.engine.concerns import drop_concern
from relay.store.engine.context import Context
from relay.store.engine.edits import Edit
from relay.store.engine.ledger import Ledger
from relay.store.engine.statements import load_statements

_STORE = load_statements("store")
_LIMITS = load_statements("limits")
_CONCERNS = load_statements("concerns")

PLACES = "places"
"""Under which name the store keeps which entries have led where."""

_OF_MAILBOXES = (ConcernKind.MAILBOX_STOPPED, ConcernKind.BOUNCE_GUARD)


def load_kinship(database: Ledger, routing: Routing) -> Kinship:
    """As it was written; a store that is older than it knows what is in force."""
    row = database.read_one(_STORE["get_meta"], (PLACES,))
    places = {} if row is None else {place: tuple(names) for place, names in json.loads(row[0]).items()}
    return Kinship(places).under(routing)


def join_kin(context: Context, before: Routing) -> None:
    """Entries of the routing in force may lead where others led: from now on they count together."""
    known = context.remembrance.kinship
    kinship = known.under(before).under(context.routes.routing)
    if kinship == known:
        return
    written = json.dumps({place: list(names) for place, names in kinship.places.items()})
    context.database.write(_STORE["set_meta"], (PLACES, written))
    context.remembrance.kinship = kinship
    context.schedule.set_kinship(kinship, context.clock.now())


def follow_mailboxes(context: Context, edit: Edit) -> Mapping[MailboxId, MailboxId]:
    """Each mailbox that was not routed so far takes the health of the name that it had; which that is."""
    accounts, before = edit.routes.routing.accounts, edit.base.routing.by_mailbox
    routed = dict.fromkeys(accounts[each].mailbox for each in edit.moved if each in accounts)
    origins = {each: origin for each in routed if each not in before and (origin := _origin(context, each, before))}
    for mailbox, origin in origins.items():
        _adopt(context, mailbox, origin)
    return origins


def follow_providers(context: Context, edit: Edit) -> Sequence[str]:
    """Entries that are new, and lead where another one did that is stopped: so are they."""
    followed = []
    before, remembrance = edit.base.routing.providers, context.remembrance
    for name, provider in edit.routes.routing.providers.items():
        if name in before:
            continue
        same = [each for each, known in before.items() if _way(known) == _way(provider)]
        stopped = [health for each in same if (health := remembrance.provider_health(each)).is_stopped]
        if stopped:
            remembrance.set_provider_health(name, stopped[0])
            context.schedule.set_provider_standing(name, stopped[0].standing)
            followed.append(name)
    return followed


def _way(provider: Provider) -> tuple[object, ...]:
    """What has to be the same for a host's trouble to be the same."""
    return provider.endpoint, provider.tls, provider.tls_ca


def _origin(context: Context, mailbox: MailboxId, before: Mapping[MailboxId, object]) -> MailboxId | None:
    """The name that it had: one that was routed, the worst off of several; else the one that logged in last, itself
    where several did at one instant.
    """
    names, remembrance = list(context.remembrance.kinship.of(mailbox)), context.remembrance
    if not names:
        return None
    routed = [each for each in names if each in before]
    if routed:
        return max(routed, key=lambda each: (remembrance.health(each).is_stopped, remembrance.health(each).slow))
    last = {each: at for each in (mailbox, *names) if (at := _last_login(context, each)) is not None}
    found = max(last, key=lambda each: last[each], default=mailbox)
    return None if found == mailbox else found


def _last_login(context: Context, mailbox: MailboxId) -> int | None:
    number = context.names.known_mailbox(mailbox)
    row = None if number is None else context.database.read_one(_LIMITS["last_login"], (number,))
    return None if row is None or row[0] is None else int(row[0])


def _adopt(context: Context, mailbox: MailboxId, origin: MailboxId) -> None:
    remembrance = context.remembrance
    health = remembrance.health(origin)
    if health != remembrance.health(mailbox):
        remembrance.set_health(mailbox, health)
    remembrance.warmups.adopt(mailbox, origin)
    if origin not in context.routes.routing.by_mailbox:
        _hand_over(context, mailbox, origin)


def _hand_over(context: Context, mailbox: MailboxId, origin: MailboxId) -> None:
    """Who was told of the one hears the end of the other, and nothing twice."""
    number = context.names.known_mailbox(origin)
    if number is None:
        return
    for kind in _OF_MAILBOXES:
        drop_concern(context, kind, Subject(mailbox=mailbox))
    about, was_about = (str(Subject(mailbox=each)) for each in (mailbox, origin))
    now = about, context.names.mailbox(mailbox), mailbox.provider
    context.database.write(_CONCERNS["hand_over"], (*now, was_about, number))
