"""A look at a whole store while no relay has it open: what is damaged, what can be done, and what loses nothing.

Law: a repair deletes nothing: what cannot be read is held, what belongs to nobody is moved aside. Findings name
messages by their ids and nobody by name.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from relay.errors import CorruptValue, StoreBroken, StoreKeyError, StoreTooNew, StoreUnavailable
from relay.store.engine.edits import load_routes
from relay.store.engine.ring import open_ring
from relay.store.engine.secrets import open_secret
from relay.store.engine.statements import load_statements
from relay.store.engine.values import Seals, Stored
from relay.store.needs import CipherFor
from relay.store.segments import Place
from relay.store.segments.files import ASIDE, FileSegments, aside, free_name
from relay.store.sqlite.database import LOOK, Database
from relay.store.sqlite.log import Condition, examine
from relay.store.sqlite.opening import DATABASE_FILE, LOG_FILE, DataDir, of_damaged
from relay.store.sqlite.schema import SCHEMA
from relay.store.sqlite.strays import Strays, find_strays

_SQL = load_statements("inspection")
_STORE = load_statements("store")
_SECRETS = load_statements("secrets")

AGAIN = "put its file back from a backup; else it bounces to its sender at the end of its time"

RESTORE = (
    "keep a copy of data_dir; put relay.db back from a backup, with segments/ of the same moment and without "
    "relay.db-wal; without a backup, in the copy: "
    "`sqlite3 relay.db .dump | sed 's/^ROLLBACK.*/COMMIT;/' | sqlite3 new.db` "
    "saves what can be read, put new.db in the place of relay.db and check again"
)

LOST = "copy data_dir, and put relay.db, relay.db-wal and segments/ back from a backup of one moment if you have one."

SECRETS_SINCE: int = 3
"""The schema that brought secrets: an older store is looked at as it is."""

UNREADABLE_SECRET = (
    "set it again when the relay runs (`relay account set-password`, `relay secret set`), or put relay.db back from a "
    "backup; until then what uses it is held as no-credentials"
)

SHOWN: int = 20
"""Messages that are named one by one; of more only the number is said."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is wrong: what, and what a person can do; `repair` loses nothing, None: there is no such way."""

    text: str
    remedy: str
    repair: Callable[[], None] | None = None
    is_known: bool = False
    """What is damaged is held already: nothing more goes wrong with it."""


class Inspection:
    """One look at the store of a `data_dir` that this process holds. RelayError: there is nothing to look at."""

    def __init__(self, data: DataDir, cipher_for: CipherFor, *, repairs: bool = False) -> None:
        """`repairs`: it may write. Else not a byte changes, not even of SQLite's log."""
        if not (data.path / DATABASE_FILE).exists():
            raise StoreUnavailable(f"there is no store in {data.path}: {DATABASE_FILE} is missing")
        self._data = data
        self._log = examine(data.log)
        self._copy = data.keep_log_aside() if repairs and self._log.is_damaged else None
        self._repairs = repairs
        self._open = ExitStack()
        self._database = self._opened(repairs=repairs)
        self._cipher_for = cipher_for
        self._segments = FileSegments(data.segments)
        self.counts: Counter[Stored] = Counter()
        """Deliveries by state."""
        self.has_counted = False
        """Whether they could be counted."""

    def _opened(self, *, repairs: bool) -> Database:
        if not repairs:
            return Database(self._open.enter_context(self._data.looked_at()))
        database = Database(self._data.connect())
        self._open.callback(database.close)
        return database

    def close(self) -> None:
        """Lets go of the files."""
        self._segments.close()
        self._open.close()

    def findings(self) -> Iterator[Finding]:
        """Everything that is wrong; what stands first may be the cause of the rest."""
        try:
            yield from self._of_database()
        except (StoreKeyError, StoreTooNew) as error:
            yield Finding(str(error), "nothing of the mail can be read or checked without it")
        except StoreBroken as error:
            yield Finding(f"not everything could be looked at: {str(error).removesuffix(LOOK)}", RESTORE)

    def _of_database(self) -> Iterator[Finding]:
        if self._repairs:
            self._database.prepare()
        has_tables = self._database.read_one(_STORE["has_tables"]) != (0,)
        if has_tables:
            self._count()
        yield from self._of_log()
        if not has_tables:
            yield Finding(f"{DATABASE_FILE} is empty: there is no table in it", RESTORE)
            return
        damage = [line for (line,) in self._database.read(_SQL["integrity"]) if line != "ok"]
        if damage:
            yield self._of_damage(damage)
        yield from self._of_rows()

    def _count(self) -> None:
        self.counts.update({Stored(state): many for state, many in self._database.read(_SQL["deliveries_by_state"])})
        self.has_counted = True

    def recount(self) -> None:
        """Counts again what could be counted before: a repair may have held some."""
        if self.has_counted:
            self.counts.clear()
            self._count()

    def _of_log(self) -> Iterator[Finding]:
        if self._log.condition is Condition.DOUBTFUL:
            text = f"the last transaction in {LOG_FILE} cannot be read"
            yield Finding(
                text, "a power cut leaves that, of mail never answered; the start keeps a copy", is_known=True
            )
        if not self._log.is_damaged:
            return
        text = f"{of_damaged(self._log)}; in the part that can be read are {self.counts.total()} deliveries"
        if self._copy is not None:
            yield Finding(f"{text}; a copy is {self._copy}", "the relay goes on with that part", lambda: None)
            return
        yield Finding(text, f"{LOST} `--repair` keeps a copy in {ASIDE}/, and goes on with that part", lambda: None)

    def _of_rows(self) -> Iterator[Finding]:
        yield from self._of_strays()
        try:
            seals = self._seals()
        except StoreKeyError as error:
            yield Finding(str(error), "without the key nothing of the mail can be read or checked: put it back")
            return
        yield from self._of_routing(seals)
        yield from self._of_secrets(seals)
        yield from self._of_envelopes(seals)
        yield from self._of_bodies(seals)

    def _of_damage(self, damage: list[str]) -> Finding:
        text = f"the database is damaged: {'; '.join(damage[:3])}" + (
            f" and {len(damage) - 3} more" * (len(damage) > 3)
        )
        if all("index" in line for line in damage):
            return Finding(text, "only indexes are: they can be made again from the tables", self._repair_indexes)
        return Finding(
            text, "keep a copy of data_dir, and restore relay.db from a backup of the same moment as segments/"
        )

    def _repair_indexes(self) -> None:
        self._database.write(_SQL["repair_indexes"])
        self._database.commit()

    def _seals(self) -> Seals:
        facts = {name: self._fact(name) for name in ("schema", "store_id")}
        if int(facts["schema"]) > SCHEMA:
            raise StoreTooNew(f"the store has schema {facts['schema']}, this relay knows {SCHEMA}")
        return Seals(open_ring(self._database, self._cipher_for), bytes.fromhex(facts["store_id"]))

    def _fact(self, name: str) -> str:
        row = self._database.read_one(_STORE["get_meta"], (name,))
        if row is None:
            raise StoreUnavailable(f"the store does not say its {name}")
        return str(row[0])

    def _of_strays(self) -> Iterator[Finding]:
        known = {number for number, _ in self._database.read(_STORE["get_segments"])}
        there = set(self._segments.numbers())
        yield from self._of_tail(find_strays(self._database, self._segments))
        for number in sorted(there - known):
            path = self._path(number)
            text = f"{path.name}: no message that the database knows points into this file"
            yield Finding(text, f"it can be moved to {ASIDE}/", lambda path=path: self._move_aside(path))  # type: ignore[misc]
        ((homeless,),) = self._database.read(_SQL["homeless_deliveries"])
        if homeless:
            yield Finding(f"{homeless} deliveries belong to no message", RESTORE)

    def _of_tail(self, strays: Strays) -> Iterator[Finding]:
        if not strays.tail_bytes:
            return
        many, number = strays.tail_bytes, strays.segment
        text = f"{self._path(number).name}: {many} bytes of mail that the database does not know lie at its end"
        if self._segments.is_aside(number):
            yield Finding(text, f"a copy is kept in {ASIDE}/", is_known=True)
            return
        if many <= self._segments.unanswered_bytes and not self._log.is_damaged:
            yield Finding(
                text, "so few are usually what a crash leaves, of mail that was never answered", is_known=True
            )
            return
        remedy = f"more than a crash leaves: part of relay.db or its log is lost. {LOST} A copy can be kept in {ASIDE}/"
        yield Finding(text, remedy, lambda: self._segments.set_aside(number, is_needed=True))

    def _path(self, number: int) -> Path:
        return self._data.segments / f"{number:08}.seg"

    def _move_aside(self, path: Path) -> None:
        path.rename(free_name(aside(self._data.path) / path.name))

    def _of_routing(self, seals: Seals) -> Iterator[Finding]:
        try:
            load_routes(self._database, seals)
        except (CorruptValue, ValueError):
            text = "the routing that was applied last cannot be read"
            yield Finding(text, "the next start applies its files anew: see that `relay check` finds nothing in them")

    def _of_secrets(self, seals: Seals) -> Iterator[Finding]:
        if int(self._fact("schema")) < SECRETS_SINCE:
            return
        for name, sealed, _ in self._database.read(_SECRETS["all_secrets"]):
            try:
                open_secret(seals, name, sealed)
            except CorruptValue:
                text = f"secret:{name} cannot be opened with the keys that are there"
                yield Finding(text, UNREADABLE_SECRET)

    def _of_envelopes(self, seals: Seals) -> Iterator[Finding]:
        for delivery, message, ordinal, state, sealed in self._database.read(_SQL["pending_envelopes"]):
            try:
                seals.open_envelope(sealed or b"", message, ordinal)
            except (CorruptValue, ValueError):
                yield self._damaged(f"delivery {delivery} of {message}: its envelope", delivery, 1, waits=state == 0)

    def _of_bodies(self, seals: Seals) -> Iterator[Finding]:
        live: Counter[int] = Counter()
        first: dict[int, int] = {}
        for seq, message, segment, offset, length, many, waits in self._database.read(_SQL["needed_bodies"]):
            live[segment] += 1
            first.setdefault(segment, seq)
            try:
                seals.open_content(self._segments.read(Place(segment, offset, length)), message)
            except (CorruptValue, StoreUnavailable) as error:
                what = f"{message}: its body ({self._path(segment).name}, {error})"
                yield self._damaged(what, seq, many, waits=bool(waits))
        for number, counted in self._database.read(_STORE["get_segments"]):
            if counted != live[number]:
                text = f"{self._path(number).name}: {live[number]} bodies in it are needed, and {counted} are counted"
                values = (number, live[number], first.get(number, 0))
                yield Finding(text, "the count can be put right", lambda values=values: self._set_live(values))  # type: ignore[misc]

    def _damaged(self, what: str, first: int, many: int, *, waits: bool) -> Finding:
        text = f"{what} cannot be read"
        if not waits:
            return Finding(f"{text}; it is held, or only a report is owed", AGAIN, is_known=True)
        return Finding(
            text, "it can be held, until its file is put back or its sender is told", lambda: self._hold(first, many)
        )

    def _hold(self, first: int, many: int) -> None:
        self._database.write(_SQL["hold_damaged"], (first, first + many))
        self._database.commit()

    def _set_live(self, values: tuple[int, int, int]) -> None:
        self._database.write(_SQL["set_live"], values)
        self._database.commit()
