"""Credentials that a mailbox was refused with lately: set again they are not new, whatever was set in between.

Law: known by their fingerprints alone; one that works, or was refused in an outage, is none of them.
"""

from relay.core.health import Health, HealthEvent
from relay.core.meaning import ReplyClass
from relay.core.words import MailboxId
from relay.store.engine.context import Context
from relay.store.engine.healths import Symptom, change_mailbox


def refuse_credential(context: Context, mailbox: MailboxId) -> None:
    """What it logs in with was refused."""
    mailbox = context.name_in_force(mailbox)
    fingerprint, health = context.routes.fingerprints.get(mailbox), context.remembrance.health(mailbox)
    if fingerprint is not None:
        context.remembrance.set_health(mailbox, health.refusing(fingerprint, context.clock.now()))


def forgive_credential(context: Context, mailbox: MailboxId) -> None:
    """What it logs in with works, or was refused for no fault of its own."""
    mailbox = context.name_in_force(mailbox)
    known = context.remembrance.health(mailbox)
    health = known.forgiving(context.routes.fingerprints.get(mailbox))
    if health is not known:
        context.remembrance.set_health(mailbox, health)


def renew_credential(context: Context, mailbox: MailboxId) -> None:
    """It logs in with something else, or at another place: that is tried at once, unless it was refused lately."""
    now, health = context.clock.now(), context.remembrance.health(mailbox)
    if not health.was_refused(context.routes.fingerprints.get(mailbox), now):
        if context.schedule.has_logged_in(mailbox, now) or health != Health():
            change_mailbox(context, mailbox, Symptom(HealthEvent.CHANGED))
    elif not health.is_stopped:
        change_mailbox(context, mailbox, Symptom(HealthEvent.LOGIN_REFUSED, ReplyClass.AUTH_REJECTED))
