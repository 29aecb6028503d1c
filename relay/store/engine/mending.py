"""What follows when a person says that he has mended an account's mailbox.

Law: he is believed for one probe, at once and inside every limit; what was held by itself for what he can have mended
goes back to its place, and what is in doubt or cannot be read does not.
"""

from relay.core.health import HealthEvent
from relay.core.remedy import ENDED_BY_FIXED
from relay.core.words import AccountId, MailboxId
from relay.store.engine.context import Context
from relay.store.engine.healths import Symptom, change_mailbox, change_provider
from relay.store.engine.moves import Moves
from relay.store.engine.statements import load_statements

_SQL = load_statements("healths")


def mend(context: Context, account: AccountId, by: str) -> bool:
    """He says so; False: nothing had stopped it, and nothing was held."""
    mailbox = context.routes.routing.accounts[account].mailbox
    was_stopped = context.remembrance.health(mailbox).is_stopped
    change_mailbox(context, mailbox, Symptom(HealthEvent.FIXED, by=by))
    _have_host_tried(context, mailbox.provider, by)
    senders = [each.sender for each in context.routes.routing.by_mailbox.get(mailbox, ())]
    released = sum(_release(context, sender) for sender in senders)
    if was_stopped and not _has_ready(context, mailbox, senders):
        _hasten(context, senders)
    context.changed()
    return was_stopped or released > 0


def _have_host_tried(context: Context, provider: str, by: str) -> None:
    """Who had a block of this address lifted says so of a mailbox behind it; an outage of logins has its own turns."""
    host = context.remembrance.provider_health(provider)
    if host.is_stopped and host.cause is not HealthEvent.LOGINS_OUT:
        change_provider(context, provider, Symptom(HealthEvent.FIXED, by=by))


def _release(context: Context, sender: AccountId) -> int:
    """What was held by itself is ready again, at its old place; how many."""
    number, many = context.names.known_account(sender), 0
    for reason in sorted(ENDED_BY_FIXED) if number is not None else ():
        for delivery, reply in context.database.read(_SQL["held_of"], (number, reason)):
            found = context.entries.one(delivery)
            assert found is not None
            Moves(context).release(found[0], reason=reason, reply=reply)
            many += 1
    return many


def _has_ready(context: Context, mailbox: MailboxId, senders: list[AccountId]) -> bool:
    return any(any(context.schedule.ready_of(mailbox, sender)) for sender in senders)


def _hasten(context: Context, senders: list[AccountId]) -> None:
    """Something has to be the probe: the oldest that waits for a time need not wait for it."""
    numbers = [number for number in map(context.names.known_account, senders) if number is not None]
    rows = [row for number in numbers for row in context.database.read(_SQL["oldest_deferred"], (number,))]
    for delivery, reason, reply in sorted(rows)[:1]:
        found = context.entries.one(delivery)
        assert found is not None
        Moves(context).make_ready(found[0], since=context.clock.wall(), reason=reason, reply=reply)
