"""What one mailbox is told in the name of all: that this machine is blocked, or that TLS is missing.

Law: said to one mailbox it is that mailbox's, until as many are told so as make it their provider's while nobody else
is served; who was told before others were served, and is told again, is alone with it.
"""

from dataclasses import replace
from itertools import islice

from relay.core.envelope import LoginFailure, Result
from relay.core.health import HealthEvent
from relay.core.limits import Instant
from relay.core.outages import TOLD_CLASSES, TOLD_LEAST, is_told_by_all
from relay.core.witnesses import Told
from relay.core.words import MailboxId, Stage
from relay.store.engine.context import Context
from relay.store.engine.credentials import forgive_credential
from relay.store.engine.healths import Symptom, change_mailbox
from relay.store.engine.running import Running
from relay.store.engine.statements import load_statements

_SQL = load_statements("about")


def as_of_told_login(context: Context, mailbox: MailboxId, failure: LoginFailure) -> LoginFailure:
    """A login that was refused in the name of all, and is on record: as it has to be judged."""
    is_told = failure.is_login_sent and failure.stage is Stage.AUTH and failure.reply is not None
    if not is_told or failure.reply_class not in TOLD_CLASSES:
        return failure
    told = Told(_login_from(context, mailbox), is_at_login=True)
    return failure if _is_of_provider(context, mailbox, told) else replace(failure, is_provider=False)


def as_of_told_result(context: Context, running: Running, result: Result) -> Result:
    """An attempt that was refused in the name of all: as it has to be judged."""
    if result.reply is None or result.reply_class not in TOLD_CLASSES:
        return result
    told = Told(running.started_at, is_at_login=False)
    mailbox = running.claim.mailbox
    return result if _is_of_provider(context, mailbox, told) else replace(result, is_provider=False)


def _is_of_provider(context: Context, mailbox: MailboxId, told: Told) -> bool:
    witnesses = context.schedule.host(mailbox.provider).witnesses
    if _are_others_served(context, mailbox, witnesses.tell(mailbox, told)):
        return False
    found = [name for name, each in witnesses.told.items() if not _are_others_served(context, name, each)]
    if not is_told_by_all(len(found), _many_mailboxes(context, mailbox.provider)):
        return False
    for each in found:
        _acquit(context, each)
    context.schedule.accuse(mailbox.provider, found)
    return True


def _are_others_served(context: Context, mailbox: MailboxId, told: Told) -> bool:
    """Whether anybody else was, since that had begun; who is refused after the login, by a mail that went through."""
    statement = _SQL["served_since" if told.is_at_login else "delivered_since"]
    rows = context.database.read(statement, (mailbox.provider, told.began, 2))
    return any(username != mailbox.username for (username,) in rows)


def _many_mailboxes(context: Context, provider: str) -> int:
    """How many it has, as far as that matters."""
    theirs = (each for each in context.routes.routing.by_mailbox if each.provider == provider)
    return sum(1 for _ in islice(theirs, TOLD_LEAST))


def _acquit(context: Context, mailbox: MailboxId) -> None:
    health = context.remembrance.health(mailbox)
    if health.is_stopped and health.reason in TOLD_CLASSES:
        change_mailbox(context, mailbox, Symptom(HealthEvent.ACQUITTED))
        forgive_credential(context, mailbox)


def _login_from(context: Context, mailbox: MailboxId) -> Instant:
    """When the login that has just ended had begun."""
    now = context.clock.now()
    row = context.database.read_one(_SQL["told_from"], (context.names.mailbox(mailbox), now))
    return now if row is None or row[0] is None else row[0]
