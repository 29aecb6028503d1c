"""A store on Redis as one side of a move: read as it is, or filled.

Law: rows and the position behind them are written by one script; what was moved away takes no mail any more and hands
none out, not even to a node that was connected all the time.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgpack

from relay.core.limits import MINUTE, SECOND
from relay.core.words import MailboxId
from relay.errors import StoreBroken, StoreMoved, StoreUnavailable
from relay.store.moving.carried import BARRED_BY, CHANGES, EVENTS, NUMBERED, Page
from relay.store.moving.redisreading import WITHIN, RedisReading
from relay.store.moving.redisrows import RedisRows
from relay.store.moving.sides import Journey, Leave
from relay.store.redis.answers.store import pack_event
from relay.store.redis.keys import CLOCK
from relay.store.redis.layout import BATCH
from relay.store.redis.link import Link
from relay.store.redis.rowkeys import EVENTS as STREAM
from relay.store.redis.rowkeys import (
    LEASES,
    META,
    NODES,
    NODES_SEEN,
    OWNERS,
    STATE,
    body_key,
    number_key,
    table_key,
)
from relay.store.redis.scripts import load_script
from relay.store.redis.tables import TABLES

MOVING = "moving"

ANOTHER = "another `relay queue migrate`, which goes on with it: let that one end"

Awaken = Callable[["RedisSide", int], None]
"""Makes the schedule of a store that is filled (relay/store/moving/waking.py); since when ends may still count."""


class RedisSide(RedisReading):
    """One store on one server; `said` is what TIME says in a simulated world."""

    def __init__(self, link: Link, *, where: str, awaken: Awaken, said: Callable[[], str] = str) -> None:
        super().__init__(link)
        self.where = where
        self.link = link
        self._awaken = awaken
        self._said = said
        self._mailboxes: dict[int, MailboxId] = {}
        self._journey: Journey | None = None
        self._written = b""
        """The journey as it stands there."""
        self._run = ""

    # as source

    @property
    def store_id(self) -> str:
        """Which store it is."""
        return self.link.store_id or ""

    @property
    def ahead(self) -> int:
        """Queue time is relay time."""
        return 0

    def state(self) -> str:
        """When it was asked last, and how often it was decided: every node that does anything moves it."""
        last, revision = self.ask("HGET", CLOCK, "last"), self.ask("HGET", STATE, "revision")
        return f"{(last or b'0').decode()}.{(revision or b'0').decode()}"

    def moment(self) -> int:
        """Queue time of now; the clock of the store is read, and not moved.

        No node is there that could know better for how long nobody looked: a gap in doubt (clock.lua) is one.
        """
        last, offset, gap = self.ask("HMGET", CLOCK, "last", "offset", "doubt:gap")
        return max(self._time() + int(offset or 0) + int(gap or 0), int(last or 0))

    def numbers(self) -> Mapping[str, int]:
        """The number given last in each table."""
        return {table: self.number(table) for table in NUMBERED}

    def changes(self) -> int:
        """How far it is, as every node has seen it."""
        return int(self.ask("HGET", STATE, CHANGES) or 0)

    @property
    def moved(self) -> str:
        """The sentence that bars it."""
        return str((self.ask("HGET", META, "barred") or b"").decode())

    def is_left_by(self, token: str) -> bool:
        """Whether this move has barred it."""
        return bool(self.ask("HGET", META, BARRED_BY) == token.encode())

    def bar(self, sentence: str, journey: Journey) -> Leave:
        """Nobody can use it any more."""
        came = self._do("moved_away", sentence, *journey.state.split("."), BARRED_BY, journey.token)
        return Leave(came.decode())

    def leases(self) -> Mapping[str, int]:
        """The nodes whose claims are their own for another while, microseconds."""
        pairs, now = self.ask("ZRANGE", LEASES, 0, -1, "WITHSCORES"), self.moment()
        found = {node.decode(): int(until) - now for node, until in zip(pairs[::2], pairs[1::2], strict=True)}
        return {node: left for node, left in found.items() if left > 0}

    def seen(self) -> Mapping[str, tuple[bytes, int]]:
        """What each node said of itself last, and how long ago, microseconds."""
        now, said = self._time(), self.ask("HGETALL", NODES)
        pairs = self.ask("ZRANGE", NODES_SEEN, 0, -1, "WITHSCORES")
        at = dict(zip(pairs[::2], pairs[1::2], strict=True))
        return {
            node.decode(): (view, now - int(at[node]))
            for node, view in zip(said[::2], said[1::2], strict=True)
            if node in at
        }

    def heard(self) -> Sequence[int]:
        """When each node was heard of last, relay time."""
        pairs = self.ask("HGETALL", CLOCK)
        found = dict(zip(pairs[::2], pairs[1::2], strict=True))
        return sorted(int(at) for name, at in found.items() if name.startswith(b"heard:"))

    def holders(self) -> Sequence[str]:
        """The nodes that hold attempts or sessions."""
        claims = [TABLES["claims"].unpack(packed) for packed in self.ask("HVALS", table_key("claims"))]
        owners = [node.decode() for node in self.ask("HVALS", OWNERS)]
        return sorted({*owners, *(claim[3] for claim in claims)})

    def _time(self) -> int:
        if said := self._said():
            return int(said)
        seconds, micros = self.ask("TIME")
        return int(seconds) * SECOND + int(micros)

    # as target

    def journey(self) -> Journey | None:
        """The move that is not finished here."""
        written = self.ask("HGET", META, MOVING)
        if written is not None:
            self._written = written
            return Journey.read(written.decode())
        if self.moved:
            raise StoreMoved(f"{self.where}: {self.moved}; a store is moved only to where there is none")
        if any(key != META.encode() for key in self.keys()):
            raise StoreBroken(
                f"{self.where} has a store in it ({self.store_id}): a store is moved only to where there is none; "
                "name an empty database (the number at the end of the address)"
            )
        return None

    def begin(self, journey: Journey, found: Journey | None, run: str) -> None:
        """Empties what an earlier move left, and bars it."""
        if self.store_id != journey.store_id:
            raise StoreBroken(f"{self.where} is marked as store {self.store_id}: name an empty database")
        self._claim(journey, journey.written().encode(), run)
        keys = [key for key in self.keys() if key != META.encode()]
        for start in range(0, len(keys), BATCH):
            self._write("moved_out", *keys[start : start + BATCH])

    def go_on(self, journey: Journey, run: str) -> None:
        """This run alone writes from here on."""
        self._claim(journey, self._written, run)

    def _claim(self, journey: Journey, written: bytes, run: str) -> None:
        """In one step with a look at whether all is as it was found."""
        barred = f"it is being moved here from {journey.origin}; `relay queue migrate` goes on with it"
        if self._do("moved_begin", MOVING, self._written, written, run, barred) != b"OK":
            raise StoreUnavailable(f"{self.where} was written to just now by {ANOTHER}")
        self._journey, self._written, self._run = journey, written, run

    def note(self, journey: Journey) -> None:
        """Remembers of the move what is another now."""
        self._claim(journey, journey.written().encode(), self._run)

    def position(self, table: str) -> str:
        """Behind which position the next rows come."""
        found = self.ask("HGET", META, f"{MOVING}:{table}")
        return "" if found is None else str(found.decode())

    def take(self, table: str, page: Page) -> None:
        """Writes rows with their indexes, and bodies."""
        assert self._journey is not None
        rows = RedisRows(self._mailbox, self._journey.since)
        work = [rows.write(table, list(cells)) for cells in page.rows]
        bodies = [[body_key(seq), record] for seq, record in page.bodies.items()]
        if table == "messages":
            for write, cells in zip(work, page.rows, strict=True):
                if cells[0] in page.bodies:
                    write[2] = _with_length(cells, len(page.bodies[cells[0]]))
        self._take(table, page.position, work, bodies, [])

    def take_events(self, page: Page) -> None:
        """Writes events."""
        self._take(EVENTS, page.position, [], [], [pack_event(tuple(event)) for event in page.rows])

    def _take(self, table: str, position: str, *work: list[Any]) -> None:
        packed: bytes = msgpack.packb(work, use_bin_type=False, unicode_errors="surrogateescape")
        self._write("moved_in", f"{MOVING}:{table}", position, packed)

    def _mailbox(self, number: int) -> MailboxId:
        if number not in self._mailboxes:
            packed = self.ask("HGET", table_key("mailboxes"), number)
            if packed is None:
                raise StoreBroken(f"an attempt or a login is of mailbox {number}, which is not in the store")
            _, provider, username, _ = TABLES["mailboxes"].unpack(packed)
            self._mailboxes[number] = MailboxId(provider, username)
        return self._mailboxes[number]

    def wake(self, moment: Callable[[], int], numbers: Mapping[str, int]) -> None:
        """Numbers, clock, and the schedule."""
        self._write("moved_out")
        for table, last in numbers.items():
            if last:
                self.ask("SET", number_key(table), max(last, self.number(table)))
        if not self.ask("EXISTS", STREAM):  # history that is empty is not history that is lost
            self.ask("XADD", STREAM, "MAXLEN", 0, "*", "e", "")
        relay = moment()
        self.ask("HSET", CLOCK, "last", relay, "offset", relay - self._time())
        for name, table in (("floor_messages", "messages"), ("floor_attempts", "attempts")):
            first = next((page.rows[0][0] for page in self.pages(table, "") if page.rows), 1)
            self.ask("HSET", table_key("meta"), name, TABLES["meta"].pack((name, str(first))))
        assert self._journey is not None
        self._awaken(self, self._journey.since)

    def ready(self) -> int:
        """How much its schedule has ready."""
        keys = {key for key in self.keys() if b"}:ready:" in key or b"}:unrouted:" in key}
        return sum(int(self.ask("ZCARD", key)) for key in keys)

    def finish(self, moment: Callable[[], int], changes: int) -> None:
        """It may be used from now on; its clock went on since it was set. Nodes that saw it elsewhere see no less."""
        self._write("moved_here", changes)

    def _write(self, name: str, *args: bytes | str | int) -> None:
        """Nothing is written for a run that another one took over from."""
        if self._do(name, MOVING, self._run, *args) != b"OK":
            raise StoreUnavailable(f"{self.where} is being filled by {ANOTHER}")

    def _do(self, name: str, *args: bytes | str | int) -> Any:
        return self.link.run(load_script(name), (), args, is_durable=True, within=WITHIN)

    def close(self) -> None:
        """Lets go of the link."""
        self.link.close()


def _with_length(cells: Sequence[Any], length: int) -> bytes:
    return TABLES["messages"].pack([*cells[:8], 0, cells[0], length, *cells[11:]])


LIVES = MINUTE
"""A node that was heard of so lately may be running."""
