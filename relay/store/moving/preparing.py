"""Before a store is moved: what a dead process left under way ends as its next start would end it.

Law: it is the store's own recovery, so that no attempt is carried that might still be going on, and none is forgotten.
"""

from collections.abc import Callable
from typing import Any

from relay.core.limits import HOUR, Limit
from relay.core.routing import Routing
from relay.errors import StoreBroken
from relay.store.engine.statements import load_statements
from relay.store.engine.unheard import recall
from relay.store.moving.redisside import RedisSide
from relay.store.needs import Outside, StoreSettings
from relay.store.redis.core import Core
from relay.store.redis.parts import Ground
from relay.store.redis.rowkeys import table_key
from relay.store.sqlite import DataDir, open_store

_SQL = load_statements("moving")

LEAST: int = 51 * HOUR
"""Ends are remembered for fifty hours whatever limits there are; an hour more, for what counts by minutes."""


def widest(routing: Routing | None) -> int:
    """How far back any limit looks; one that is slowed stretches an hour to 32 at most."""
    if routing is None:
        return LEAST
    limits: list[Limit] = []
    for provider in routing.providers.values():
        limits += [*provider.limits, *provider.total_limits, provider.login_limit]
    limits += [limit for account in routing.accounts.values() for limit in account.limits]
    return max([LEAST, *(limit.width for limit in limits)])


async def end_on_disk(data: DataDir, settings: StoreSettings, outside: Outside, node: str) -> int:
    """Of a store in a data_dir; how far back its limits look."""
    holders = _looked_up(data, "holders")
    store = open_store(data, settings, outside)
    try:
        for each in {node, *holders}:
            await store.recover(each)
        applied = await store.applied()
    finally:
        await store.close()
    [many] = _looked_up(data, "under_way")
    _refuse_rest(many)
    return widest(None if applied is None else applied.routing)


def _looked_up(data: DataDir, statement: str) -> list[Any]:
    connection = data.connect()
    try:
        return [row[0] for row in connection.execute(_SQL[statement])]
    finally:
        connection.close()


def end_on_redis(side: RedisSide, open_ground: Callable[[], Ground]) -> int:
    """Of a store on Redis, of all its nodes; how far back its limits look."""
    heard = side.heard()  # before this one is heard of
    ground = open_ground()
    try:
        core = Core(ground, {})
        for at in heard:
            core.judge(lambda at=at: recall(core.context, at))  # type: ignore[misc]
        for node in {ground.node, *side.holders()}:
            core.judge(lambda node=node: core.judged.recover(node))  # type: ignore[misc]
    except (ValueError, TypeError) as error:
        raise StoreBroken("a row cannot be read: `relay queue check` says which") from error
    _refuse_rest(int(side.ask("HLEN", table_key("claims"))))
    return widest(core.context.routes.routing if core.context.routes.version else None)


def _refuse_rest(many: int) -> None:
    if many:
        raise StoreBroken(
            f"{many} attempts are still under way though nobody makes them: start the relay once, and stop it"
        )
