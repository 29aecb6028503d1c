"""The store on Redis in the conformance suites: a real server, on virtual time.

Law: one server serves all checks of a run, one after another, and each begins with nothing in it; what TIME says is
said by the loop of the check.
"""

import atexit
import itertools
import time
from dataclasses import replace
from functools import cache

import redis

from relay.core.keymark import KeyMark
from relay.core.limits import MINUTE
from relay.errors import RelayError
from relay.store.needs import Outside, StoreSettings
from relay.store.ports import Store
from relay.store.redis.address import parse_address
from relay.store.redis.bell import OwnBell
from relay.store.redis.durability import Durability
from relay.store.redis.joining import Rules
from relay.store.redis.layout import Identity, scripts_version
from relay.store.redis.link import Link
from relay.store.redis.lives import Lives
from relay.store.redis.opening import Membership, open_store
from relay.store.redis.patience import Patience
from relay.store.redis.store import RedisStore
from relay.vault import Vault
from relay.vault.vault import fingerprint_of
from tests.contract.harness import OnVirtualTime, at_once
from tests.fakes.redisservers import Server, binary


@cache
def shared_server(name: str = "redis-7") -> Server:
    """One for the whole run, without a disk behind it."""
    server = Server(binary(name), "save ''", "appendonly no").start()
    atexit.register(server.close)
    return server


_DATABASES = itertools.count()
"""A check may have two stores at once; a server has sixteen."""


AT_LEISURE = Patience(connect=MINUTE, reply=MINUTE, whole=MINUTE, confirm=MINUTE, replica=MINUTE, sentinel=MINUTE)
"""These checks are not about time-outs, and a busy machine takes a second now and then."""


class Bells(OwnBell):
    """Of all processes of one check: a change that one makes rings at all."""


def boottime() -> int:
    """The machine's own: sockets know no virtual time."""
    return time.monotonic_ns() // 1000


class RedisHarness(OnVirtualTime):
    """One store on a real server, and the processes that work with it."""

    program = "redis-7"
    """Which server (tests/fakes/redisservers.py)."""
    link_type: type[Link] = Link
    durability = Durability.RELAXED

    def __init__(self, settings: StoreSettings) -> None:
        super().__init__()
        self._settings = settings
        self._chance = 0
        self._lives = 0
        self._server, self._db = shared_server(self.program), next(_DATABASES) % 16
        self.beside().flushdb()
        self._rope = Bells()
        self.links: list[Link] = []
        self.keys = [b"k" * 32]
        """Those that a node finds where keys are kept; the first is a new store's."""
        self.fatal: list[RelayError] = []
        self.store: Store = self._open("node-1")

    def beside(self) -> redis.Redis:
        """Somebody else at the same server."""
        return self._server.client(db=self._db)

    def _random(self, many: int) -> bytes:
        self._chance += 1
        return self._chance.to_bytes(many, "big")

    def _vault(self, fingerprint: str | None, *_: KeyMark) -> Vault:
        ring = {fingerprint_of(key): key for key in self.keys}
        vault = Vault(self.keys[0] if fingerprint is None else ring[fingerprint], self._random)
        for key in self.keys:
            vault.add(key)
        return vault

    def _open(self, node: str, lives: Lives | None = None) -> RedisStore:
        self._lives += 1
        rules = Rules(self.durability, Identity(scripts_version()), lambda: "5e" * 16)
        link = self.link_type(
            replace(parse_address(self._server.address), db=self._db), rules,
            boottime=boottime, chance=lambda: 0.5, patience=AT_LEISURE,
        )  # fmt: skip
        self.links.append(link)
        outside = Outside(
            clock=self.clock,
            random=self._random,
            cipher_for=self._vault,
            commit=at_once,
            read=at_once,
            fatal=self.fatal.append,
            free_bytes=lambda: 10**12,
        )
        membership = Membership(node, f"{node}.{self._lives}", lambda: str(self.clock.wall()), lives=lives or Lives())
        return open_store(link, self._settings, outside, membership=membership, rope=self._rope)

    async def crash_and_restart(self) -> None:
        self.links[-1].close()
        self.store = self._open("node-1")

    def peer(self) -> Store | None:
        return self.other("node-2")

    def part(self) -> None:
        """Nodes that come from now on hear no bell of those before, as while the line to it is broken."""
        self._rope = Bells()

    def other(self, node: str, lives: Lives | None = None) -> RedisStore:
        """The same store as another node has it, which has just loaded it; `lives`: those that its data_dir knows."""
        return self._open(node, lives)

    async def close(self) -> None:
        await self.store.close()
        for link in self.links:
            link.close()
        assert not self.fatal
