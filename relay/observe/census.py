"""Metrics that are counted when somebody asks: the queue and the health of the accounts.

Law: they show the state of one moment; a provider or plan that is gone leaves no stale series behind.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector


class QueueOfProvider(Protocol):
    """What waits, is being sent and is held at one provider."""

    @property
    def provider(self) -> str: ...
    @property
    def waiting(self) -> int: ...
    @property
    def sending(self) -> int: ...
    @property
    def held(self) -> int: ...
    @property
    def oldest_seconds(self) -> float | None: ...


class AccountsByHealth(Protocol):
    """How many accounts of a plan have this health."""

    @property
    def plan(self) -> str: ...
    @property
    def health(self) -> str: ...
    @property
    def accounts(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Census:
    """The state of the queue at one moment."""

    queues: Sequence[QueueOfProvider] = ()
    healths: Sequence[AccountsByHealth] = ()


class CensusCollector(Collector):
    """Turns the census that was taken last into metrics."""

    def __init__(self) -> None:
        self._census = Census()

    def take(self, census: Census) -> None:
        """Shows this state from now on."""
        self._census = census

    def collect(self) -> Iterator[Metric]:
        """The metrics of the last census."""
        yield _queue(self._census.queues)
        yield _oldest(self._census.queues)
        yield _accounts(self._census.healths)


def _queue(queues: Iterable[QueueOfProvider]) -> Metric:
    family = GaugeMetricFamily(
        "relay_queue_deliveries", "Deliveries in the queue: waiting, being sent, or held.", labels=("provider", "state")
    )
    for queue in queues:
        family.add_metric((queue.provider, "waiting"), queue.waiting)
        family.add_metric((queue.provider, "sending"), queue.sending)
        family.add_metric((queue.provider, "held"), queue.held)
    return family


def _oldest(queues: Iterable[QueueOfProvider]) -> Metric:
    family = GaugeMetricFamily(
        "relay_queue_oldest_seconds", "Age of the oldest delivery in the queue.", labels=("provider",)
    )
    for queue in queues:
        family.add_metric((queue.provider,), queue.oldest_seconds or 0.0)
    return family


def _accounts(healths: Iterable[AccountsByHealth]) -> Metric:
    family = GaugeMetricFamily("relay_accounts", "Accounts, by plan and health.", labels=("plan", "health"))
    for count in healths:
        family.add_metric((count.plan, count.health), count.accounts)
    return family
