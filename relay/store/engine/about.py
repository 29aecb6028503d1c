"""Whose trouble it is: what was met at one mailbox, looked at beside what others met.

Law: asked before anything follows from it; the answer may name another subject or another verdict, and never a worse
one for the innocent.
"""

from dataclasses import replace

from relay.core.envelope import LoginFailure, Result, Verdict
from relay.core.health import HealthEvent
from relay.core.meaning import ReplyClass
from relay.core.outages import is_refused_login
from relay.core.words import MailboxId
from relay.store.engine.circumstances import note_foreign_traffic
from relay.store.engine.context import Context
from relay.store.engine.guarding import as_of_guard
from relay.store.engine.healths import Symptom, change_mailbox, change_provider
from relay.store.engine.outages import as_of_broken_line, as_of_outage, is_of_provider
from relay.store.engine.running import Running
from relay.store.engine.telltales import as_of_told_login, as_of_told_result

_BROKEN = frozenset({ReplyClass.NETWORK, ReplyClass.OUTAGE})


def suspect_login(context: Context, mailbox: MailboxId, failure: LoginFailure) -> LoginFailure:
    """A session could not be opened, and its login is on record: as it has to be judged."""
    if failure.is_provider:
        return as_of_told_login(context, mailbox, failure)
    if failure.reply_class in _BROKEN:
        return replace(failure, is_provider=True) if is_of_provider(context, mailbox) else failure
    return as_of_outage(context, mailbox, failure) if is_refused_login(failure) else failure


def suspect_line(context: Context, mailbox: MailboxId) -> None:
    """A session was hung up on before it had served: it bears on its mailbox, or on the provider of several."""
    if is_of_provider(context, mailbox):
        context.schedule.accuse(mailbox.provider, [mailbox])
        change_provider(context, mailbox.provider, Symptom(HealthEvent.BROKEN, ReplyClass.NETWORK))
    else:
        change_mailbox(context, mailbox, Symptom(HealthEvent.CUT_OFF, ReplyClass.NETWORK))


def suspect_result(context: Context, running: Running, result: Result) -> Result:
    """An attempt ended otherwise than delivered, and is on record: as it has to be judged."""
    if result.is_provider:
        return as_of_told_result(context, running, result)
    note_foreign_traffic(context, running.claim.mailbox, result)
    if result.verdict is Verdict.IN_DOUBT or result.reply_class in _BROKEN:
        return as_of_broken_line(context, running, result)
    return as_of_guard(context, running, result)


def went_through(context: Context, running: Running) -> None:
    """A delivery, begun when a provider was due to be tried, shows that lines hold again.

    Any shows that not all are kept out who are let in.
    """
    provider = running.claim.mailbox.provider
    is_told = context.schedule.host(provider).witnesses.is_told_after_login
    context.schedule.clear(running.claim.mailbox, context.clock.now())
    host = context.remembrance.provider_health(provider)
    if host.is_stopped and host.cause is HealthEvent.IP_BLOCKED and is_told:
        change_provider(context, provider, Symptom(HealthEvent.LET_IN))
    if host.is_stopped and host.cause is HealthEvent.BROKEN and running.started_at >= (host.probe_at or 0):
        change_provider(context, provider, Symptom(HealthEvent.LET_IN))
