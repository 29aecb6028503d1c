"""The synchronous core of the store: every operation of the ports on one connection, and what is in memory beside it.

Law: an operation that raises has written nothing; after a failed commit the core is thrown away and loaded again.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from relay.core.envelope import Claim, LoginFailure, Result, Taken, Verdict
from relay.core.routing import Routing
from relay.core.schedule import Schedule
from relay.core.words import Lane, MailboxId
from relay.store.engine.applying import Applying
from relay.store.engine.context import Context
from relay.store.engine.edits import Edit, load_routes_or_none
from relay.store.engine.entry import Entries
from relay.store.engine.journal import Journal
from relay.store.engine.kin import load_kinship
from relay.store.engine.logins import Logins
from relay.store.engine.moves import Moves
from relay.store.engine.names import Names
from relay.store.engine.pruning import Pruning
from relay.store.engine.recipients import sweep as sweep_recipients
from relay.store.engine.remembrance import Remembrance
from relay.store.engine.reports import Owed, Reports
from relay.store.engine.sealing import Sealed
from relay.store.engine.settling import Settling
from relay.store.engine.statements import load_statements
from relay.store.engine.telling import forget_old, note_letter
from relay.store.engine.timers import Timers
from relay.store.engine.traffic import Traffic
from relay.store.engine.unheard import recall
from relay.store.engine.values import LANES, Seals
from relay.store.needs import Outside, StoreSettings
from relay.store.ports.routing import AppliedRouting
from relay.store.ports.sessions import SessionEvent
from relay.store.segments import Segments
from relay.store.sqlite.bodies import Bodies
from relay.store.sqlite.claims import Claims
from relay.store.sqlite.database import Database
from relay.store.sqlite.heads import Heads
from relay.store.sqlite.intake import Intake
from relay.store.sqlite.lanes import Lanes
from relay.store.sqlite.leases import Leases
from relay.store.sqlite.parts import Parts
from relay.store.sqlite.pending import Pending
from relay.store.sqlite.readings import Wanted
from relay.store.sqlite.ready import ReadyQueue
from relay.store.sqlite.sessionbook import SessionBook
from relay.store.sqlite.sweeping import Sweeping
from relay.store.sqlite.taking import Taking
from relay.store.sqlite.time import StoreClock

_SQL = load_statements("store")
_QUEUE = load_statements("queue")
_OUTBOX = load_statements("outbox")
_LIMITS = load_statements("limits")
_UNHEARD = load_statements("unheard")

SHRINK_PAGES: int = 64
"""Pages that the file is made shorter by in one go: as much more in the log, on a disk that has little left."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What a core stands on, and what outlives it."""

    database: Database
    segments: Segments
    seals: Seals
    settings: StoreSettings
    outside: Outside
    book: SessionBook


class Core:
    """One life of the store in memory: from a load to a crash, a failed commit or the end."""

    def __init__(self, ground: Ground, changes: int = 0) -> None:
        self._ground = ground
        self.parts = parts = _parts(ground)
        self.context = context = parts.context
        context.changes = changes
        deliveries, running, ended = context.database.read_one(_SQL["last_ids"]) or (0, 0, 0)
        moves = Moves(context)
        settling = Settling(context, moves)
        self._settling = settling
        self._leases = Leases(parts, settling)
        self._timers = Timers(context, moves)
        self._intake = Intake(parts, (deliveries or 0) + 1)
        self._taking = Taking(parts, moves, self._leases, self._timers, next_attempt=max(running or 0, ended or 0) + 1)
        self._logins = Logins(context)
        self._applying = Applying(context)
        self._reports = Reports(context, moves)
        self._sweeping = Sweeping(parts, before=(deliveries or 0) + 1)
        self._pruning = Pruning(context)
        self._traffic = Traffic(context)

    # the ports' operations

    def put(self, new: Sealed) -> None:
        """Records a message; with a report, that what it answers is told, or being told."""
        entry = new.message.answers
        if entry is not None and not self._reports.is_open(entry):
            return
        seq = self._intake.put(new)
        if entry is not None and seq is not None:
            self._reports.answered(entry, seq)
        if new.message.tells is not None and seq is not None:
            note_letter(self.context, new.message.tells, seq)

    def take(
        self, node: str, idle: Mapping[MailboxId, int], most: int, left: Collection[MailboxId] = frozenset()
    ) -> Taken:
        """Hands out work, but no session of those left to others."""
        return self._taking.take(node, idle, most, left)

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
        self._leases.sweep()
        return self._settling.gate(claim)

    def settle(self, claim: Claim, result: Result) -> Verdict | None:
        """Ends an attempt."""
        self._leases.sweep()
        self._leases.settled(claim)
        return self._settling.settle(claim, result)

    def heartbeat(self, node: str) -> list[Claim]:
        """Renews a lease, and does what has to be done now and then."""
        self._leases.sweep()
        self._leases.extend(node)
        self._timers.ring()
        self._keep_house()
        self.parts.bodies.give_back_all()
        self.parts.schedule.rest(self.context.clock.now())
        return self._leases.lost(node)

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
        self._logins.prune(now)
        self._timers.write()
        self._traffic.sweep()
        sweep_recipients(context)
        if context.owed:
            forget_old(context)
        for mailbox in context.remembrance.warmups.advance(context.routes.routing):
            context.schedule.reload(mailbox, now)
            context.changed()
        if self.parts.clock.is_civil_time_news():
            self.parts.schedule.set_civil_offset(context.clock.civil_offset(), now)

    def recover(self, node: str) -> int:
        """Ends the attempts of the node's old process."""
        return self._leases.recover(node)

    def session(self, mailbox: MailboxId, event: SessionEvent) -> None:
        """A session came or went."""
        self._logins.session(mailbox, event)

    def refused(self, mailbox: MailboxId, failure: LoginFailure) -> None:
        """A session could not be opened."""
        self._logins.refused(mailbox, failure)

    def edit(self, routing: Routing, fingerprints: Mapping[MailboxId, str | None]) -> Edit:
        """What a routing would change; may run beside the loop."""
        return self._applying.edit(routing, fingerprints)

    def apply(self, edit: Edit, base: AppliedRouting | None = None) -> int:
        """Puts a routing in force. StaleRouting: what is in force is not `base`."""
        return self._applying.apply(edit, base)

    def applied(self) -> AppliedRouting | None:
        """The routing in force."""
        return self._applying.applied()

    def outbox(self, most: int, after: int) -> list[Owed]:
        """The oldest outbox entries after one."""
        return self._reports.outbox(most, after)

    def done(self, entry: int) -> None:
        """An outbox entry was done."""
        self._reports.done(entry)

    def give_up(self, entry: int) -> None:
        """Nobody can be told of it."""
        self._reports.give_up(entry)

    def lost(self) -> int:
        """Of how many deliveries nobody could be told."""
        return self._reports.lost()

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


def _parts(ground: Ground) -> Parts:
    database, seals = ground.database, ground.seals
    names, clock = Names(database), StoreClock(database, ground.outside.clock)
    routes, entries = load_routes_or_none(database, seals), Entries(database, names)
    refused_logins = ground.settings.health.refused_logins
    remembrance = Remembrance(database, names, clock, routes, refused_logins=refused_logins)
    bodies, lanes, pending = Bodies(database, ground.segments, seals), Lanes(), Pending(database)
    schedule, heads = Schedule(remembrance), Heads(entries.ready)
    ready = ReadyQueue(schedule, heads, clock, remembrance)
    claims = Claims(database, schedule)
    remembrance.kinship = load_kinship(database, routes.routing)
    schedule.set_kinship(remembrance.kinship, clock.now())
    context = Context(
        database=database,
        seals=seals,
        clock=clock,
        settings=ground.settings,
        crash_point=ground.outside.crash_point,
        names=names,
        entries=entries,
        routes=routes,
        remembrance=remembrance,
        schedule=schedule,
        ready=ready,
        bodies=bodies,
        claims=claims,
        journal=Journal(database, names, ground.outside.listener),
        pending=pending,
        book=ground.book,
        lanes=lanes,
        owed=(database.read_one(_OUTBOX["count_outbox"]) or (0,))[0],
    )
    return Parts(context, database, clock, schedule, heads, ready, bodies, claims, pending, lanes, ground.book)
