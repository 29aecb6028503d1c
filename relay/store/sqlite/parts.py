"""What a core on SQLite keeps in memory beside the ledger, with the context that the engine sees of it.

Law: everything here is rebuilt from the database at a start and after a failed commit.
"""

from dataclasses import dataclass

from relay.core.schedule import Schedule
from relay.store.engine.context import Context
from relay.store.sqlite.bodies import Bodies
from relay.store.sqlite.claims import Claims
from relay.store.sqlite.database import Database
from relay.store.sqlite.heads import Heads
from relay.store.sqlite.lanes import Lanes
from relay.store.sqlite.pending import Pending
from relay.store.sqlite.ready import ReadyQueue
from relay.store.sqlite.sessionbook import SessionBook
from relay.store.sqlite.time import StoreClock


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
