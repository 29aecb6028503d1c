"""The synchronous core of the store: every operation of the ports on one connection, and what is in memory beside it.

Law: an operation that raises has written nothing; after a failed commit the core is thrown away and loaded again.
"""

from collections.abc import Sequence

from relay.core.envelope import Claim, Result, Verdict
from relay.core.words import Lane
from relay.store.engine.engine import Engine
from relay.store.engine.pruning import Pruning
from relay.store.engine.sealing import Sealed
from relay.store.engine.statements import load_statements
from relay.store.engine.unheard import recall
from relay.store.engine.values import LANES
from relay.store.sqlite.intake import Intake
from relay.store.sqlite.leases import Leases
from relay.store.sqlite.parts import Ground, load_parts
from relay.store.sqlite.readings import Wanted
from relay.store.sqlite.sweeping import Sweeping
from relay.store.sqlite.taking import Taking

_SQL = load_statements("store")
_QUEUE = load_statements("queue")
_LIMITS = load_statements("limits")
_UNHEARD = load_statements("unheard")

SHRINK_PAGES: int = 64
"""Pages that the file is made shorter by in one go: as much more in the log, on a disk that has little left."""


class Core:
    """One life of the store in memory: from a load to a crash, a failed commit or the end."""

    def __init__(self, ground: Ground, changes: int = 0) -> None:
        self._ground = ground
        self.parts = parts = load_parts(ground)
        self.context = context = parts.context
        context.changes = changes
        deliveries, running, ended = context.database.read_one(_SQL["last_ids"]) or (0, 0, 0)
        first = (deliveries or 0) + 1
        self.engine = engine = Engine(context)
        self.leases = leases = Leases(parts, engine.settling)
        self.taking = Taking(parts, engine.moves, leases, engine.timers, next_attempt=max(running or 0, ended or 0) + 1)
        self._intake = Intake(parts, first)
        self._sweeping = Sweeping(parts, before=first)
        self._pruning = Pruning(context)

    # the ports' operations

    def put(self, new: Sealed) -> None:
        """Records a message; with a report, that what it answers is told, or being told."""
        self.engine.put(new, self._intake.put)

    def lacking(self, claims: Sequence[Claim]) -> list[Wanted]:
        """The claims whose bodies have to be read."""
        running = filter(None, (self.context.claims.get(claim.attempt) for claim in claims))
        at_hand = self.context.bodies.at_hand
        return [
            Wanted(each.claim.attempt, each.entry.message, each.entry.place)
            for each in running
            if at_hand(each.entry.seq) is None
        ]

    def gate(self, claim: Claim) -> bool:
        """The last check before the final dot."""
        self.leases.sweep()
        return self.engine.settling.gate(claim)

    def settle(self, claim: Claim, result: Result) -> Verdict | None:
        """Ends an attempt."""
        self.leases.sweep()
        self.leases.settled(claim)
        return self.engine.settling.settle(claim, result)

    def heartbeat(self, node: str) -> list[Claim]:
        """Renews a lease, and does what has to be done now and then."""
        self.leases.sweep()
        self.leases.extend(node)
        self.engine.timers.ring()
        self._keep_house()
        self.parts.bodies.give_back_all()
        self.parts.schedule.rest(self.context.clock.now())
        return self.leases.lost(node)

    def give_back(self) -> None:
        """Looks for bodies whose space can be given back; writes nothing."""
        self._sweeping.sweep()
        self.parts.bodies.give_back_all()

    def ease(self) -> bool:
        """On a disk that is nearly full: lets history go, and its space; whether there may be more."""
        has_more = self._prune(is_tight=True)
        return self.parts.database.shrink(SHRINK_PAGES) or has_more

    def _prune(self, *, is_tight: bool) -> bool:
        return self._pruning.prune(before=self._sweeping.first, is_tight=is_tight)

    def _keep_house(self) -> None:
        """What has to be done now and then."""
        context, now = self.context, self.context.clock.now()
        self._sweeping.sweep()
        self._prune(is_tight=False)
        self.engine.keep_house()
        if self.parts.clock.is_civil_time_news():
            self.parts.schedule.set_civil_offset(context.clock.civil_offset(), now)

    # the frame of a transaction

    def begin_life(self) -> None:
        """The first load of a process: after a reboot no stamp may lie in a future that relay time has yet to reach."""
        context = self.context
        if self.parts.clock.is_after_reboot:
            until = context.clock.now() + context.routes.longest_linger()
            context.database.write(_LIMITS["clamp_ends"], (until,))
            context.database.write(_LIMITS["clamp_logins"], (until,))
        row = context.database.read_one(_UNHEARD["last_moment"])
        recall(context, None if row is None else row[0])
        self.parts.clock.stamp()

    def load(self) -> None:
        """Counts what is ready, and reads what is under way."""
        context = self.context
        self.parts.claims.load(context.names, context.seals, context.entries)
        context.watched.load(context.database)
        ready: dict[tuple[int, Lane], int] = {}
        for account, lane, many in context.database.read(_QUEUE["count_ready"]):
            ready[account, LANES[lane]] = many
        for running in context.claims:
            if not running.is_lost:
                ready[running.entry.account, running.entry.lane] -= 1
        for (account, lane), many in ready.items():
            if many:
                self.parts.ready.add_many(account, context.names.sender(account), lane, many)
        now = context.clock.now()
        for mailbox, (sessions, opening) in self._ground.book:
            self.parts.schedule.resume_sessions(mailbox, now, sessions=sessions, opening=opening)

    @property
    def has_written(self) -> bool:
        """Whether something waits for a commit."""
        context = self.context
        return self.parts.database.is_writing or context.journal.is_waiting or self._ground.segments.is_dirty

    def finish(self) -> None:
        """The last writes of a transaction."""
        self.parts.bodies.write()
        self.context.journal.write()
        self.parts.clock.stamp()

    def commit(self) -> None:
        """Makes durable what was written: bodies first, then what points to them. Blocks."""
        ground = self._ground
        if ground.segments.is_dirty:
            ground.segments.sync()
        ground.outside.crash_point("commit-begun")
        ground.database.commit()
        ground.outside.crash_point("commit-done")
