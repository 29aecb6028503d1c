"""Outages of a provider as the store sees them: several of its mailboxes meet the same, and none of them is to blame.

Law: what is found to be the provider's is taken off every mailbox that met it, in the transaction that finds it; who
never worked stays where its own password has brought it.
"""

from dataclasses import replace

from relay.core.envelope import LoginFailure, Result, Verdict
from relay.core.health import Health, HealthEvent, HealthState
from relay.core.limits import Instant
from relay.core.meaning import ReplyClass
from relay.core.outages import (
    AUTH_OUTAGE,
    BROKEN_WITHIN,
    DROPS_LOOKED_AT,
    OUTAGE_PROBES,
    REFUSED_WITHIN,
    REMEMBERED,
    WORKED_WITHIN,
    Past,
    Refusal,
    Sent,
    Sighting,
    broken_together,
    dropped_last,
    is_dropping,
    is_left_over,
    is_of_message,
    is_served,
    refused_together,
)
from relay.core.words import MailboxId
from relay.store.engine.context import Context
from relay.store.engine.credentials import forgive_credential
from relay.store.engine.healths import Symptom, change_mailbox, change_provider
from relay.store.engine.running import Running
from relay.store.engine.statements import load_statements

_SQL = load_statements("about")

LOOKED_THROUGH: int = 1_000
"""Attempts among which a provider's last ones are looked for: with others so busy, it is not what keeps mail."""

_REFUSING = frozenset({HealthEvent.LOGIN_REFUSED, HealthEvent.NEVER_WORKED, HealthEvent.UNKNOWN, HealthEvent.REFUSED})
_BREAKING = frozenset({HealthEvent.UNREACHABLE, HealthEvent.CUT_OFF})


# logins that are refused together


def as_of_outage(context: Context, mailbox: MailboxId, failure: LoginFailure) -> LoginFailure:
    """A login that was refused for good, as it has to be judged: of many that worked it is their provider's.

    While nobody is let in, whoever is paused already stays so, and what any other one hears says nothing about it.
    """
    host = context.remembrance.provider_health(mailbox.provider)
    if host.is_stopped and host.cause is HealthEvent.LOGINS_OUT:
        is_paused = context.remembrance.health(mailbox).state is HealthState.PAUSED
        found: tuple[MailboxId, ...] = () if is_paused or _is_over_for_others(context, mailbox) else (mailbox,)
    else:
        found = _refused_together(context, mailbox)
    if mailbox not in found:
        return failure
    for each in found:
        _acquit_of_refusal(context, each)
    context.schedule.accuse(mailbox.provider, found)
    return replace(failure, reply_class=AUTH_OUTAGE, fault=None, is_provider=True)


def _refused_together(context: Context, mailbox: MailboxId) -> tuple[MailboxId, ...]:
    """Who has been paused for longer is refused for a reason of his own: that his probe fails too is no news."""
    now, remembrance = context.clock.now(), context.remembrance
    if remembrance.health(mailbox).state is HealthState.PAUSED or _is_left_over(context, mailbox, now):
        return ()
    stopped = [each for each in remembrance.stopped_by(mailbox.provider, _REFUSING) if _is_news(context, each)]
    suspects = dict.fromkeys([mailbox, *stopped])
    met = (found for each in suspects if (found := _refusal(context, each)) is not None)
    refusals = [each for each in met if not _is_left_over(context, each.mailbox, each.at)]
    if len(refusals) < 2:
        return ()
    active = context.database.read_one(_SQL["active"], (mailbox.provider, now - WORKED_WITHIN))
    return refused_together(refusals, active=0 if active is None else active[0], now=now)


def _is_over_for_others(context: Context, mailbox: MailboxId) -> bool:
    """Whether an outage ends with this refusal: only those that were refused in it have probed it for so long."""
    host = context.remembrance.provider_health(mailbox.provider)
    if host.step < OUTAGE_PROBES or not _past(context, mailbox).is_out:
        return False
    change_provider(context, mailbox.provider, Symptom(HealthEvent.ACQUITTED))
    return True


def _past(context: Context, mailbox: MailboxId) -> Past:
    number, now = context.names.mailbox(mailbox), context.clock.now()
    rows = (context.database.read_one(_SQL[name], (number, now)) for name in ("last_out", "last_worked"))
    outage_at, worked_at = (None if row is None else row[0] for row in rows)
    return Past(outage_at, worked_at)


def _is_left_over(context: Context, mailbox: MailboxId, at: Instant) -> bool:
    over_at = context.remembrance.provider_health(mailbox.provider).logins_back_at
    return over_at is not None and is_left_over(_past(context, mailbox), at=at, over_at=over_at)


def _is_news(context: Context, mailbox: MailboxId) -> bool:
    return context.remembrance.health(mailbox).step <= 1


def _refusal(context: Context, mailbox: MailboxId) -> Refusal | None:
    """The last one within the time that is looked at."""
    number, since = context.names.mailbox(mailbox), context.clock.now() - REFUSED_WITHIN
    row = context.database.read_one(_SQL["last_refused"], (number, since))
    if row is None or row[0] is None:
        return None
    worked = context.database.read_one(_SQL["last_worked"], (number, row[0]))
    return Refusal(mailbox, row[0], None if worked is None else worked[0])


def _acquit_of_refusal(context: Context, mailbox: MailboxId) -> None:
    """That it was refused counts in none of its budgets, and others take their turn before it."""
    now = context.clock.now()
    context.database.write(_SQL["acquit_logins"], (context.names.mailbox(mailbox), now - REFUSED_WITHIN))
    if context.remembrance.health(mailbox).cause in _REFUSING:
        change_mailbox(context, mailbox, Symptom(HealthEvent.ACQUITTED))
    forgive_credential(context, mailbox)
    context.schedule.reload(mailbox, now)


# lines that break together


def is_of_provider(context: Context, mailbox: MailboxId) -> bool:
    """Whether a line that broke after the greeting, at this mailbox and now, is its provider's trouble.

    Who broke before, and breaks again after mails of others went through, is alone with it until one of its own does.
    """
    witnesses = context.schedule.host(mailbox.provider).witnesses
    witnesses.break_line(mailbox, context.clock.now())
    if witnesses.breaks_alone(mailbox):
        return False
    host = context.remembrance.provider_health(mailbox.provider)
    if host.is_stopped and host.cause is HealthEvent.BROKEN:
        found: tuple[MailboxId, ...] = (mailbox,)
    else:
        found = _broken_together(context, mailbox)
    for each in found:
        if context.remembrance.health(each).cause in _BREAKING:
            change_mailbox(context, each, Symptom(HealthEvent.ACQUITTED))
    if found:
        context.schedule.accuse(mailbox.provider, found)
    return bool(found)


def _broken_together(context: Context, mailbox: MailboxId) -> tuple[MailboxId, ...]:
    """The mailboxes that break together, while as many others are not served by the same provider."""
    now = context.clock.now()
    seen = [Sighting(mailbox, now), *_broken_before(context, mailbox.provider)]
    found = broken_together(seen, now=now)
    if not found:
        return ()
    since = min(_broken_from(context, each) for each in seen if each.mailbox in found)
    rows = context.database.read(
        _SQL["served_since"], (mailbox.provider, max(since, now - BROKEN_WITHIN), 2 * len(found))
    )
    others = {MailboxId(mailbox.provider, username) for (username,) in rows} - {*found}
    return () if is_served(len(others), found) else found


def _broken_from(context: Context, seen: Sighting) -> Instant:
    """When what broke had begun: who was served while others hung shows as much as who was after."""
    values = (context.names.mailbox(seen.mailbox), seen.at - BROKEN_WITHIN)
    row = context.database.read_one(_SQL["broken_from"], values)
    return seen.at if row is None or row[0] is None else min(seen.at, row[0])


def _broken_before(context: Context, provider: str) -> list[Sighting]:
    """Who stands still because its line broke, with the last time that it did; not who is alone with it."""
    remembrance, witnesses = context.remembrance, context.schedule.host(provider).witnesses
    return [
        Sighting(each, _stopped_at(context, remembrance.health(each)))
        for each in remembrance.stopped_by(provider, _BREAKING)
        if not witnesses.breaks_alone(each)
    ]


def _stopped_at(context: Context, health: Health) -> Instant:
    """Not later than now: what waits longer than its step, for want of an answer to its login, stopped lately."""
    assert health.cause is not None
    stopped_at = (health.probe_at or 0) - context.settings.health.interval(health.cause, health.step)
    return min(context.clock.now(), stopped_at)


def as_of_broken_line(context: Context, running: Running, result: Result) -> Result:
    """An attempt whose line broke, as it has to be judged."""
    mailbox = running.claim.mailbox
    if result.verdict is Verdict.DEFERRED and is_only_this_message(context, running):
        return result
    is_lost_after_dot = result.verdict is Verdict.IN_DOUBT and result.reply_class == ReplyClass.NETWORK
    is_theirs = is_of_provider(context, mailbox)
    if not is_theirs and is_lost_after_dot:
        sent = _last_sent(context, mailbox.provider)
        is_theirs = is_dropping(sent)
        if is_theirs:
            context.schedule.blame_drops(mailbox.provider, dropped_last(sent))
    return replace(result, is_provider=True) if is_theirs else result


def is_only_this_message(context: Context, running: Running) -> bool:
    """Whether the mailbox's line broke twice for one message, and for no other in between."""
    since = context.clock.now() - REMEMBERED
    rows = context.database.read(_SQL["broken_since"], (running.mailbox, since))
    return is_of_message([str(message) for (message,) in rows])


def _last_sent(context: Context, provider: str) -> list[Sent]:
    """Who loses mails again, after those of others went through, loses them by itself: that says nothing of its
    provider.
    """
    witnesses = context.schedule.host(provider).witnesses
    rows = context.database.read(_SQL["last_sent"], (LOOKED_THROUGH, provider, DROPS_LOOKED_AT))
    known = [(MailboxId(provider, username), bool(is_dropped)) for username, is_dropped in reversed(rows)]
    return [Sent(mailbox, is_dropped and not witnesses.loses_alone(mailbox)) for mailbox, is_dropped in known]
