"""Accounts and providers as admins see them: health, what is queued, limits in use, and until when.

Law: it only reads; the health is a mailbox's, the reason says what keeps its mail back, whoever that is about.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from relay.core.health import Health, HealthState
from relay.core.ledger import MailboxLedger
from relay.core.limits import SECOND, Limit
from relay.core.remedy import Needs, needs_of, needs_of_health
from relay.core.routing import Account, Routing
from relay.core.standstill import Barrier, barrier_of
from relay.core.words import AccountId, Lane, MailboxId
from relay.store.engine.context import Context
from relay.store.engine.ground import Line
from relay.store.engine.outlooks import Outlooks
from relay.store.engine.routes import NO_ACCOUNT
from relay.store.engine.statements import load_statements
from relay.store.engine.values import LANES, Stored
from relay.store.ports.reading import AccountQuery, AccountView, LimitView, ProviderView

_SQL = load_statements("reading")

RETIRED = "retired"

HELD = "held"
"""The reason of an account that is well, some of whose mail is held by itself, and nobody wrote down why."""


def health_of(context: Context, account: Account) -> str:
    """The health of an account: its mailbox's, unless it is retired or its mail goes nowhere."""
    if account.retires is not None and _today(context, account) > account.retires:
        return RETIRED
    if context.routes.trouble_of(account.sender) is not None:
        return HealthState.PAUSED.value
    return context.remembrance.health(account.mailbox).state.value


def _today(context: Context, account: Account) -> date:
    """The day at the provider, by whose midnight an account retires."""
    provider = context.routes.routing.providers.get(account.mailbox.provider)
    zone = UTC if provider is None else ZoneInfo(provider.timezone)
    return datetime.fromtimestamp(context.clock.civil() / SECOND, zone).date()


class Roll:
    """The senders of a routing in order; kept, because most pages are asked for under the same routing."""

    def __init__(self) -> None:
        self._routing: Routing | None = None
        self._senders: list[AccountId] = []

    def of(self, routing: Routing, strangers: Iterable[AccountId]) -> list[AccountId]:
        """With those of whom only mail is left."""
        if routing is not self._routing:
            self._routing, self._senders = routing, sorted(routing.accounts)
        left = [sender for sender in strangers if sender not in routing.accounts]
        return sorted([*self._senders, *left]) if left else self._senders


class AccountViews:
    """Makes views of accounts, for one answer."""

    def __init__(self, context: Context, *, steps: int) -> None:
        self._context = context
        self.outlooks = Outlooks(context, steps)
        self._ahead = context.clock.wall() - context.clock.now()

    def answers(self, sender: AccountId, query: AccountQuery) -> bool:
        """Whether an account is what was asked for; costs little."""
        account = self._context.routes.routing.accounts.get(sender)
        if account is None:
            return query.plan is None and query.health in (None, HealthState.PAUSED.value)
        if query.plan is not None and account.plan is not query.plan:
            return False
        return query.health is None or health_of(self._context, account) == query.health

    def one(self, sender: AccountId) -> AccountView | None:
        """An account; None: neither the routing nor the queue knows it."""
        context = self._context
        account, line = context.routes.routing.accounts.get(sender), self._line(sender)
        queued = 0 if line is None else line.waiting + line.held
        if account is None:
            if line is None:
                return None
            needs = needs_of(NO_ACCOUNT)
            return AccountView(sender, None, None, HealthState.PAUSED.value, NO_ACCOUNT, None, None, needs, queued)
        health = health_of(context, account)
        reason, since, needs = self._reason(account, health, line)
        eta, needs = self._outlook(account, needs, line) if line is not None and queued else (None, needs)
        limits = limit_views(context, account.mailbox)
        return AccountView(
            sender, account.plan, account.mailbox, health, reason, since, eta, needs, queued, tuple(limits)
        )  # fmt: skip

    def _outlook(self, account: Account, needs: Needs | None, line: Line) -> tuple[int | None, Needs | None]:
        """Until when, and who has to act: of an account the same as of its deliveries (core/standstill)."""
        sender, probe_at = account.sender, self._probe(account)
        if needs is not None:
            return (probe_at if line.waiting else None), needs
        eta = self.drained_at(sender) or probe_at
        if eta is None:
            return None, Needs.OPS
        ends = self._ends(sender)
        return (eta, None) if ends is None or eta < ends else (None, Needs.ADMIN)

    def _probe(self, account: Account) -> int | None:
        """When its mailbox or the provider that is stopped is tried next by it, wall time; None: it is not."""
        context = self._context
        if context.routes.trouble_of(account.sender) is not None:
            return None
        healths = context.remembrance.health(account.mailbox), self._host(account.mailbox)
        stops = [each.probe_at for each in healths if each.is_stopped]
        known = [at for at in stops if at is not None]
        if not known or len(known) < len(stops):
            return None
        line = context.schedule.look(account.mailbox)
        return self._shown(line.tries_at(max(known), context.clock.now()) + self._ahead)

    def _ends(self, sender: AccountId) -> int | None:
        """When the lifetime of the last that is ready ends, wall time; None: nothing is."""
        context, number = self._context, self._context.names.known_account(sender)
        rows = [context.database.read_one(_SQL["newest_ready"], (number, LANES.index(lane))) for lane in LANES]
        is_kept_back = context.is_kept_back(sender)
        ends = [
            context.ends_of(accepted, expires, is_kept_back=is_kept_back, is_dated=bool(is_dated))
            for accepted, expires, is_dated in filter(None, rows)
        ]
        return context.clock.shown(max(ends)) if ends else None

    def drained_at(self, sender: AccountId) -> int | None:
        """When the last of what is queued and not held will have left, wall time; None: not before somebody acts."""
        context = self._context
        mailbox, number = context.routes.mailbox_of(sender), context.names.known_account(sender)
        if mailbox is None or number is None:
            return None
        row = context.database.read_one(_SQL["last_due"], (number,))
        last: list[int] = [context.clock.wall()] + ([row[0]] if row is not None and row[0] else [])
        if any(context.ready.count(number, sender, lane) for lane in LANES):
            drained = self.outlooks.drained_at(mailbox, sender)
            if drained is None:
                return None
            last.append(drained + self._ahead)
        return context.clock.shown(max(last))

    def _line(self, sender: AccountId) -> Line | None:
        number = self._context.names.known_account(sender)
        return None if number is None else self._context.pending.line(number)

    def _reason(self, account: Account, health: str, line: Line | None) -> tuple[str | None, int | None, Needs | None]:
        """What keeps its mail back, since when, and who has to act."""
        context = self._context
        if health == RETIRED:
            return RETIRED, None, Needs.ADMIN
        stranded = context.routes.trouble_of(account.sender)
        if stranded is not None:
            return stranded, None, needs_of(stranded)
        own, host = context.remembrance.health(account.mailbox), self._host(account.mailbox)
        stopped = next((each for each in (own, host) if each.is_stopped), None)
        reason = self._barrier(account) or own.reason if stopped is None else stopped.reason
        needs = None if stopped is None else _needs(context, stopped)
        if line is not None and line.held:
            reason, needs = (reason, needs) if needs is not None else self._held(account)
        return reason, self._shown((stopped or own).since), needs

    def _held(self, account: Account) -> tuple[str, Needs]:
        """Why the first of its mail that is held by itself is held, and for whom."""
        number = self._context.names.known_account(account.sender)
        row = self._context.database.read_one(_SQL["first_held"], (number, Stored.HELD))
        reason = HELD if row is None else row[0] or HELD
        return reason, needs_of(reason) or Needs.ADMIN

    def _shown(self, at: int | None) -> int | None:
        return None if at is None else self._context.clock.shown(at)

    def _host(self, mailbox: MailboxId) -> Health:
        return self._context.remembrance.provider_health(mailbox.provider)

    def _barrier(self, account: Account) -> str | None:
        """What its next mail waits for, if it is more than its turn."""
        context = self._context
        express, bulk = context.schedule.ready_of(account.mailbox, account.sender)
        if not express and not bulk:
            return None
        line = context.schedule.look(account.mailbox)
        found = barrier_of(line, Lane.EXPRESS if express else Lane.BULK, 1, context.clock.now())
        return None if found is Barrier.QUEUE else found.value


def provider_views(context: Context) -> Sequence[ProviderView]:
    """Every provider of the routing in force, by name."""
    return [_provider(context, name) for name in sorted(context.routes.routing.providers)]


def _provider(context: Context, name: str) -> ProviderView:
    health, clock = context.remembrance.provider_health(name), context.clock
    ahead = clock.shown(clock.wall()) - clock.now()
    probe_at = health.probe_at if health.is_stopped else None
    eta = None if probe_at is None else max(probe_at, clock.now()) + ahead
    host = context.schedule.host(name)
    since = None if health.since is None else clock.shown(health.since)
    limits = _limit_views(context, host.terms.total_limits, host.totals.whole)
    needs = _needs(context, health) if health.is_stopped else None
    return ProviderView(
        name, health.state.value, health.reason, since, eta, needs, host.sessions - host.opening, tuple(limits)
    )


def _needs(context: Context, stopped: Health) -> Needs | None:
    now = context.clock.wall()
    return needs_of_health(stopped, lasted=now - (stopped.since or now))


def limit_views(context: Context, mailbox: MailboxId) -> list[LimitView]:
    """The own limits of a mailbox, and how much of each is used."""
    line = context.schedule.look(mailbox)
    return _limit_views(context, line.terms.limits, line.ledger)


def _limit_views(context: Context, limits: Sequence[Limit], ledger: MailboxLedger) -> list[LimitView]:
    now, pairs = context.clock.now(), zip(limits, ledger.windows, strict=True)
    return [LimitView(str(limit), window.used(now), window.ceiling()) for limit, window in pairs]
