"""The relay on one page: this node, its queue, its providers, and whose mail does not move.

Law: what it lists is bounded, however many accounts are in trouble; the counts beside it say how many there are.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Protocol

from fastapi import APIRouter, Query

from relay.admin import shapes
from relay.admin.asking import in_time
from relay.admin.lists import PREFIX
from relay.admin.queries import NoFilter
from relay.admin.readiness import Readiness
from relay.admin.shapes import Account, AccountCount, Listener, Queue, Status, moment
from relay.admin.showing import account_of, provider_of, trouble_of
from relay.core.shown import AccountHealth
from relay.store.ports.history import HealthCount, QueueCount
from relay.store.ports.nodes import Nodes, Role, SeenNode
from relay.store.ports.reading import AccountQuery, Reading

TROUBLED: int = 100
"""Accounts that are listed: what a screen or a call shows; the list of accounts has them all."""

TROUBLES = (
    AccountQuery(health=AccountHealth.PAUSED, limit=TROUBLED),
    AccountQuery(health=AccountHealth.WAITING, limit=TROUBLED),
    AccountQuery(health=AccountHealth.SLOWED, limit=TROUBLED),
    AccountQuery(health=AccountHealth.DOUBTED, limit=TROUBLED),
    AccountQuery(health=AccountHealth.RETIRED, has_queued=True, limit=TROUBLED),
)
"""What is asked for, the worst first; a retired account without mail is nobody's trouble."""


@dataclass(frozen=True, slots=True)
class ListensAt:
    """A listener: `what` is smtp or http, `address` HOST:PORT."""

    what: str
    address: str


@dataclass(frozen=True, slots=True)
class Node:
    """This process; `started_at` is wall time in microseconds since 1970."""

    version: str
    node: str
    started_at: int
    listeners: Sequence[ListensAt]
    role: Role = Role.ALL


class Counts(Protocol):
    """What of the history's port it needs."""

    async def queue_counts(self) -> Sequence[QueueCount]: ...

    async def health_counts(self) -> Sequence[HealthCount]: ...


@dataclass(frozen=True, slots=True)
class Sources:
    """Whom the status asks; `look` brings the readiness up to date."""

    readiness: Readiness
    look: Callable[[], Awaitable[None]]
    reading: Reading
    counts: Counts
    nodes: Nodes


def status_routes(node: Node, ask: Sources) -> APIRouter:
    """The status."""
    routes = APIRouter(prefix=PREFIX)

    async def gathered() -> Status:
        await ask.look()
        queue, accounts = await ask.counts.queue_counts(), await ask.counts.health_counts()
        providers = await ask.reading.providers()
        troubled = await _first_of(_troubled(ask.reading))
        return Status(
            ready=ask.readiness.is_ready,
            problems=[trouble_of(each) for each in ask.readiness.problems],
            version=node.version,
            node=node.node,
            started_at=moment(node.started_at),
            role=node.role,
            listeners=[Listener(what=each.what, address=each.address) for each in node.listeners],
            nodes=[_node_of(each) for each in await ask.nodes.nodes()],
            queue=[_queue_of(each) for each in queue],
            accounts=[_count_of(each) for each in accounts if each.accounts],
            providers=[provider_of(each) for each in providers],
            troubled=troubled,
        )

    @routes.get("/status", tags=["status"], summary="The relay on one page")
    async def status(asked: Annotated[NoFilter, Query()]) -> Status:
        """Version, listeners, queue, providers, accounts by health, and which of them are not ok."""
        return await in_time(gathered())

    return routes


async def _troubled(reading: Reading) -> AsyncIterator[Account]:
    for query in TROUBLES:
        for view in (await reading.accounts(query)).items:
            yield account_of(view)


async def _first_of(found: AsyncIterator[Account]) -> list[Account]:
    first: list[Account] = []
    async for each in found:
        first.append(each)
        if len(first) == TROUBLED:
            break
    return first


def _node_of(seen: SeenNode) -> shapes.Node:
    view = seen.view
    return shapes.Node(
        node=view.node,
        name=view.name,
        role=view.role,
        version=view.version,
        started_at=moment(view.started_at),
        last_seen=moment(seen.last_seen),
        state=seen.state,
        listeners=list(view.listeners),
        sessions=view.sessions,
        under_way=view.under_way,
    )


def _queue_of(count: QueueCount) -> Queue:
    return Queue(
        provider=count.provider,
        waiting=count.waiting,
        sending=count.sending,
        held=count.held,
        oldest_seconds=count.oldest_seconds,
    )


def _count_of(count: HealthCount) -> AccountCount:
    return AccountCount(plan=count.plan, health=AccountHealth(count.health), accounts=count.accounts)
