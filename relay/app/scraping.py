"""What a scrape is answered with: the metrics of the moment, and of the store what was counted lately.

Law: however often somebody scrapes, counting takes a small part of the time, so that no mail waits for a dashboard.
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import Protocol

from relay.errors import StoreError
from relay.observe import Census, Certificate, Metrics
from relay.store.ports.history import History

SHARE: float = 0.02
"""Of the time, at most so much goes into counting: what took 1 ms is fresh after 50 ms, what took 100 ms after 5 s."""

LONGEST: float = 10.0
"""Seconds that a count is shown at most: less than the time between two scrapes."""

ACCOUNTS: int = 1000
"""Accounts with series of their own: more would cost Prometheus memory, and nobody reads them."""


class Certificates(Protocol):
    """Knows when the listeners' certificates expire."""

    def __call__(self) -> Iterable[Certificate]:
        """For each listener with TLS, counted from now."""


class Scrape:
    """Renders all metrics; while the store is away, all but what it counts. `clock` counts seconds, never set back."""

    def __init__(
        self, metrics: Metrics, history: History, clock: Callable[[], float], *, certificates: Certificates
    ) -> None:
        self._metrics = metrics
        self._history = history
        self._clock = clock
        self._certificates = certificates
        self._census = Census()
        self._is_good_until: float | None = None
        self._counting = asyncio.Lock()

    async def __call__(self) -> bytes:
        """Prometheus' text format."""
        return self._metrics.render(await self._lately(), self._certificates())

    async def _lately(self) -> Census | None:
        async with self._counting:
            if self._is_good_until is None or self._clock() >= self._is_good_until:
                try:
                    await self._count()
                except StoreError:
                    self._is_good_until = None
                    return None
            return self._census

    async def _count(self) -> None:
        began = self._clock()
        self._census = Census(queues=await self._history.queue_counts(), healths=await self._history.health_counts())
        ended = self._clock()
        self._is_good_until = ended + min((ended - began) / SHARE, LONGEST)
