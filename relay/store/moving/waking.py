"""The schedule of a store on Redis that was filled from elsewhere: terms, standings, kinship, and what is ready.

Law: it is handed in by the engine, as a routing is that is applied; what is soft (witnesses, who was crowded, whose
turn it was) begins anew, as after any restart of a relay with a store of its own.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple, TypeVar

from relay.core.limits import SECOND
from relay.core.words import DeliveryId, Lane, MailboxId
from relay.store.engine.values import LANES
from relay.store.moving.redisside import RedisSide
from relay.store.redis.core import Core
from relay.store.redis.keys import RESTING, member, of_mailbox
from relay.store.redis.opened import Opened
from relay.store.redis.parts import Ground
from relay.store.redis.rowkeys import PENDING, STATE, index_key, table_key
from relay.store.redis.schedule import RedisSchedule
from relay.store.redis.tables import TABLES

T = TypeVar("T")

MAILBOXES: int = 200
"""Handed in by one operation."""

IDS: int = 1_000
"""Deliveries handed in by one operation."""


class Waiting(NamedTuple):
    """Deliveries of an account in a lane that may be sent."""

    account: int
    lane: Lane
    ids: list[DeliveryId]


HELD: int = 30 * SECOND
"""Nobody else wants the pen of a store that is not in use yet, and a slow machine may take its time."""


def wake(side: RedisSide, ground: Ground, *, since: int) -> None:
    """Makes the schedule; harmless when repeated. `since`: ended attempts count from then on at most."""
    core = Core(ground, {})
    routes, link = core.context.routes, ground.link
    if routes.version:
        link.ask("HSET", STATE, "routing", routes.version, "routing_by", ground.node)
    core.judge(lambda: _bind(core), held=HELD)
    for some in _chunks(routes.routing.by_mailbox, MAILBOXES):
        core.judge(lambda some=some: _bind_mailboxes(core, some), held=HELD)  # type: ignore[misc]
    for batch in _batches(_ready(side, sorted(map(int, link.ask("SMEMBERS", PENDING))))):
        core.judge(lambda batch=batch: _hand_in(core, batch), held=HELD)  # type: ignore[misc]
    _let_rest(side, ground.times.now() - since)


def _bind(core: Core) -> None:
    context, now = core.context, core.context.clock.now()
    context.schedule.set_kinship(context.remembrance.kinship, now)
    _schedule(core).set_civil_offset(context.clock.civil_offset(), now)
    for provider in context.routes.routing.providers:
        context.schedule.reload_provider(provider, now)


def _bind_mailboxes(core: Core, mailboxes: Sequence[MailboxId]) -> None:
    for mailbox in mailboxes:
        core.context.schedule.reload(mailbox, core.context.clock.now())


def _ready(side: RedisSide, accounts: Iterable[int]) -> Iterator[Waiting]:
    """What is ready of each account in each lane, oldest first."""
    for account in accounts:
        for number, lane in enumerate(LANES):
            key, after = index_key("deliveries", "ready", (account, number)), 0
            while found := side.ask("ZRANGEBYSCORE", key, f"({after}", "+inf", "LIMIT", 0, IDS):
                after = int(found[-1])
                yield Waiting(account, lane, [int(each) for each in found])


def _batches(of: Iterable[Waiting]) -> Iterator[list[Waiting]]:
    """As many together as one operation hands in."""
    some, many = list[Waiting](), 0
    for each in of:
        some.append(each)
        many += len(each.ids)
        if many >= IDS:
            yield some
            some, many = [], 0
    if some:
        yield some


def _hand_in(core: Core, batch: Iterable[Waiting]) -> None:
    context = core.context
    for each in batch:
        sender = context.names.sender(each.account)
        mailbox = context.routes.mailbox_of(sender)
        _schedule(core).add_deliveries(mailbox, sender, each.lane, each.ids, context.clock.now())


def _schedule(core: Core) -> RedisSchedule:
    """Of this operation."""
    opened = core.context.database
    assert isinstance(opened, Opened)
    return opened.schedule


def _let_rest(side: RedisSide, kept: int) -> None:
    """What mailboxes did is forgotten in its time, also of those that do nothing more."""
    rows = [TABLES["mailboxes"].unpack(packed) for packed in side.ask("HVALS", table_key("mailboxes"))]
    for some in _chunks([MailboxId(row[1], row[2]) for row in rows], MAILBOXES):
        resting: list[str] = []
        for mailbox in some:
            last = max(_last(side, of_mailbox(mailbox, name)) for name in ("ends", "logged", "refused"))
            resting += [f"{last + kept + 1:.0f}", member(mailbox)] if last else []
        if resting:
            side.ask("ZADD", RESTING, *resting)


def _last(side: RedisSide, key: str) -> float:
    found = side.ask("ZREVRANGE", key, 0, 0, "WITHSCORES")
    return float(found[1]) if found else 0


def _chunks(of: Iterable[T], size: int) -> Iterator[list[T]]:
    left = iter(of)
    while some := list(islice(left, size)):
        yield some
