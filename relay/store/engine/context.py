"""What the concerns of the store share: one database, one clock, one schedule, and what is kept in memory beside them.

Law: everything here is rebuilt from the database at a start and after a failed commit; nothing else is kept.
"""

from dataclasses import dataclass, field, replace

from relay.core.busiest import Busiest
from relay.core.envelope import NewMessage
from relay.core.health import Pause
from relay.core.routing import InDoubt
from relay.core.standstill import is_for_somebody, pause_of
from relay.core.words import AccountId, MailboxId
from relay.store.engine.entry import Entries
from relay.store.engine.ground import Bodies, Claims, Lanes, Pending, Ready, Scheduling, SessionCounts, Times
from relay.store.engine.journal import Journal
from relay.store.engine.ledger import Ledger
from relay.store.engine.numbers import Numbers
from relay.store.engine.remembrance import Remembrance
from relay.store.engine.routes import Routes
from relay.store.engine.values import Seals
from relay.store.engine.watched import Watched
from relay.store.needs import CrashPoint, StoreSettings


@dataclass(slots=True)
class Context:
    """Handed to every concern."""

    database: Ledger
    seals: Seals
    clock: Times
    settings: StoreSettings
    crash_point: CrashPoint
    names: Numbers
    entries: Entries
    routes: Routes
    remembrance: Remembrance
    schedule: Scheduling
    ready: Ready
    bodies: Bodies
    claims: Claims
    journal: Journal
    pending: Pending
    book: SessionCounts
    lanes: Lanes
    owed: int
    """Entries in the outbox."""
    watched: Watched = field(default_factory=Watched)
    busiest: Busiest = field(default_factory=Busiest)
    changes: int = 0
    """Counts what may let more be granted; `wait` waits for it to move."""

    def changed(self) -> None:
        """Something happened that may let more be granted."""
        self.changes += 1

    def is_kept_back(self, sender: AccountId) -> bool:
        """Whether the mail of an account is held: it goes nowhere, its mailbox is stopped, or its provider until
        somebody acts; what time alone heals at a provider waits.
        """
        mailbox = self.routes.mailbox_of(sender)
        if mailbox is None or self.remembrance.health(mailbox).is_stopped:
            return True
        return is_for_somebody(self.remembrance.provider_health(mailbox.provider))

    def pause_of(self, sender: AccountId) -> Pause | None:
        """Why nothing leaves this account before somebody acts, and since when; None: it does, or time alone helps."""
        known = self.routes.routing.accounts.get(sender)
        if known is None:
            return None
        memory = self.remembrance
        found = pause_of(
            self.routes.stop_of(sender), memory.health(known.mailbox), memory.provider_health(known.mailbox.provider)
        )
        return None if found is None else replace(found, since=self.clock.shown(found.since))

    def is_stopped(self, sender: AccountId) -> bool:
        """Whether nothing leaves this account now: a report would have to wait in it, whatever for."""
        mailbox = self.routes.mailbox_of(sender)
        if mailbox is None or self.remembrance.health(mailbox).is_stopped:
            return True
        return self.remembrance.provider_health(mailbox.provider).is_stopped

    def replace_routes(self, routes: Routes) -> None:
        """Another routing is in force; what is ready has to be moved by whoever put it there."""
        self.routes = self.remembrance.routes = routes

    def name_in_force(self, mailbox: MailboxId) -> MailboxId:
        """What a mailbox is called that was met under a name that the routing has no more: what an edit left under
        way bears on it. Of another secret, which is still to be tried, it shows nothing.
        """
        routed = self.routes.routing.by_mailbox
        if mailbox in routed:
            return mailbox
        names = [each for each in self.remembrance.kinship.of(mailbox) if each in routed]
        return names[0] if names and not self.remembrance.health(names[0]).is_fresh else mailbox

    # what the settings say about an account

    def lifetime_of(self, message: NewMessage) -> int:
        """How long a message is tried, microseconds."""
        account = self.routes.routing.accounts.get(message.account)
        own = None if account is None else account.lifetime
        usual = self.settings.lifetime if own is None else own
        if message.lifetime is None:
            return usual
        return min(usual, message.lifetime) if message.is_dated else message.lifetime

    def ends_of(self, accepted: int, expires: int, *, is_kept_back: bool, is_dated: bool) -> int:
        """When the lifetime of a delivery that waits ends: what is kept back has that of what is held, but for what is
        dated.
        """
        return expires if is_dated or not is_kept_back else max(expires, accepted + self.settings.hold_lifetime)

    def in_doubt_of(self, sender: AccountId) -> InDoubt:
        """What happens to a delivery in doubt."""
        account = self.routes.routing.accounts.get(sender)
        return account.in_doubt if account is not None and account.in_doubt is not None else self.settings.in_doubt
