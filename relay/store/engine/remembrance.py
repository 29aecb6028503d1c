"""What the schedule learns from the store: terms from the routing, standing from health, slots from attempts.

Law: what still counts under any limit in force is read back from what was committed, so that no window starts empty.
"""

from collections.abc import Collection, Iterator
from zoneinfo import ZoneInfo

from relay.core.health import Health, HealthEvent
from relay.core.kinship import NO_KIN
from relay.core.limits import HOUR, MINUTE, Instant, Limit
from relay.core.terms import MailboxTerms, PastAttempt, ProviderTerms, Standing
from relay.core.words import MailboxId
from relay.store.engine.ground import Times
from relay.store.engine.ledger import Ledger
from relay.store.engine.numbers import Numbers
from relay.store.engine.routes import Routes
from relay.store.engine.statements import load_statements
from relay.store.engine.values import read_health, write_health
from relay.store.engine.warmups import Warmups

_SQL = load_statements("limits")
_STORE = load_statements("store")

LEAST_MEMORY: int = 50 * HOUR
"""Ends are read this far back at least, so that a longer limit put in force tomorrow does not start empty."""

EXACT_MEMORY: int = HOUR
"""Ends older than this are read a minute's together: windows that are that long do not notice a minute."""


UNKNOWN = Health()
"""Of a mailbox that was never used."""


class Remembrance:
    """The `Memory` of the schedule, from the ledger; and the health of mailboxes and providers."""

    def __init__(
        self, database: Ledger, names: Numbers, clock: Times, routes: Routes, *, refused_logins: Limit
    ) -> None:
        """`refused_logins`: how many a mailbox may have in how long."""
        self._database = database
        self._names = names
        self._clock = clock
        self._refused_logins = refused_logins
        self.routes = routes
        """The routing in force."""
        self.kinship = NO_KIN
        """Which mailboxes are one, under several names."""
        self._healths = {
            MailboxId(provider, username): read_health(health)
            for provider, username, health in database.read(_STORE["known_healths"])
        }
        self._stopped: dict[str, dict[MailboxId, None]] = {}
        """By provider: the few that do not work, for whoever asks what they have in common."""
        for mailbox, health in self._healths.items():
            self._note(mailbox, health)
        self._provider_healths: dict[str, Health] = {}
        self.warmups = Warmups(
            database, names, clock, numbers_of=lambda mailbox: [number for _, number in self._names_of(mailbox)]
        )
        """Mailboxes that are new."""

    # terms

    def mailbox_terms(self, mailbox: MailboxId) -> MailboxTerms:
        """What the routing says; a mailbox that is not in it binds nothing, for nothing is sent through it."""
        routing = self.routes.routing
        provider = routing.providers.get(mailbox.provider)
        if provider is None:
            return MailboxTerms(refused_logins=self._refused_logins)
        return MailboxTerms(
            self.warmups.bind(mailbox, routing.limits_of(mailbox), is_warmed=provider.has_warmup),
            routing.weight_of(mailbox),
            provider.connections,
            provider.login_limit,
            provider.express_share,
            self._refused_logins,
        )

    def provider_terms(self, provider: str) -> ProviderTerms:
        """What the routing says; a provider that is not in it binds nothing."""
        known = self.routes.routing.providers.get(provider)
        if known is None:
            return ProviderTerms()
        return ProviderTerms(known.total_limits, known.total_connections, ZoneInfo(known.timezone))

    def civil_offset(self) -> int:
        """Civil minus relay time."""
        return self._clock.civil_offset()

    # health

    def health(self, mailbox: MailboxId) -> Health:
        """A mailbox's health."""
        return self._healths.get(mailbox, UNKNOWN)

    def set_health(self, mailbox: MailboxId, health: Health) -> None:
        """Writes a mailbox's health."""
        self._database.write(_STORE["set_mailbox_health"], (write_health(health), self._names.mailbox(mailbox)))
        self._healths[mailbox] = health
        self._note(mailbox, health)

    def learn(self, mailbox: MailboxId, health: Health) -> None:
        """Another node wrote a mailbox's health."""
        self._healths[mailbox] = health
        self._note(mailbox, health)

    def learn_of_provider(self, provider: str, health: Health) -> None:
        """Another node wrote a provider's health."""
        self._provider_healths[provider] = health

    def _note(self, mailbox: MailboxId, health: Health) -> None:
        stopped = self._stopped.setdefault(mailbox.provider, {})
        if health.is_stopped:
            stopped[mailbox] = None
        else:
            stopped.pop(mailbox, None)

    def stopped_by(self, provider: str, causes: Collection[HealthEvent]) -> list[MailboxId]:
        """The mailboxes of a provider that stand still for one of these causes."""
        return [each for each in self._stopped.get(provider, ()) if self._healths[each].cause in causes]

    def provider_health(self, provider: str) -> Health:
        """A provider's health."""
        health = self._provider_healths.get(provider)
        if health is None:
            row = self._database.read_one(_STORE["provider_health"], (provider,))
            health = self._provider_healths[provider] = read_health(None if row is None else row[0])
        return health

    def set_provider_health(self, provider: str, health: Health) -> None:
        """Writes a provider's health."""
        self._database.write(_STORE["set_provider_health"], (provider, write_health(health)))
        self._provider_healths[provider] = health

    def mailbox_standing(self, mailbox: MailboxId) -> Standing:
        """What the schedule has to know of a mailbox's health."""
        return self.health(mailbox).standing

    def provider_standing(self, provider: str) -> Standing:
        """What the schedule has to know of a provider's health."""
        return self.provider_health(provider).standing

    # slots

    def mailbox_past(self, mailbox: MailboxId) -> Iterator[PastAttempt]:
        """Attempts of a mailbox that may still count, and those under way."""
        horizon, border = self._horizon(self.mailbox_terms(mailbox).limits), self._border()
        for name, number in self._names_of(mailbox):
            rows = self._database.read(_SQL["mailbox_old_ends"], (number, horizon, border))
            rows += self._database.read(_SQL["mailbox_ends"], (number, border))
            for started, ended, many in rows:
                yield PastAttempt(name, started, ended, many)
            for (started,) in self._database.read(_SQL["mailbox_running"], (number,)):
                yield PastAttempt(name, started, None)

    def _names_of(self, mailbox: MailboxId) -> Iterator[tuple[MailboxId, int]]:
        """All its names under which anything was ever tried, with their numbers."""
        for name in (mailbox, *self.kinship.of(mailbox)):
            number = self._names.known_mailbox(name)
            if number is not None:
                yield name, number

    def provider_past(self, provider: str) -> Iterator[PastAttempt]:
        """Attempts of all mailboxes of a provider that may still count, and those under way."""
        horizon, border = self._horizon(self.provider_terms(provider).total_limits), self._border()
        for name in (provider, *self.kinship.gone_of(provider)):
            rows = self._database.read(_SQL["provider_old_ends"], (name, horizon, border))
            rows += self._database.read(_SQL["provider_ends"], (name, border))
            for username, started, ended, many in rows:
                yield PastAttempt(MailboxId(name, username), started, ended, many)
            for username, started in self._database.read(_SQL["provider_running"], (name,)):
                yield PastAttempt(MailboxId(name, username), started, None)

    def login_past(self, mailbox: MailboxId) -> Iterator[PastAttempt]:
        """Logins of a mailbox that may still count, and those under way."""
        since = self._clock.now() - max(LEAST_MEMORY, self.mailbox_terms(mailbox).login_limit.width)
        for name, number in self._names_of(mailbox):
            for started, ended in self._database.read(_SQL["logins_since"], (number, since)):
                yield PastAttempt(name, started, ended)

    def refusal_past(self, mailbox: MailboxId) -> Iterator[PastAttempt]:
        """Logins of a mailbox that were refused and still count, and those under way, which may be."""
        since = self._clock.now() - self._refused_logins.width
        for name, number in self._names_of(mailbox):
            for started, ended in self._database.read(_SQL["refusals_since"], (number, since)):
                yield PastAttempt(name, started, ended)

    def _horizon(self, limits: tuple[Limit, ...]) -> Instant:
        longest = max((limit.width for limit in limits), default=0)
        return self._clock.now() - max(LEAST_MEMORY, longest)

    def _border(self) -> Instant:
        """Ends before it are read a minute's together."""
        border = self._clock.now() - EXACT_MEMORY
        return border - border % MINUTE
