"""Opening a store on Redis: the link, the keys of the store, and the core of this node put together.

Law: a store whose key is missing or another one refuses to start, and never makes a new key.
"""

from dataclasses import dataclass, field

from relay.errors import StoreBroken
from relay.store.engine.ring import fact, open_ring
from relay.store.engine.statements import load_statements
from relay.store.engine.values import Seals
from relay.store.needs import Outside, StoreSettings
from relay.store.redis.answers import answer
from relay.store.redis.asking import LinkAsking
from relay.store.redis.bell import Rope
from relay.store.redis.keys import CLOCK
from relay.store.redis.ledger import RedisLedger
from relay.store.redis.link import Link
from relay.store.redis.lives import Lives
from relay.store.redis.opened import Opened
from relay.store.redis.operations import Operations, Saying
from relay.store.redis.parts import Ground
from relay.store.redis.starting import patiently
from relay.store.redis.store import RedisStore
from relay.store.redis.times import RedisTimes

_SQL = load_statements("store")


@dataclass(frozen=True, slots=True)
class Membership:
    """One life of one node among several."""

    node: str
    """Its name, which it keeps over restarts."""
    token: str
    """Tells this life from every other."""
    said: Saying
    """What TIME says in a simulated world; on a machine empty."""
    lives: Lives = field(default_factory=Lives)
    """Those that its data_dir knows."""


def open_store(
    link: Link, settings: StoreSettings, outside: Outside, *, membership: Membership, rope: Rope
) -> RedisStore:
    """Opens the store, or makes it; blocks. StoreKeyError and whatever the link says of the server."""
    link.open()
    heard = link.ask("HGET", CLOCK, f"heard:{membership.node}")
    ground = open_ground(link, settings, outside, membership)
    return RedisStore(ground, rope, None if heard is None else int(heard), lives=membership.lives)


def open_ground(link: Link, settings: StoreSettings, outside: Outside, membership: Membership) -> Ground:
    """What a core stands on; blocks. Errors as in `open_store`."""
    times = RedisTimes(outside.clock)
    operations = Operations(link, times, node=membership.node, token=membership.token, said=membership.said)
    seals = _seals(link, operations, times, outside)
    return Ground(link, operations, times, seals, settings, outside, membership.node)


def _seals(link: Link, operations: Operations, times: RedisTimes, outside: Outside) -> Seals:
    """The keys of the store; a new store writes down which one it is sealed with."""
    link.open()
    store_id = link.store_id
    if store_id is None:
        raise StoreBroken("the server has not said which store it has")
    opened = Opened(times)
    patiently(lambda: operations.begin(0))
    ledger = RedisLedger(LinkAsking(link), answer)
    opened.open(ledger, None)
    known = fact(opened, "key_fingerprint")
    if known is not None:
        operations.let_go()
        return Seals(open_ring(opened, outside.cipher_for), bytes.fromhex(store_id))
    cipher = outside.cipher_for(None)
    for name, value in {"store_id": store_id, "key_fingerprint": cipher.fingerprint}.items():
        opened.write(_SQL["set_meta"], (name, value))
    operations.commit(ledger.intended, is_change=False)
    return Seals(cipher, bytes.fromhex(store_id))
