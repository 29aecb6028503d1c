"""A look at a whole store on Redis: whether all that hangs on rows follows from them, as tables.py says.

Law: it reads, row by row and place by place, with few of them in memory; rows are the truth, and what is told of one is
its number, and nobody's name.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping

from relay.store.engine.routes import Routes
from relay.store.engine.values import Seals, Stored
from relay.store.redis.inspection.mail import Mail
from relay.store.redis.inspection.pages import Pages
from relay.store.redis.inspection.places import Places, index_keys
from relay.store.redis.inspection.queues import Queues
from relay.store.redis.inspection.sessions import Sessions
from relay.store.redis.inspection.wrong import Wrong
from relay.store.redis.rowkeys import body_key
from relay.store.redis.tables import TABLES, Table
from relay.store.redis.visit import Visit


class Inspection:
    """One look; `rows` are rows by table. RelayError: it could not be gone through."""

    def __init__(self, visit: Visit, seals: Seals | None, routes: Routes | None, told: Callable[[str], None]) -> None:
        """Without `seals` nothing is opened, without `routes` no queue is looked at; `told` hears of each part."""
        self._told = told
        self._pages = Pages(visit)
        self._places = Places(visit, self._pages)
        self._mail = Mail(visit, seals)
        self._queues = Queues(visit, self._pages, routes)
        self._sessions = Sessions(visit)
        self.rows: Counter[str] = Counter()

    @property
    def counts(self) -> Counter[Stored]:
        """Deliveries by state."""
        return self._mail.counts

    @property
    def ready(self) -> Mapping[int, tuple[int, int]]:
        """What has to be in the queues: account and lane by delivery."""
        return self._mail.ready

    def wrongs(self) -> Iterator[Wrong]:
        """Everything that is wrong."""
        for table in TABLES.values():
            self._told(table.name)
            yield from self._of_table(table)
        self._told("indexes")
        bodies, queues = set[int](), list[str]()
        yield from self._of_keys(bodies, queues)
        yield from self._places.of_groups()
        yield from self._mail.of_pending()
        self._told("queues")
        yield from self._queues.of(self.ready, queues)
        self._told("sessions")
        yield from self._sessions.wrongs()
        self._told("bodies")
        yield from self._mail.of_bodies(bodies)
        self._told("limits")
        yield from self._queues.of_ends()

    def _of_table(self, table: Table) -> Iterator[Wrong]:
        greatest = 0
        for rows, unreadable in self._pages.rows(table):
            self.rows[table.name] += len(rows) + len(unreadable)
            greatest = max([greatest, *(int(key) for key in (*rows, *unreadable) if key.isdecimal())])
            for key in unreadable:
                self._mail.is_whole = False
                yield Wrong(f"a row of {table.name} cannot be read", _shown(key), key=key)
            yield from self._places.of_rows(table, rows)
            yield from self._mail.note(table.name, rows)
        yield from self._places.of_number(table, greatest)

    def _of_keys(self, bodies: set[int], queues: list[str]) -> Iterator[Wrong]:
        """Indexes are looked at as they come; bodies and queues are noted."""
        known = index_keys()
        for key in self._pages.all_keys():
            if key.startswith(body_key(0)[:-1]):
                bodies.add(int(key.rpartition(":")[2]))
            elif _name_of(key).startswith(("ready:", "unrouted:")):
                queues.append(key)
            elif _name_of(key).startswith("line:"):
                self._sessions.note(key)
            else:
                found = next((place for prefix, place in known if key == prefix or key.startswith(f"{prefix}:")), None)
                if found is not None:
                    yield from self._places.of_index(key, *found)


def _name_of(key: str) -> str:
    """A key without its tag."""
    return key.partition("}:")[2]


def _shown(key: str) -> str:
    """What may be told of a key: numbers are nobody's name."""
    return key if key.isdecimal() else ""
