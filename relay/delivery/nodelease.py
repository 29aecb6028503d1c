"""The lease of this node: renewed by a heartbeat, watched between two, and what ends with it is broken off.

Law: what was claimed under a lease that has run out goes no further, also while the store cannot be asked.
"""

import asyncio
from collections.abc import Callable

from relay.core.limits import SECOND
from relay.delivery.fence import Fence
from relay.delivery.observer import Observer
from relay.delivery.steady import DeliveryStore, Pauses
from relay.delivery.underway import UnderWay
from relay.errors import RelayError, StoreBroken

LEASE_LOOK: int = SECOND
"""Between two looks at a lease that has run out."""


class NodeLease:
    """The lease of one node, from its first take on."""

    def __init__(
        self,
        store: DeliveryStore,
        fence: Fence,
        under_way: UnderWay,
        *,
        node: str,
        observe: Observer,
        every: int,
        pauses: Pauses,
        on_lapse: Callable[[], None],
    ) -> None:
        """`every`: microseconds; `pauses` while the store is away; `on_lapse`: sessions may be another's by now too."""
        self._store = store
        self._fence = fence
        self._under_way = under_way
        self._node = node
        self._observe = observe
        self._every = every
        self._pauses = pauses
        self._on_lapse = on_lapse

    async def beat(self) -> None:
        """Renews the lease until it is cancelled; a store that is away is asked again as often as it is for work.

        StoreBroken: it will never hear it again.
        """
        await asyncio.sleep(self._every / SECOND)
        while True:
            asked_at = self._fence.now()
            try:
                lost = await self._store.heartbeat(self._node)
            except StoreBroken:
                raise
            except RelayError as error:
                self._observe.store_failed("heartbeat", error)
                await self._pauses.rest()
                continue
            self._pauses.worked()
            self.heard(asked_at)
            for claim in lost:
                self._under_way.lose(claim)
            await asyncio.sleep(self._every / SECOND)

    def heard(self, asked_at: int) -> None:
        """The store heard this node; if that was too late, what it held may be another's by now, sessions too."""
        if self._fence.renewed(asked_at):
            self._under_way.break_off_unheld()
            self._on_lapse()

    async def watch(self) -> None:
        """Breaks off what this node does not hold any more, at once: a provider that takes its time is not waited for.

        What passed the gate in time goes on: nobody else sends it before its reply is long overdue.
        """
        while True:
            left = self._fence.left
            if not left:
                self._under_way.break_off_unheld()
            await asyncio.sleep((left or LEASE_LOOK) / SECOND)
