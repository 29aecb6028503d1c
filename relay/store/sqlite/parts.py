"""What a core on SQLite keeps in memory beside the ledger, with the context that the engine sees of it.

Law: everything here is rebuilt from the database at a start and after a failed commit.
"""

from dataclasses import dataclass

from relay.core.schedule import Schedule
from relay.store.engine.context import Context
from relay.store.engine.edits import load_routes_or_none
from relay.store.engine.entry import Entries
from relay.store.engine.journal import Journal
from relay.store.engine.kin import load_kinship
from relay.store.engine.names import Names
from relay.store.engine.remembrance import Remembrance
from relay.store.engine.statements import load_statements
from relay.store.engine.values import Seals
from relay.store.needs import Outside, StoreSettings
from relay.store.segments import Segments
from relay.store.sqlite.bodies import Bodies
from relay.store.sqlite.claims import Claims
from relay.store.sqlite.database import Database
from relay.store.sqlite.heads import Heads
from relay.store.sqlite.lanes import Lanes
from relay.store.sqlite.pending import Pending
from relay.store.sqlite.ready import ReadyQueue
from relay.store.sqlite.sessionbook import SessionBook
from relay.store.sqlite.time import StoreClock

_OUTBOX = load_statements("outbox")


@dataclass(frozen=True, slots=True)
class Ground:
    """What a core stands on, and what outlives it."""

    database: Database
    segments: Segments
    seals: Seals
    settings: StoreSettings
    outside: Outside
    book: SessionBook


@dataclass(frozen=True, slots=True)
class Parts:
    """Handed to what only SQLite has."""

    context: Context
    database: Database
    clock: StoreClock
    schedule: Schedule
    heads: Heads
    ready: ReadyQueue
    bodies: Bodies
    claims: Claims
    pending: Pending
    lanes: Lanes
    book: SessionBook


def load_parts(ground: Ground) -> Parts:
    """Reads them."""
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
