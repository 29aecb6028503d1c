"""What a core on Redis keeps in memory, with the context that the engine sees of it.

Law: everything here is read from the server at a start and after an operation that failed half-way; what others write
since is heard (hearing.py).
"""

from dataclasses import dataclass

from relay.core.words import MailboxId
from relay.store.engine.context import Context
from relay.store.engine.edits import load_routes_or_none
from relay.store.engine.entry import Entries
from relay.store.engine.journal import Journal
from relay.store.engine.kin import load_kinship
from relay.store.engine.ring import follow_ring
from relay.store.engine.statements import load_statements
from relay.store.engine.values import Seals
from relay.store.needs import Outside, StoreSettings
from relay.store.redis.asking import LinkAsking
from relay.store.redis.bodies import RedisBodies
from relay.store.redis.claims import RedisClaims
from relay.store.redis.editing import Asked
from relay.store.redis.lanes import RedisLanes
from relay.store.redis.link import Link
from relay.store.redis.names import RedisNames
from relay.store.redis.opened import Opened
from relay.store.redis.operations import Operations
from relay.store.redis.pending import RedisPending
from relay.store.redis.ready import RedisReady
from relay.store.redis.remembering import HeardRemembrance
from relay.store.redis.schedule import RedisSchedule
from relay.store.redis.scripts import load_script
from relay.store.redis.times import RedisTimes

_OUTBOX = load_statements("outbox")


@dataclass(frozen=True, slots=True)
class Ground:
    """What a core stands on, and what outlives it."""

    link: Link
    operations: Operations
    times: RedisTimes
    seals: Seals
    settings: StoreSettings
    outside: Outside
    node: str


class Uncounted:
    """Sessions are counted by the scripts, over all nodes: nothing is kept of them here."""

    def change(self, mailbox: MailboxId, sessions: int, opening: int, /) -> None:
        """Nothing."""


@dataclass(frozen=True, slots=True)
class Parts:
    """Handed to the core."""

    context: Context
    names: RedisNames
    memory: HeardRemembrance
    claims: RedisClaims
    ready: RedisReady
    bodies: RedisBodies


def load_parts(ground: Ground, opened: Opened, asking: LinkAsking) -> Parts:
    """Reads them, with the ledger that is open."""
    names = RedisNames(ground.link, asking)
    follow_ring(opened, ground.seals.cipher, ground.outside.cipher_for)
    routes, entries = load_routes_or_none(opened, ground.seals), Entries(opened, names)
    limit = ground.settings.health.refused_logins
    memory = HeardRemembrance(opened, names, ground.times, routes, refused_logins=limit)
    memory.hear_providers(opened.ledger)
    memory.kinship = load_kinship(opened, routes.routing)
    claims, ready = RedisClaims(opened, names, ground.seals, entries), RedisReady(opened, memory)
    bodies = RedisBodies(opened, ground.seals)
    context = Context(
        database=opened,
        seals=ground.seals,
        clock=ground.times,
        settings=ground.settings,
        crash_point=ground.outside.crash_point,
        names=names,
        entries=entries,
        routes=routes,
        remembrance=memory,
        schedule=schedule_of(ground, opened, memory),
        ready=ready,
        bodies=bodies,
        claims=claims,
        journal=Journal(opened, names, ground.outside.listener),
        pending=RedisPending(opened, ground.link),
        book=Uncounted(),
        lanes=RedisLanes(opened),
        owed=(opened.read_one(_OUTBOX["count_outbox"]) or (0,))[0],
    )
    context.watched.load(opened)
    return Parts(context, names, memory, claims, ready, bodies)


def schedule_of(ground: Ground, opened: Opened, memory: HeardRemembrance) -> RedisSchedule:
    """The schedule of one operation; the ledger of that operation notes what it is to do."""
    schedule = RedisSchedule(
        memory,
        lambda name, args: ground.link.run(load_script(name), (), tuple(args)),
        lambda verb, args: opened.ledger.act(verb, *args),
        node=ground.node,
        asked=Asked(ground.link),
    )
    schedule.know_kinship(memory.kinship)
    return schedule
