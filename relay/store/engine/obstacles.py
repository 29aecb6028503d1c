"""What keeps a mailbox from being tried by hand now, and until when.

Law: who tries by hand has no other rights than the mail: no session, login or recipient beyond what may be used now.
"""

from relay.core.health import HealthState
from relay.core.limits import HOUR, Instant
from relay.core.meaning import ReplyClass
from relay.core.words import MailboxId
from relay.store.engine.context import Context
from relay.store.engine.routes import NO_CREDENTIALS
from relay.store.engine.statements import load_statements
from relay.store.ports.reading import LoginWait
from relay.store.ports.trials import NotNow

_SQL = load_statements("trials")

LIMIT = "limit"
LOGIN = "login"
SESSION = "session"
REFUSED_LOGINS = "refused-logins"

ABOUT_SENDING = frozenset({ReplyClass.RATE_LIMITED.value, ReplyClass.QUOTA_EXCEEDED.value})
"""What a mailbox may wait for that its provider counts at MAIL and later: a login, within its budgets, tells nothing
of it and costs nothing there, and shows whether a password is right."""

OPEN_TO_TRIALS = frozenset({ReplyClass.NETWORK.value, ReplyClass.OUTAGE.value, ReplyClass.TLS_REQUIRED.value})
"""What may have stopped a provider and is made no worse by one more connection; and all that is wrong with TLS."""


def obstacle_to_login(context: Context, mailbox: MailboxId, *, is_new: bool) -> NotNow | None:
    """Why no session may be opened now; None: one may."""
    if context.routes.fingerprints.get(mailbox, "") is None:
        return NotNow(NO_CREDENTIALS)
    return (
        _closed_provider(context, mailbox)
        or _waiting(context, mailbox)
        or _no_session(context, mailbox)
        or (None if is_new else _no_login(context, mailbox))
        or (None if is_new else _refused_lately(context, mailbox))
        or (None if is_new else _no_room(context, mailbox))
    )


def obstacle_to_claim(context: Context, mailbox: MailboxId) -> NotNow | None:
    """Why no MAIL may be said now; None: it may."""
    is_told_to = _is_to_send_less(context, mailbox)
    return (_asked_to_wait(context, mailbox) if is_told_to else None) or _no_room(context, mailbox)


def _no_room(context: Context, mailbox: MailboxId) -> NotNow | None:
    """A limit is used up."""
    line, now = context.schedule.look(mailbox), context.clock.now()
    totals = line.provider.totals
    if line.ledger.has_room(now) and totals.has_room(mailbox, now):
        return None
    opens = [line.ledger.opens_at(now), totals.opens_at(mailbox, now)]
    known = [at for at in opens if at is not None]
    return NotNow(LIMIT, _shown(context, max(known)) if len(known) == len(opens) else None)


def login_wait(context: Context, mailbox: MailboxId) -> LoginWait | None:
    """Which budget lets the mail of a mailbox log in no sooner, and until when; None: none does, or none has an end."""
    line, now = context.schedule.look(mailbox), context.clock.now()
    if line.sessions or line.is_free_to_try:
        return None
    budgets = (
        (REFUSED_LOGINS, line.terms.refused_logins, line.refusals),
        (LOGIN, line.terms.login_limit, line.logins),
    )
    waits = []
    for budget, limit, window in budgets:
        opens_at = None if window.has_room(now) else window.opens_at(now)
        until = _shown(context, opens_at)
        waits += [] if until is None else [LoginWait(budget, str(limit), until)]
    return max(waits, key=lambda wait: wait.until, default=None)


def is_out_of_reach(context: Context, mailbox: MailboxId) -> bool:
    """Whether it is known already that nobody gets through to it."""
    healths = context.remembrance.health(mailbox), context.remembrance.provider_health(mailbox.provider)
    return any(each.is_stopped and _is_open(each.reason or "") for each in healths)


def _is_open(reason: str) -> bool:
    return reason in OPEN_TO_TRIALS or reason.startswith("tls-")


def _closed_provider(context: Context, mailbox: MailboxId) -> NotNow | None:
    """Its host lets nobody in, and would only be annoyed."""
    health = context.remembrance.provider_health(mailbox.provider)
    reason = health.reason or HealthState.WAITING.value
    if not health.is_stopped or _is_open(reason):
        return None
    return NotNow(reason, _shown(context, health.probe_at), is_provider=True)


def _waiting(context: Context, mailbox: MailboxId) -> NotNow | None:
    """It was asked to wait, and waits; not where the wait is for sending alone."""
    return None if _is_to_send_less(context, mailbox) else _asked_to_wait(context, mailbox)


def _is_to_send_less(context: Context, mailbox: MailboxId) -> bool:
    health = context.remembrance.health(mailbox)
    return health.reason in ABOUT_SENDING and not health.is_login_stopped


def _asked_to_wait(context: Context, mailbox: MailboxId) -> NotNow | None:
    health = context.remembrance.health(mailbox)
    is_asked = health.state is HealthState.WAITING and health.reason not in OPEN_TO_TRIALS
    is_asked = is_asked or health.is_login_stopped
    if not is_asked or health.probe_at is None or health.probe_at <= context.clock.now():
        return None
    return NotNow(health.reason or LIMIT, _shown(context, health.probe_at))


def _no_session(context: Context, mailbox: MailboxId) -> NotNow | None:
    """All sessions that it, or its provider, may have are open or being opened."""
    line, now = context.schedule.look(mailbox), context.clock.now()
    crowded = max(line.crowded_until, line.provider.crowded_until)
    if crowded > now:
        return NotNow(ReplyClass.TOO_MANY_CONNECTIONS.value, _shown(context, crowded))
    is_full = line.sessions >= (1 if line.standing.is_careful else line.terms.connections)
    if is_full or line.provider.sessions >= line.provider.terms.total_connections:
        return NotNow(SESSION)
    if line.provider.standing.is_stopped and line.provider.opening:
        return NotNow(SESSION, is_provider=True)
    return None


def _no_login(context: Context, mailbox: MailboxId) -> NotNow | None:
    """Its provider has seen as many logins as it likes to see."""
    logins, now = context.schedule.look(mailbox).logins, context.clock.now()
    return None if logins.has_room(now) else NotNow(LOGIN, _shown(context, logins.opens_at(now)))


def _refused_lately(context: Context, mailbox: MailboxId) -> NotNow | None:
    """This password was refused, and trying it again and again is what gets a mailbox blocked."""
    line, now, health = context.schedule.look(mailbox), context.clock.now(), context.remembrance.health(mailbox)
    opens = [now] if line.refusals.has_room(now) else [line.refusals.opens_at(now) or now + HOUR]
    if health.is_stopped or not health.is_proven:
        row = context.database.read_one(_SQL["last_refusal"], (context.names.mailbox(mailbox),))
        opens += [row[0] + context.settings.health.second_refusal] if row is not None and row[0] is not None else []
    return None if max(opens) <= now else NotNow(REFUSED_LOGINS, _shown(context, max(opens)))


def _shown(context: Context, at: Instant | None) -> int | None:
    """Relay time as the clock on the wall says."""
    clock = context.clock
    return None if at is None else clock.shown(max(at, clock.now()) + clock.wall() - clock.now())
