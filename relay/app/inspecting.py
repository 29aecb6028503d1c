"""A store on Redis as `relay queue check` looks at it, and mends it where no node lives.

Law: a look writes nothing; what differs while nodes run is told only if it is so a second time. Rows are the truth:
what is made anew follows from them, and none of them is deleted.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar, cast

import msgpack

from relay.app.known import known_store
from relay.app.machine import MachineClock, randomness
from relay.app.moving import PATIENT
from relay.app.settings import store_settings
from relay.app.storage import NODE_FILE
from relay.config.service import ServiceConfig
from relay.core.limits import MINUTE
from relay.core.words import AccountId
from relay.errors import CorruptValue, RelayError, StoreKeyError, StoreNotDurable, StoreUnavailable
from relay.store.engine.edits import load_routes
from relay.store.engine.ring import open_ring
from relay.store.engine.routes import Routes
from relay.store.engine.secrets import open_secret
from relay.store.engine.values import LANES, Seals, Stored
from relay.store.needs import Outside
from relay.store.redis.address import parse_address
from relay.store.redis.answers import answer
from relay.store.redis.asking import LinkAsking
from relay.store.redis.core import Core
from relay.store.redis.durability import QUESTIONS, Durability, flaws_of, flaws_told
from relay.store.redis.facts import ask_facts
from relay.store.redis.inspection import Inspection, Wrong
from relay.store.redis.joining import Rules
from relay.store.redis.keys import BUSY
from relay.store.redis.layout import LAYOUT, Identity, scripts_version
from relay.store.redis.ledger import RedisLedger
from relay.store.redis.link import Link
from relay.store.redis.opening import Membership, open_ground
from relay.store.redis.rowkeys import META, NODES, NODES_SEEN, OURS
from relay.store.redis.schedule import RedisSchedule
from relay.store.redis.visit import Visit
from relay.vault import Keyring

T = TypeVar("T")

ALIVE: int = MINUTE
"""A node that was not heard of for so long does not live: nodes say every few seconds that they do."""

PART: int = 500
"""Commands, or deliveries, that go together."""

_QUEUES = ("ready:", "unrouted:", "accounts:express:", "accounts:bulk:")


@dataclass(frozen=True, slots=True)
class Found:
    """What was seen. `problems` are what no kind of repair is for; `alive` are names of nodes."""

    problems: Sequence[str]
    wrongs: Sequence[Wrong]
    counts: Counter[Stored]
    rows: Mapping[str, int]
    alive: Sequence[str]


class Inspector:
    """Looks at one store. RelayError: it cannot be looked at."""

    def __init__(
        self,
        config: ServiceConfig,
        environ: Mapping[str, str],
        address: str,
        *,
        told: Callable[[str], None],
        pause: Callable[[], None],
    ) -> None:
        """`told` hears how far a look is; `pause` is between two looks, so that nothing of the first is under way."""
        self._config = config
        self._address = parse_address(address)
        self._told = told
        self._pause = pause
        self._clock = MachineClock()
        self._keyring = Keyring(config.key_folder, environ.get("RELAY_KEY"), randomness)
        self._visit = Visit(self._address, self._clock.boottime, within=MINUTE)
        self._store_id = ""

    def close(self) -> None:
        """Harmless when called twice."""
        self._visit.close()

    def look(self) -> Found:
        """All of it; with nodes alive what differs is looked at twice."""
        problems = [*self._of_server(), *self._of_layout()]
        alive, (seals, routes) = self._alive(), self._keys(problems)
        inspection = Inspection(self._visit, seals, routes, self._told)
        wrongs = list(dict.fromkeys(inspection.wrongs()))
        if wrongs and alive:
            self._pause()
            again = set(Inspection(self._visit, seals, routes, self._told).wrongs())
            wrongs = [each for each in wrongs if each in again]
        return Found(problems, wrongs, inspection.counts, inspection.rows, alive)

    # the server and the store

    def _of_server(self) -> Iterator[str]:
        until = self._clock.boottime() + MINUTE
        facts, wanted = ask_facts(self._visit.wire, until=until), Durability(self._config.durability)
        where = str(self._visit.host)
        if wanted is Durability.ASSERTED:
            yield from (flaw.text for flaw in flaws_told(where, facts))
            return
        try:
            flaws = flaws_of(f"primary {where}", self._visit.wire.ask_all(QUESTIONS, until=until))
        except StoreNotDurable as error:
            yield str(error)
            return
        yield from (flaw.text for flaw in flaws)

    def _of_layout(self) -> Iterator[str]:
        layout, store_id = self._visit.ask("HMGET", META, "layout", "store_id")
        if layout is None or store_id is None:
            raise StoreUnavailable(f"there is no store in {self._visit.host}")
        if layout != str(LAYOUT).encode():
            raise StoreUnavailable(f"the store has layout {layout.decode()}, this relay knows {LAYOUT}")
        self._store_id = store_id.decode()
        known, _ = known_store(self._config.data_dir)
        if known not in (None, self._store_id):
            yield f"store {self._store_id} is there, and this relay has mail of store {known}: `store` leads elsewhere"

    def _alive(self) -> list[str]:
        seconds, rest = self._visit.ask("TIME")
        since = int(seconds) * 1_000_000 + int(rest) - ALIVE
        nodes = self._visit.ask("ZRANGEBYSCORE", NODES_SEEN, since, "+inf")
        said = self._visit.ask("HMGET", NODES, *nodes) if nodes else []
        views = [json.loads(each) if each else {} for each in said]
        return sorted(str(view.get("name", node.decode())) for node, view in zip(nodes, views, strict=True))

    def _keys(self, problems: list[str]) -> tuple[Seals | None, Routes | None]:
        ledger = RedisLedger(LinkAsking(cast("Link", self._visit)), answer)
        try:
            seals = Seals(open_ring(ledger, self._keyring.vault_for), bytes.fromhex(self._store_id))
        except StoreKeyError as error:
            problems.append(f"{error}: without the key nothing of the mail can be read or checked")
            return None, None
        for name, sealed, _ in ledger.all_rows("secrets"):
            try:
                open_secret(seals, name, sealed)
            except CorruptValue:
                problems.append(f"secret:{name} cannot be opened with the keys that are there: set it again")
        try:
            return seals, load_routes(ledger, seals)
        except (CorruptValue, ValueError):
            problems.append("the routing that was applied last cannot be read: the next start applies its files anew")
            return seals, None

    # mending

    def mend(self, found: Found) -> None:
        """Indexes and groups from rows, and queues too. StoreUnavailable: a node lives."""
        if alive := self._alive():
            raise StoreUnavailable(
                f"{', '.join(alive)}: running, or stopped less than a minute ago; nothing is changed"
            )
        commands = [command for wrong in found.wrongs for command in wrong.mend]
        for start in range(0, len(commands), PART):
            self._visit.ask_all(commands[start : start + PART])
        if any(wrong.is_queue for wrong in found.wrongs):
            self._make_queues()

    def _make_queues(self) -> None:
        """Empties the queues, and hands in all that is ready and not under way."""
        seals, routes = self._keys([])
        inspection = Inspection(self._visit, seals, routes, self._told)
        for _ in inspection.wrongs():
            pass  # what is ready is known after a whole look
        self._empty()
        core = self._core()
        waiting: dict[tuple[int, int], list[int]] = {}
        for delivery, queue in sorted(inspection.ready.items()):
            waiting.setdefault(queue, []).append(delivery)
        for (account, lane), ids in waiting.items():
            for start in range(0, len(ids), PART):
                some = ids[start : start + PART]
                core.judge(lambda account=account, lane=lane, some=some: _hand_in(core, account, lane, some))  # type: ignore[misc]

    def _empty(self) -> None:
        for key in self._keys_of(("line:",)):
            packed = self._visit.ask("HGET", key, "state")
            if packed is not None:
                state = [0, 0, *msgpack.unpackb(packed, raw=True)[2:]]
                self._visit.ask("HSET", key, "state", msgpack.packb(state))
        for key in self._keys_of(_QUEUES):
            self._visit.ask("UNLINK", key)
        self._visit.ask("DEL", BUSY)

    def _keys_of(self, names: tuple[str, ...]) -> list[bytes]:
        cursor, found = b"0", set[bytes]()
        while True:
            cursor, keys = self._visit.ask("SCAN", cursor, "MATCH", OURS, "COUNT", PART)
            found.update(key for key in keys if key.partition(b"}:")[2].startswith(tuple(map(str.encode, names))))
            if cursor == b"0":
                return sorted(found)

    def _core(self) -> Core:
        """As a node has it; the store is checked as at a start."""
        rules = Rules(
            Durability(self._config.durability), Identity(scripts_version(), self._store_id), lambda: self._store_id
        )
        clock = self._clock
        link = Link(self._address, rules, boottime=clock.boottime, chance=lambda: 0.0, patience=PATIENT)
        outside = Outside(
            clock=clock, random=randomness, cipher_for=self._keyring.vault_for, commit=_at_once, read=_at_once,
            fatal=_raise, free_bytes=lambda: 1 << 62,
        )  # fmt: skip
        path = self._config.data_dir / NODE_FILE
        node = path.read_text("ascii").strip() if path.exists() else randomness(8).hex()
        membership = Membership(node, randomness(8).hex(), lambda: "")
        return Core(open_ground(link, store_settings(self._config), outside, membership), {})


def _hand_in(core: Core, account: int, lane: int, ids: Sequence[int]) -> None:
    context = core.context
    sender: AccountId = context.names.sender(account)
    schedule = context.schedule
    assert isinstance(schedule, RedisSchedule)
    schedule.add_deliveries(context.routes.mailbox_of(sender), sender, LANES[lane], list(ids), context.clock.now())


async def _at_once(work: Callable[[], T]) -> T:
    return work()


def _raise(error: RelayError) -> None:
    raise error
