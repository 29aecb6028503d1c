"""A store in a data_dir as one side of a move: read as it is, or filled.

Law: rows and the position behind them are one transaction, and the bodies that they point to are on disk before it.
"""

import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence

from relay.errors import StoreBroken, StoreMoved
from relay.store.engine.statements import load_statements
from relay.store.moving.carried import (
    BARRED_BY,
    CHANGES,
    EVENTS,
    MESSAGES,
    META,
    MOVING,
    NUMBERED,
    Cells,
    Page,
    is_carried,
)
from relay.store.moving.sides import Journey, Leave
from relay.store.moving.sqlitereading import SqliteReading, columns_of
from relay.store.needs import Clock
from relay.store.redis.tables import TABLES
from relay.store.segments.port import Place, Segments
from relay.store.sqlite.database import Database
from relay.store.sqlite.schema import BARRED, SCHEMA
from relay.store.sqlite.time import CLOCK_WRONG, QUEUE_AHEAD, StoreClock

_SQL = load_statements("moving")
_STORE = load_statements("store")
_SCHEMA = load_statements("schema")

_COUNTED = ("outbox", "healths", "concerns", "tellings")
"""Tables whose last number SQLite remembers by itself."""


class SqliteSide(SqliteReading):
    """One store on one connection, which nobody else uses."""

    def __init__(self, connection: sqlite3.Connection, segments: Segments, clock: Clock, *, where: str) -> None:
        self.where = where
        super().__init__(Database(connection), segments)
        self._database.prepare()
        self._clock = clock
        self._times: StoreClock | None = None
        self._is_closed = False

    # as source

    @property
    def store_id(self) -> str:
        """Which store it is."""
        return self._fact("store_id") or ""

    @property
    def ahead(self) -> int:
        """Queue time minus relay time."""
        clock = self._store_clock()
        return clock.wall() - clock.now()

    def moment(self) -> int:
        """Queue time of now."""
        return self._store_clock().wall()

    def state(self) -> str:
        """Its anchor of relay time: every life of a relay moves it."""
        return json.dumps(self._database.read(_STORE["get_clock"]))

    def numbers(self) -> Mapping[str, int]:
        """The number given last in each table."""
        found = dict.fromkeys(NUMBERED, 0)
        for table in NUMBERED:
            ((last,),) = self._database.read(f'SELECT max("{TABLES[table].key[0]}") FROM "{table}"')  # noqa: S608
            found[table] = last or 0
        for table, last in self._database.read(_SQL["sequences"]):
            if table in found:
                found[table] = max(found[table], last)
        return found

    def changes(self) -> int:
        """How far it was when it left Redis."""
        return int(self._fact(CHANGES) or 0)

    def kept(self, name: str) -> int:
        """How many rows that go along there are, or events."""
        if name == META:
            return sum(is_carried(META, row) for row in self._database.read(_SQL["facts"]))
        return self.many(name)

    def least(self) -> Mapping[str, int]:
        """Nothing lies beside rows: indexes are of SQLite."""
        return {}

    @property
    def moved(self) -> str:
        """The sentence that bars it."""
        return self._fact(BARRED) or ""

    def is_left_by(self, token: str) -> bool:
        """Whether this move has barred it."""
        return self._fact(BARRED_BY) == token

    def bar(self, sentence: str, journey: Journey) -> Leave:
        """Nobody can use it any more; nobody else has the data_dir meanwhile."""
        if self.moved:
            return Leave.LEFT if self.is_left_by(journey.token) else Leave.ELSEWHERE
        if self.state() != journey.state:
            return Leave.USED
        self._database.write_many(_STORE["set_meta"], ((BARRED, sentence), (BARRED_BY, journey.token)))
        self._database.commit()
        return Leave.LEFT

    def _store_clock(self) -> StoreClock:
        if self._times is None:
            self._times = StoreClock(self._database, self._clock)
        self._times.tick()
        return self._times

    def _fact(self, name: str) -> str | None:
        row = self._database.read_one(_STORE["get_meta"], (name,))
        return None if row is None else str(row[0])

    # as target

    def journey(self) -> Journey | None:
        """The move that is not finished here."""
        if self._database.read_one(_STORE["has_tables"]) == (0,):
            if any(True for _ in self._segments.numbers()):
                raise StoreBroken(f"{self.where} has segments with mail in it and no relay.db: move them away first")
            return None
        written = self._fact(MOVING)
        if written is None:
            said = f" ({self.moved})" if self.moved else ""
            raise StoreMoved(
                f"{self.where} has a store in it{said}: a store is moved only to where there is none; if that one is "
                "not needed, move relay.db, relay.db-wal and the folder segments away"
            )
        return Journey.read(written)

    def begin(self, journey: Journey, found: Journey | None, run: str) -> None:
        """Makes the tables, and bars what is in them."""
        self._wipe()
        for statement in _SCHEMA.values():
            self._database.write(statement)
        barred = f"it is being moved here from {journey.origin}; `relay queue migrate` goes on with it"
        facts = {"schema": str(SCHEMA), MOVING: journey.written(), BARRED: barred}
        self._database.write_many(_STORE["set_meta"], facts.items())
        self._database.commit()
        self._segments.begin(1)

    def go_on(self, journey: Journey, run: str) -> None:
        """Nobody else has the data_dir; bodies whose rows a dead run did not commit go: they are written once more."""
        ends: dict[int, int] = dict(self._database.read(_SQL["ends_of_segments"]))
        for number in list(self._segments.numbers()):
            if number in ends:
                self._segments.cut(number, ends[number])
            else:
                self._segments.remove(number)

    def note(self, journey: Journey) -> None:
        """Remembers of the move what is another now."""
        self._database.write(_STORE["set_meta"], (MOVING, journey.written()))
        self._database.commit()

    def _wipe(self) -> None:
        for number in list(self._segments.numbers()):
            self._segments.remove(number)
        for (name,) in self._database.read(_SQL["tables"]):
            self._database.write(f'DROP TABLE "{name}"')

    def resume(self) -> None:
        """Goes on with what is there: bodies go into a new segment."""
        self._segments.begin(1)

    def position(self, table: str) -> str:
        """Behind which position the next rows come."""
        return self._fact(f"{MOVING}:{table}") or ""

    def take(self, table: str, page: Page) -> None:
        """Writes rows, and bodies before them."""
        rows = [list(row) for row in page.rows]
        if table == MESSAGES:
            self._place(rows, page.bodies)
        marks = ", ".join("?" * len(TABLES[table].columns))
        into = f'INSERT OR REPLACE INTO "{table}" ({columns_of(TABLES[table].columns)}) VALUES ({marks})'  # noqa: S608
        self._database.write_many(into, rows)
        self._note(table, page)

    def take_events(self, page: Page) -> None:
        """Writes events, which are numbered anew."""
        self._database.write_many(_STORE["add_event"], page.rows)
        self._note(EVENTS, page)

    def _note(self, table: str, page: Page) -> None:
        self._database.write(_STORE["set_meta"], (f"{MOVING}:{table}", page.position))
        if self._segments.is_dirty:
            self._segments.sync()
        self._database.commit()

    def _place(self, rows: Sequence[Cells], bodies: Mapping[int, bytes]) -> None:
        """Says of each message where its body lies; nowhere, where nothing needs it."""
        live: dict[int, list[int]] = {}
        for row in rows:
            record = bodies.get(row[0])
            place = Place(0, 0, 0) if record is None else self._segments.append(record)
            row[8:11] = place
            if record is not None:
                live.setdefault(place.segment, []).append(row[0])
        added = [(number, len(seqs), seqs[0]) for number, seqs in live.items()]
        self._database.write_many(_STORE["add_live"], added)

    def wake(self, moment: Callable[[], int], numbers: Mapping[str, int]) -> None:
        """Numbers go on; the schedule is in memory alone, and made at the start."""
        for table, last in numbers.items():
            if table in _COUNTED:
                self._database.write(_SQL["forget_sequence"], (table,))
                self._database.write(_SQL["set_sequence"], (table, last))
        self._database.commit()

    def ready(self) -> None:
        """The schedule is made at the start, from the rows."""

    def finish(self, moment: Callable[[], int], changes: int) -> None:
        """Relay time and queue time are one from here on; how far it was is kept for when it goes to Redis again."""
        relay, reading = moment(), self._clock.reading()
        anchor = (reading.boot_id, reading.boottime, reading.wall, relay, reading.wall - relay)
        self._database.write(_STORE["set_clock"], anchor)
        facts = {QUEUE_AHEAD: "0", CLOCK_WRONG: "no" if reading.is_synchronised else "yes", CHANGES: str(changes)}
        self._database.write_many(_STORE["set_meta"], facts.items())
        self._database.write(_SQL["forget_moving"], (BARRED, f"{MOVING}%"))
        self._database.commit()

    def close(self) -> None:
        """Lets go of the files; harmless when called twice."""
        if not self._is_closed:
            self._is_closed = True
            self._segments.close()
            self._database.close()
