"""How mailboxes and providers fare: each change of health as it is decided, written, told to the schedule and kept.

Law: health, history, concern and event are written in one transaction; what passes by itself is nobody's concern
before it has lasted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from zoneinfo import ZoneInfo

from relay.core.concerns import REPRIEVE, ConcernKind, Subject
from relay.core.healing import NO_LIMITS, Pace, after, pace_of
from relay.core.health import PACED, Health, HealthEvent, HealthState
from relay.core.notice import Circumstance
from relay.core.remedy import is_told
from relay.core.reply import Reply
from relay.core.words import MailboxId
from relay.store.engine.blocking import end_block, is_of_block
from relay.store.engine.concerns import close_concern, drop_concern, open_concern, renew_end
from relay.store.engine.context import Context
from relay.store.engine.guarding import release_guarded_of
from relay.store.engine.reader import Ask
from relay.store.engine.statements import load_statements
from relay.store.ports.events import EventKind, StoreEvent
from relay.store.ports.healths import MOST_CHANGES, HealthChange

_SQL = load_statements("healths")

UNTRIED = "untried"
"""What a mailbox's health is told to be while nothing has shown that its new credential or route works."""


class LedgerHealths:
    """The port `Healths`."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    async def of_mailbox(self, mailbox: MailboxId, *, most: int = 100) -> Sequence[HealthChange]:
        """What became of a mailbox."""
        return await self._ask(lambda context: _of_mailbox(context, mailbox, min(most, MOST_CHANGES)))

    async def of_provider(self, provider: str, *, most: int = 100) -> Sequence[HealthChange]:
        """What became of a provider's host."""
        row = (provider, min(most, MOST_CHANGES))
        return await self._ask(lambda context: _read(context, "healths_of_provider", row))


@dataclass(frozen=True, slots=True)
class Symptom:
    """What was seen of a mailbox or a host, and what is known beside."""

    event: HealthEvent
    reason: str | None = None
    """The reply class, or the fault."""
    retry_after: int | None = None
    reply: Reply | None = None
    by: str | None = None
    """Who said so, where a person did."""
    circumstance: Circumstance | None = None
    """What else its owner has to know."""
    cited: Mapping[str, str] = field(default_factory=dict)
    """Of the mail that it was seen with, what its provider's support asks for."""


def change_mailbox(context: Context, mailbox: MailboxId, symptom: Symptom) -> Health:
    """Something bears on a mailbox; what it is now."""
    mailbox = context.name_in_force(mailbox)
    known = context.remembrance.health(mailbox)
    is_paced = known.is_stopped or known.slow > 1 or symptom.event in PACED or symptom.event is HealthEvent.BLOCKED
    health = _after(context, known, symptom, _pace(context, mailbox) if is_paced else NO_LIMITS)
    if health != known:
        context.remembrance.set_health(mailbox, health)
        context.schedule.set_standing(mailbox, health.standing, context.clock.now())
        working = health.state.value if health.is_proven else UNTRIED
        reason = health.reason if health.is_stopped else working
        context.journal.record(StoreEvent(EventKind.HEALTH, context.clock.wall(), mailbox=mailbox, reason=reason))
    if _is_news(known, health, symptom):
        _keep(context, mailbox.provider, context.names.mailbox(mailbox), health, symptom)
    if health.is_stopped or known.is_stopped:
        _tell_of_mailbox(context, mailbox, known, health, symptom)
    return health


def change_provider(context: Context, provider: str, symptom: Symptom) -> Health:
    """Something bears on a provider's host; what it is now."""
    known = context.remembrance.provider_health(provider)
    health = _after(context, known, symptom, NO_LIMITS)
    if health != known:
        context.remembrance.set_provider_health(provider, health)
        context.schedule.set_provider_standing(provider, health.standing)
        reason = health.reason if health.is_stopped else health.state.value
        context.journal.record(StoreEvent(EventKind.HEALTH, context.clock.wall(), reason=reason, provider=provider))
    if _is_news(known, health, symptom):
        _keep(context, provider, None, health, symptom)
    if health.is_stopped or known.is_stopped:
        subject, is_of_logins = Subject(provider=provider), health.cause is HealthEvent.LOGINS_OUT
        _tell(context, ConcernKind.AUTH_OUTAGE, subject, health, symptom, is_it=is_of_logins)
        _tell(context, ConcernKind.PROVIDER_STOPPED, subject, health, symptom, is_it=not is_of_logins)
    return health


def _after(context: Context, known: Health, symptom: Symptom, pace: Pace) -> Health:
    return after(
        known, symptom.event, moment=context.clock.moment(), settings=context.settings.health,
        reason=symptom.reason, retry_after=symptom.retry_after, pace=pace,
    )  # fmt: skip


def _pace(context: Context, mailbox: MailboxId) -> Pace:
    """What its limits say; where nobody routes it any more, nothing does."""
    terms = context.remembrance.mailbox_terms(mailbox)
    provider = context.routes.routing.providers.get(mailbox.provider)
    zone = ZoneInfo("UTC" if provider is None else provider.timezone)
    pace = pace_of(terms.limits, zone, context.clock.now(), context.clock.civil_offset())
    profile = None if provider is None else provider.profile
    return replace(pace, block=context.settings.health.block_times.get(profile or ""))


# what is kept of it


def _is_news(known: Health, health: Health, symptom: Symptom) -> bool:
    """What a person said is; so is another state, reason or pace; that a probe failed once more is not."""
    before, now = ((each.state, each.reason, each.slow) for each in (known, health))
    return symptom.by is not None or before != now


def _keep(context: Context, provider: str, mailbox: int | None, health: Health, symptom: Symptom) -> None:
    said = None if symptom.reply is None else str(symptom.reply)
    values = (
        context.clock.wall(), provider, mailbox, health.state.value, health.reason, symptom.event.value, said,
        symptom.by, health.slow,
    )  # fmt: skip
    context.database.write(_SQL["add_health"], values)


def _of_mailbox(context: Context, mailbox: MailboxId, most: int) -> list[HealthChange]:
    number = context.names.known_mailbox(mailbox)
    return [] if number is None else _read(context, "healths_of_mailbox", (mailbox.provider, number, most))


def _read(context: Context, statement: str, values: tuple[object, ...]) -> list[HealthChange]:
    return [
        HealthChange(context.clock.shown(at), HealthState(state), reason, HealthEvent(cause), reply, by, slow)
        for at, state, reason, cause, reply, by, slow in context.database.read(_SQL[statement], values)
    ]


# who has to know


def _tell_of_mailbox(context: Context, mailbox: MailboxId, known: Health, health: Health, symptom: Symptom) -> None:
    """One story of each: what is about its bounces, or about many mailboxes at once, is another one."""
    if known.cause is HealthEvent.BLOCKED and health.cause is not HealthEvent.BLOCKED:
        end_block(context, mailbox.provider)
    if known.is_stopped and not health.is_stopped:
        release_guarded_of(context, mailbox)
    subject, is_guard = Subject(mailbox=mailbox), health.cause is HealthEvent.GUARDED
    is_block = health.cause is HealthEvent.BLOCKED and is_of_block(context, mailbox, _detail(context, health, symptom))
    _tell(context, ConcernKind.BOUNCE_GUARD, subject, health, symptom, is_it=is_guard)
    _tell(context, ConcernKind.MAILBOX_STOPPED, subject, health, symptom, is_it=not (is_guard or is_block))


def _tell(
    context: Context, kind: ConcernKind, subject: Subject, health: Health, symptom: Symptom, *, is_it: bool
) -> None:
    """It is somebody's concern while it is stopped for what does not pass, or for too long."""
    if not health.is_stopped:
        if not close_concern(context, kind, subject):
            renew_end(context, kind, subject)
        return
    if not is_it:
        drop_concern(context, kind, subject)
        return
    wall = context.clock.wall()
    if not is_told(health, lasted=wall - (health.since or wall)):
        return
    may_be_the_providers = kind is ConcernKind.MAILBOX_STOPPED and health.is_proven
    reprieve = REPRIEVE.get(health.reason or "", 0) if may_be_the_providers else 0
    open_concern(
        context, kind, subject, reason=health.reason, detail=_detail(context, health, symptom),
        look_after=reprieve,
    )  # fmt: skip


def _detail(context: Context, health: Health, symptom: Symptom) -> dict[str, str]:
    detail = dict(symptom.cited) if symptom.reply is None else {"reply": str(symptom.reply), **symptom.cited}
    if symptom.circumstance is not None:
        detail["circumstance"] = symptom.circumstance.value
    if health.probe_at is not None:
        later = max(0, health.probe_at - context.clock.now())
        detail["next_try"] = str(context.clock.shown(context.clock.wall() + later))
    return detail
