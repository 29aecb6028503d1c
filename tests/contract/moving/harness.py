"""A store that moves from place to place on virtual time: a data_dir on disk, and databases of a real Redis.

Law: a place that was left is never opened again; the new one is opened as after any start.
"""

import asyncio
import shutil
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import redis

from relay.errors import RelayError
from relay.store.moving.counting import Counted
from relay.store.moving.move import Means, Move
from relay.store.moving.preparing import end_on_disk, end_on_redis
from relay.store.moving.redisside import RedisSide
from relay.store.moving.sqliteside import SqliteSide
from relay.store.moving.waking import wake
from relay.store.needs import CrashPoint, Outside, StoreSettings, never_dies
from relay.store.ports import Store
from relay.store.redis.address import parse_address
from relay.store.redis.durability import Durability
from relay.store.redis.joining import Rules
from relay.store.redis.layout import Identity, scripts_version
from relay.store.redis.link import Link
from relay.store.redis.opening import Membership, open_ground
from relay.store.redis.opening import open_store as open_shared
from relay.store.redis.parts import Ground
from relay.store.redis.rowkeys import body_key
from relay.store.redis.seen import Seen
from relay.store.segments.files import FileSegments
from relay.store.sqlite import DataDir, hold, open_store
from relay.store.sqlite.inspection import Inspection
from relay.vault import Vault
from tests.contract.clock import LoopClock
from tests.contract.harness import OnVirtualTime, at_once
from tests.contract.redis.harness import _DATABASES, Bells, boottime, shared_server
from tests.contract.redis.link.scene import PATIENT

NODE = "node-1"
STORE = "5e" * 16


class World:
    """What both places have in common."""

    def __init__(self, clock: LoopClock, settings: StoreSettings) -> None:
        self.clock, self.settings = clock, settings
        self.fatal: list[RelayError] = []
        self.store_id = STORE
        """Of a place that is new."""
        self._chance = 0

    def random(self, many: int) -> bytes:
        self._chance += 1
        return self._chance.to_bytes(many, "big")

    def new_id(self) -> str:
        return self.random(16).hex()

    def outside(self) -> Outside:
        return Outside(
            clock=self.clock,
            random=self.random,
            cipher_for=lambda *_: Vault(b"k" * 32, self.random),
            commit=at_once,
            read=at_once,
            fatal=self.fatal.append,
            free_bytes=lambda: 10**12,
        )


class OnDisk:
    """A data_dir."""

    def __init__(self, world: World) -> None:
        self.world = self._world = world
        self.crash_point: CrashPoint = never_dies
        """Told of what segments go through while it is a side of a move."""
        self._path = Path(tempfile.mkdtemp(prefix="relay-moving-"))
        self._data: DataDir = hold(self._path)

    def open(self) -> Store:
        return open_store(self._data, self._world.settings, self._world.outside())

    async def prepare(self) -> int:
        return await end_on_disk(self._data, self._world.settings, self._world.outside(), NODE)

    def side(self) -> SqliteSide:
        segments = FileSegments(self._data.segments, crash_point=self.crash_point)
        made = SqliteSide(self._data.connect(), segments, self._world.clock, where="sqlite")
        made.resume()
        return made

    @property
    def segments(self) -> list[Path]:
        """The files with mail in them."""
        return sorted(self._data.segments.glob("*.seg"))

    def findings(self) -> list[str]:
        """What `relay queue check` finds."""
        inspection = Inspection(self._data, self._world.outside().cipher_for)
        try:
            return [each.text for each in inspection.findings()]
        finally:
            inspection.close()

    def forget_events(self) -> None:
        """History is old."""
        connection = self._data.connect()
        connection.execute("DELETE FROM events")
        connection.commit()
        connection.close()

    def close(self) -> None:
        self._data.release()
        shutil.rmtree(self._path)


class OnRedis:
    """A database of a server."""

    def __init__(self, world: World) -> None:
        self.world = self._world = world
        self._server, self._db = shared_server(), next(_DATABASES) % 16
        self._server.client(db=self._db).flushdb()
        self._links: list[Link] = []
        self._lives = 0

    @property
    def client(self) -> redis.Redis:
        """A way in past the store."""
        return self._server.client(db=self._db)

    def link(self, *, is_mover: bool, seen: int = 0) -> Link:
        identity = Identity(scripts_version(), is_mover=is_mover)
        rules = Rules(Durability.RELAXED, identity, lambda: self._world.store_id, Seen(seen))
        address = replace(parse_address(self._server.address), db=self._db)
        made = Link(address, rules, boottime=boottime, chance=lambda: 0.5, patience=PATIENT)
        self._links.append(made)
        made.open()
        return made

    def use(self) -> None:
        """Somebody asks the store something."""
        self.link(is_mover=True).ask("HINCRBY", "relay:{relay}:clock", "last", 1)

    def lose_body(self, seq: int) -> None:
        """A body is not there."""
        self.link(is_mover=True).ask("DEL", body_key(seq))

    def _membership(self) -> Membership:
        self._lives += 1
        return Membership(NODE, f"{NODE}.{self._lives}", self._said)

    def _said(self) -> str:
        return str(self._world.clock.wall())

    def open(self, seen: int = 0) -> Store:
        """By a node that remembers how far it was."""
        link = self.link(is_mover=False, seen=seen)
        return open_shared(
            link, self._world.settings, self._world.outside(), membership=self._membership(), rope=Bells()
        )

    async def prepare(self) -> int:
        side = self.side()
        return end_on_redis(side, lambda: self._ground(side.link))

    def _ground(self, link: Link) -> Ground:
        return open_ground(link, self._world.settings, self._world.outside(), self._membership())

    def side(self) -> RedisSide:
        def awaken(side: RedisSide, since: int) -> None:
            wake(side, self._ground(side.link), since=since)

        return RedisSide(self.link(is_mover=True), where="redis", awaken=awaken, said=self._said)

    def close(self) -> None:
        for link in self._links:
            link.close()


Place = OnDisk | OnRedis


@contextmanager
def begun(origin: Place, target: Place, crash_point: CrashPoint = never_dies) -> Iterator[Move]:
    """One run, from whatever state both are in, before it carries anything."""
    looked = origin.side()
    target.world.store_id = looked.store_id
    looked.close()
    goal = target.side()

    def prepare() -> int:
        with ThreadPoolExecutor(1) as aside:
            return aside.submit(lambda: asyncio.run(origin.prepare())).result()

    try:
        run = Move(goal, Means(origin.side, prepare, "a day", lambda *_: None, origin.world.new_id, crash_point))
        try:
            yield run
        finally:
            run.close()
    finally:
        goal.close()


async def move(origin: Place, target: Place, crash_point: CrashPoint = never_dies) -> list[Counted]:
    """One run, to its end."""
    with begun(origin, target, crash_point) as run:
        return run.run()


class MovingHarness(OnVirtualTime):
    """Begins at one kind of place; each move leads to the other."""

    begins: type[Place] = OnDisk

    def __init__(self, settings: StoreSettings) -> None:
        super().__init__()
        self._world = World(self.clock, settings)
        self.places: list[Place] = [self.begins(self._world)]
        self.store: Store = self.places[-1].open()

    async def crash_and_restart(self) -> None:
        await self.store.close()
        self.store = self.places[-1].open()

    async def move(self) -> list[Counted]:
        """The relay is stopped, its store is moved, and it is started."""
        await self.store.close()
        here = self.places[-1]
        there: Place = OnRedis(self._world) if isinstance(here, OnDisk) else OnDisk(self._world)
        self.places.append(there)
        counted = await move(here, there)
        wrong = [each for each in counted if not each.is_same]
        assert not wrong, wrong
        self.store = there.open()
        return counted

    def end(self) -> list[RelayError]:
        """What a process that used the store was ended by; it is as it should be."""
        ended, self._world.fatal = self._world.fatal, []
        return ended

    def peer(self) -> Store | None:
        return None

    async def close(self) -> None:
        await self.store.close()
        for place in self.places:
            place.close()
        assert not self._world.fatal


class FromRedis(MovingHarness):
    """Begins on Redis."""

    begins = OnRedis


STARTS: dict[str, Callable[[StoreSettings], MovingHarness]] = {"sqlite": MovingHarness, "redis": FromRedis}
