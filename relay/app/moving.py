"""A move of the store as `relay queue migrate` makes it: both places opened, the relay known to be stopped.

Law: nothing is written anywhere before it is sure that no relay works with the store, and that there is room for it.
"""

import asyncio
import json
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from relay.app.known import known_store, remember_store
from relay.app.machine import MachineClock, crash_point_of, private_files, randomness
from relay.app.outcomes import FILE as OUTCOMES
from relay.app.settings import store_settings
from relay.config.references import References
from relay.config.service import ServiceConfig
from relay.config.store import OWN, shown_store, store_address
from relay.core.limits import MINUTE, SECOND
from relay.errors import ConfigError, StoreUnavailable
from relay.store.moving.counting import Counted
from relay.store.moving.move import Means, Move, Telling
from relay.store.moving.preparing import end_on_disk, end_on_redis
from relay.store.moving.redisside import LIVES, RedisSide
from relay.store.moving.sides import Source
from relay.store.moving.sqliteside import SqliteSide
from relay.store.moving.waking import wake
from relay.store.needs import Outside, StoreSettings
from relay.store.redis.address import parse_address
from relay.store.redis.durability import Durability
from relay.store.redis.joining import Rules
from relay.store.redis.layout import Identity, scripts_version
from relay.store.redis.link import Link
from relay.store.redis.opening import Membership, open_ground
from relay.store.redis.parts import Ground
from relay.store.redis.patience import Patience
from relay.store.segments.files import FileSegments
from relay.store.sqlite import DataDir, hold
from relay.store.sqlite.opening import is_log_sound
from relay.vault import Keyring

T = TypeVar("T")

PATIENT = Patience(connect=5 * SECOND, reply=MINUTE, whole=MINUTE, confirm=5 * SECOND, replica=SECOND, sentinel=SECOND)
"""No client waits for an answer while the relay is stopped."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked for."""

    config: ServiceConfig
    environ: Mapping[str, str]
    to: str
    """`sqlite`, an address, or where one is kept."""
    told: Telling


def move_store(order: Order) -> list[Counted]:
    """Moves it. StoreUnavailable, StoreMoved, StoreBroken, ConfigError, DataDirInUse: why not; it can be run again."""
    resolve = References(order.environ)
    origin = store_address(order.config.store, resolve)
    try:
        goal = store_address(order.to, resolve)
    except ConfigError as error:
        raise ConfigError(f"--to: {str(error).removeprefix('store: ')}") from None
    if origin == goal:
        raise ConfigError(f"--to: the store is at {shown_store(goal)} already")
    with ExitStack() as held, private_files():
        if not order.config.data_dir.is_dir():
            raise StoreUnavailable(
                f"there is no folder {order.config.data_dir}: no relay has run with this configuration"
            )
        data = hold(order.config.data_dir)
        held.callback(data.release)
        return _Mover(order, data, origin, goal).run()


class _Mover:
    """One run, with the data_dir held."""

    def __init__(self, order: Order, data: DataDir, origin: str, goal: str) -> None:
        self._order = order
        self._data = data
        self._origin, self._goal = origin, goal
        self._clock = MachineClock()
        self._settings: StoreSettings = store_settings(order.config)
        self._keyring = Keyring(order.config.key_folder, order.environ.get("RELAY_KEY"), randomness)
        node = data.path / "node"
        self._node = node.read_text("ascii").strip() if node.exists() else randomness(8).hex()

    def run(self) -> list[Counted]:
        self._refuse_outcomes()
        crash_point = crash_point_of(self._order.environ)
        with ExitStack() as opened:
            target = self._target()
            opened.callback(target.close)
            today = datetime.fromtimestamp(self._clock.wall() / SECOND).astimezone().isoformat(timespec="seconds")
            means = Means(self._source, self._prepare, today, self._order.told, _new_id, crash_point)
            move = Move(target, means)
            opened.callback(move.close)
            counted = move.run()
        if self._goal != OWN and all(each.is_same for each in counted):
            remember_store(self._data.path, move.store_id)
        return counted

    def _refuse_outcomes(self) -> None:
        path = self._data.path / OUTCOMES
        if path.exists() and path.stat().st_size:
            raise StoreUnavailable(
                f"{path} has outcomes that the store has not taken yet: start the relay once, and stop it"
            )

    # the two places

    def _source(self) -> Source:
        if self._origin == OWN:
            if not (self._data.path / "relay.db").exists():
                raise StoreUnavailable(f"there is no store in {self._data.path}")
            return self._on_disk()
        side = self._on_redis(self._origin, self._identity())
        self._refuse_running(side)
        return side

    def _target(self) -> SqliteSide | RedisSide:
        if self._goal == OWN:
            side = self._on_disk()
            side.resume()
            return side
        return self._on_redis(self._goal, None)

    def _on_disk(self) -> SqliteSide:
        """A log that is damaged is refused before anything reads it: whoever opens it cuts it."""
        is_log_sound(self._data, self._settings.least_free_bytes)
        segments = FileSegments(self._data.segments)
        return SqliteSide(self._data.connect(), segments, self._clock, where=f"sqlite in {self._data.path}")

    def _on_redis(self, address: str, store_id: str | None) -> RedisSide:
        """A new place is marked with the id of the store that comes."""
        rules = Rules(
            Durability(self._order.config.durability),
            Identity(scripts_version(), store_id, is_mover=True),
            self._id_of_source,
        )
        link = Link(parse_address(address), rules, boottime=self._clock.boottime, chance=lambda: 0.0, patience=PATIENT)
        link.open()
        return RedisSide(link, where=shown_store(address), awaken=self._wake)

    def _identity(self) -> str | None:
        return known_store(self._data.path)[0]

    def _id_of_source(self) -> str:
        source = self._source()
        try:
            return source.store_id
        finally:
            source.close()

    def _refuse_running(self, side: RedisSide) -> None:
        """Nodes say themselves that they live; this one's data_dir is held, so it does not."""
        left = {node: LIVES - ago for node, (_, ago) in side.seen().items() if ago < LIVES and node != self._node}
        for node, until in side.leases().items():
            if node != self._node:
                left[node] = max(left.get(node, 0), until)
        if left:
            names = {node: json.loads(view).get("name", node) for node, (view, _) in side.seen().items()}
            who = ", ".join(sorted(f"{names.get(node, node)} ({node})" for node in left))
            wait = -(-max(left.values()) // SECOND)
            raise StoreUnavailable(
                f"{who}: running, or stopped less than a minute ago: stop every relay of this store, and run "
                f"it again in {wait} s"
            )

    # with a store opened as a relay does

    def _prepare(self) -> int:
        if self._origin == OWN:
            return asyncio.run(end_on_disk(self._data, self._settings, self._outside(), self._node))
        side = self._on_redis(self._origin, self._identity())
        try:
            return end_on_redis(side, lambda: self._ground(side.link))
        finally:
            side.close()

    def _wake(self, side: RedisSide, since: int) -> None:
        wake(side, self._ground(side.link), since=since)

    def _ground(self, link: Link) -> Ground:
        membership = Membership(self._node, randomness(8).hex(), lambda: "")
        return open_ground(link, self._settings, self._outside(), membership)

    def _outside(self) -> Outside:
        return Outside(
            clock=self._clock,
            random=randomness,
            cipher_for=self._keyring.vault_for,
            commit=_at_once,
            read=_at_once,
            fatal=_raise,
            free_bytes=self._data.free_bytes,
        )


def _new_id() -> str:
    return randomness(16).hex()


async def _at_once(work: Callable[[], T]) -> T:
    return work()


def _raise(error: Exception) -> None:
    raise error
