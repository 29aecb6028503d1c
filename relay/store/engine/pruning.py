"""History that has been kept long enough: finished messages, ended attempts and events, deleted oldest first.

Law: what waits, what a report is owed for and what a limit still counts is never touched; a little at each heartbeat,
and sooner, down to the last quarter of an hour, while space is short: mail goes before history.
"""

from relay.core.limits import HOUR, MINUTE, SECOND, Instant
from relay.core.routing import Routing
from relay.store.engine.context import Context
from relay.store.engine.remembrance import LEAST_MEMORY
from relay.store.engine.statements import load_statements

_SQL = load_statements("pruning")
_HEALTHS = load_statements("healths")
_CONCERNS = load_statements("concerns")
_TELLINGS = load_statements("tellings")

HISTORY: int = 90 * 24 * HOUR
"""Finished mail is remembered for a quarter of a year: what a doctor asks about, and ops compare; two years' growth
would be a million messages that nobody asks for."""

SAID: int = 30 * 24 * HOUR
"""What providers said in their own words may name patients: as long as their support asks for it."""

SHORT_HISTORY: int = 15 * MINUTE
"""Where space is short: long enough for a client that asks what became of the mail that it just handed in."""

AT_ONCE: int = 500
"""Messages, attempts and events looked at in one go on SQLite: some 20 ms, and two million a day."""

REST: int = HOUR
"""After a look that reached the end: what is a quarter of a year old is not urgent."""

SHORT_REST: int = 5 * SECOND
"""The same where space is short."""


class Pruning:
    """Goes through what is finished, again and again."""

    def __init__(self, context: Context, at_once: int = AT_ONCE) -> None:
        self._context = context
        self._at_once = at_once
        self._next = 0
        self._looked_at: Instant = -REST
        self._counted_of: Routing | None = None
        self._longest = 0

    def prune(self, *, before: int | None, is_tight: bool) -> bool:
        """Deletes a little of what is old enough, of messages below `before`, if any; whether there may be more."""
        now = self._context.clock.now()
        rest = SHORT_REST if is_tight else REST
        if now < self._looked_at + rest:
            return False
        keep = SHORT_HISTORY if is_tight else HISTORY
        horizon = self._context.clock.wall() - keep
        many = self._prune_messages(before, horizon) + self._prune_trails(horizon, now - max(keep, self._counted()))
        if many < self._at_once:
            self._looked_at = now
        return many >= self._at_once

    def _prune_messages(self, before: int | None, horizon: int) -> int:
        """How many were looked at."""
        database = self._context.database
        newest = (database.read_one(_SQL["newest_message"]) or (None,))[0] or 0
        end = newest if before is None else min(before, newest)
        rows = database.read(_SQL["old_messages"], (self._next, horizon, end, self._at_once))
        self._next = rows[-1][0] + 1 if len(rows) == self._at_once else 0
        over = [(seq, seq + many) for seq, many, *needs in rows if not any(needs)]
        if over:
            database.write_many(_SQL["drop_deliveries"], over)
            database.write_many(_SQL["drop_message"], [(seq,) for seq, _ in over])
        return len(rows)

    def _prune_trails(self, horizon: int, ended: Instant) -> int:
        """How many attempts, events, changes of health, concerns or notices are gone, whichever are most."""
        write = self._context.database.write
        write(_SQL["drop_said"], (self._context.clock.now() - SAID, self._at_once))
        return max(
            write(_SQL["drop_attempts"], (ended, self._at_once)),
            write(_SQL["drop_events"], (horizon, self._at_once)),
            write(_HEALTHS["drop_healths"], (horizon, self._at_once)),
            write(_CONCERNS["prune_concerns"], (horizon, self._at_once)),
            write(_TELLINGS["prune_tellings"], (horizon, self._at_once)),
        )

    def _counted(self) -> int:
        """How far back a limit in force may look; found once for each routing, which may have 100,000 accounts."""
        routing = self._context.routes.routing
        if self._counted_of is not routing:
            limits = [limit for each in routing.providers.values() for limit in each.limits + each.total_limits]
            limits += [limit for account in routing.accounts.values() for limit in account.limits]
            self._counted_of, self._longest = routing, max([LEAST_MEMORY, *(limit.width for limit in limits)])
        return self._longest
