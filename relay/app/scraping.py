"""What a scrape is answered with: the metrics of the moment, and of the store what was counted lately.

Law: however often somebody scrapes, counting takes a small part of the time, so that no mail waits for a dashboard.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from relay.admin import Part, Readiness
from relay.app.pulse import StoreWatch
from relay.errors import StoreError
from relay.observe import WARNINGS, Census, Certificate, Metrics, NodeState
from relay.store.ports.history import History
from relay.store.ports.nodes import Nodes
from relay.store.ports.reading import Reading

SHARE: float = 0.02
"""Of the time, at most so much goes into counting: what took 1 ms is fresh after 50 ms, what took 100 ms after 5 s."""

LONGEST: float = 30.0
"""Seconds that a count is shown at most: two scrapes."""

ACCOUNTS: int = 1000
"""Accounts with series of their own: more would cost Prometheus memory, and nobody reads them."""


PATIENCE: float = 6.0
"""Seconds after which a store that does not answer leaves a scrape without what it counts; Prometheus waits for 10."""


DAY: float = 86_400.0

SOON: float = 14 * DAY
"""Seconds before its end at which a certificate is talked of: what renews it had weeks, and somebody still has some."""

LITTLE_ROOM: int = 1_000_000_000
"""Bytes; long before mail is refused, and so much that a busy morning does not fill it."""

ROOM = "room"
"""What readiness calls a disk that will be full."""

CERTIFICATE = "certificate"
"""What readiness calls certificates that will expire."""


class Counted(History, Reading, Protocol):
    """What is counted."""


class Scrape:
    """Renders all metrics; while the store is away, all but what it counts. `clock` counts seconds, never set back."""

    def __init__(
        self,
        metrics: Metrics,
        store: Counted,
        clock: Callable[[], float],
        *,
        look: Callable[[], Awaitable[NodeState]],
        nodes: Nodes,
    ) -> None:
        """`look` says how this node is, `nodes` which there are."""
        self._metrics = metrics
        self._store = store
        self._clock = clock
        self._look = look
        self._nodes = nodes
        self._census = Census()
        self._is_good_until: float | None = None
        self._counting = asyncio.Lock()

    async def __call__(self) -> bytes:
        """Prometheus' text format."""
        return self._metrics.render(await self._lately(), await self._look())

    async def _lately(self) -> Census | None:
        async with self._counting:
            if self._is_good_until is None or self._clock() >= self._is_good_until:
                try:
                    async with asyncio.timeout(PATIENCE):
                        await self._count()
                except (StoreError, TimeoutError):
                    self._is_good_until = None
                    return None
            return self._census

    async def _count(self) -> None:
        began = self._clock()
        store = self._store
        by_name = await store.account_gauges(ACCOUNTS)
        self._census = Census(
            queues=await store.queue_counts(),
            healths=await store.health_counts(),
            waits=await store.limit_waits(),
            providers=await store.providers(),
            accounts=by_name.accounts,
            nodes=Counter((each.view.role.value, each.state.value) for each in await self._nodes.nodes()),
            dropped=by_name.dropped,
        )
        ended = self._clock()
        self._is_good_until = ended + min((ended - began) / SHARE, LONGEST)


class Disk(Protocol):
    """The disk of the queue."""

    def free_bytes(self) -> int: ...
    def disk_bytes(self) -> int: ...


@dataclass(frozen=True, slots=True)
class SelfLook:
    """How this node is; `wall` gives seconds since 1970, `expiries` those at which a listener's certificate ends."""

    watch: StoreWatch
    readiness: Readiness
    data: Disk
    wall: Callable[[], float]
    expiries: Callable[[], Mapping[str, float]]
    hook_keys: Callable[[], Awaitable[object]] | None = None
    """Looks up what signs notices, and says in the readiness where it is not there; None: nothing is signed."""
    notices: Callable[[], Mapping[str, float]] = dict
    """Says in the readiness which notices have waited too long; for how many seconds the longest, by road."""

    async def __call__(self) -> NodeState:
        """Brings the readiness up to date, and says what it says."""
        await self.look()
        now = self.wall()
        return NodeState(
            is_ready=self.readiness.is_ready,
            is_store_up=not self.readiness.has(Part.STORE),
            warnings=frozenset(filter(self.readiness.has, WARNINGS)),
            free_bytes=self.data.free_bytes(),
            certificates=[Certificate(listener, ends - now) for listener, ends in sorted(self.expiries().items())],
            notices=self.notices(),
        )

    async def look(self) -> None:
        """Brings the readiness up to date: what stops this node, and what will if nobody does anything."""
        await self.watch.look()
        self._look_at_room()
        self._look_at_certificates()
        self.notices()
        if self.hook_keys is not None:
            await _patiently(self.hook_keys())

    def _look_at_room(self) -> None:
        free, wanted = self.data.free_bytes(), min(LITTLE_ROOM, self.data.disk_bytes() // 4)
        if free < wanted:
            self.readiness.set(ROOM, f"{free // 1_000_000} MB are left on the disk of the queue")
        else:
            self.readiness.clear(ROOM)

    def _look_at_certificates(self) -> None:
        listeners: dict[float, list[str]] = {}
        for listener, ends in sorted(self.expiries().items()):
            listeners.setdefault(ends - self.wall(), []).append(listener)
        ending = sorted(listeners.items(), key=lambda each: each[1])
        soon = [f"that of {' and '.join(names)} {_ends(left)}" for left, names in ending if left < SOON]
        if soon:
            self.readiness.set(CERTIFICATE, f"certificates for clients: {', '.join(soon)}")
        else:
            self.readiness.clear(CERTIFICATE)


async def _patiently(looking: Awaitable[object]) -> None:
    """A folder of secrets that hangs hides nothing else; the look goes on when it comes back."""
    try:
        async with asyncio.timeout(PATIENCE):
            await looking
    except TimeoutError:
        return


def _ends(left: float) -> str:
    return "has expired" if left <= 0 else f"expires in {left / DAY:.0f} days"
