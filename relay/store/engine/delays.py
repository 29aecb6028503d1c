"""Notices of delay: who waits longer than `queue.delay_notice` is told, once.

Law: every delivery is looked at once, in the order of acceptance, when it has waited that long; how far that went is
written in the transaction that writes the notices. Of one account at most three are written within an hour, each
saying how many other mails wait: five hundred notices of one burst would only make it later.
"""

from relay.core.dsn import is_wanted
from relay.core.envelope import Kind
from relay.core.failuretext import Action
from relay.core.limits import HOUR
from relay.errors import CorruptValue
from relay.store.engine.context import Context
from relay.store.engine.entry import Entry
from relay.store.engine.ledger import Row
from relay.store.engine.statements import load_statements
from relay.store.ports.events import EventKind, StoreEvent
from relay.store.ports.outbox import OutboxKind

_SQL = load_statements("notices")
_OUTBOX = load_statements("outbox")

AT_ONCE: int = 100
"""Late deliveries handled in one go."""

SPAN: int = 2_000
"""Deliveries looked at in one go: most are final, and cost less than a microsecond."""

WINDOW: int = HOUR
NOTICES: int = 3
"""Notices of one account in this window: enough to name single mails, too few to fill its limits."""


class Delays:
    """Looks for what is late."""

    def __init__(self, context: Context) -> None:
        self._context = context
        row = context.database.read_one(_SQL["get_notices"])
        self._seen = self._written = 0 if row is None else int(row[0])
        self._first: tuple[int, int] | None = None
        """The first delivery after those seen that is not final, and when it is late."""
        self._has_more = True

    def ring(self, now: int) -> None:
        """Writes notices of what is late by now (queue time), a bounded number."""
        if not self._context.settings.delay_notice:
            return
        for _ in range(AT_ONCE):
            first = self._find()
            if first is None or first[1] > now:
                return
            self._seen, self._first = first[0], None
            self._notice(first[0], now)

    def hear(self) -> None:
        """Another node may have looked farther meanwhile."""
        row = self._context.database.read_one(_SQL["get_notices"])
        if row is None or int(row[0]) <= self._seen:
            return
        self._seen = self._written = int(row[0])
        if self._first is not None and self._first[0] <= self._seen:
            self._first, self._has_more = None, True

    def write(self) -> None:
        """Writes how far it went: with each notice, and now and then."""
        if self._seen != self._written:
            self._context.database.write(_SQL["set_notices"], (self._seen,))
            self._written = self._seen

    def wakes_at(self, now: int) -> int | None:
        """When something may be late next, queue time; None: nothing waits that was not looked at."""
        if not self._context.settings.delay_notice:
            return None
        return self._first[1] if self._first is not None else now if self._has_more else None

    def _find(self) -> tuple[int, int] | None:
        """The first that is not final, of some after those seen."""
        database = self._context.database
        if self._first is not None and database.read_one(_SQL["is_pending"], (self._first[0],)) == (1,):
            return self._first
        until = self._seen + SPAN
        row = database.read_one(_SQL["first_pending"], (self._seen, until))
        if row is not None:
            self._first = (row[0], row[1] + self._context.settings.delay_notice)
            return self._first
        newest = (database.read_one(_SQL["newest_delivery"]) or (0,))[0] or 0
        self._seen, self._first, self._has_more = min(until, max(newest, self._seen)), None, newest > until
        return None

    def _notice(self, number: int, now: int) -> None:
        found = self._context.entries.one(number)
        assert found is not None
        entry = found[0]
        if entry.kind is Kind.REPORT or not self._is_wanted(entry) or not self._may_tell(entry.account, now):
            return
        values = (OutboxKind.DELAYED.value, entry.seq, number, OutboxKind.DELAYED.value, None, now, entry.sealed, None)
        self._context.database.write(_OUTBOX["add_outbox"], values)
        self._context.owed += 1
        self.write()
        event = StoreEvent(EventKind.OWED, now, entry.message, number, entry.sender, reason=OutboxKind.DELAYED.value)
        self._context.journal.record(event, entry.seq)

    def _is_wanted(self, entry: Entry) -> bool:
        assert entry.sealed is not None
        try:
            envelope = self._context.seals.open_envelope(entry.sealed, entry.message, entry.ordinal)
        except CorruptValue:
            return False
        return is_wanted(envelope, Action.DELAYED)

    def _may_tell(self, account: int, now: int) -> bool:
        """Counts a notice, unless the account has had enough within the hour."""
        row: Row | None = self._context.database.read_one(_SQL["get_noticed"], (account,))
        begun, many = (now, 0) if row is None or now - row[0] >= WINDOW else row
        if many >= NOTICES:
            return False
        self._context.database.write(_SQL["set_noticed"], (account, begun, many + 1))
        return True
