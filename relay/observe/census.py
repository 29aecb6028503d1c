"""Metrics that are counted when somebody asks: the queue and the health of the accounts.

Law: they show the state of one moment; a provider or plan that is gone leaves no stale series behind.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from relay.observe import declared
from relay.observe.declared import Declared


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
        self._census: Census | None = None
        self._providers: Iterable[str] = ()

    def take(self, census: Census | None, providers: Iterable[str]) -> None:
        """Shows this state from now on; a provider with nothing in its queue is shown with noughts. None: unknown."""
        self._census = census
        self._providers = providers

    def collect(self) -> Iterator[Metric]:
        """The metrics of the last census."""
        census = self._census
        if census is None:
            return
        queues = dict.fromkeys(sorted(self._providers), _NOTHING)
        queues |= {each.provider: each for each in census.queues}
        yield _queue(queues)
        yield _oldest(queues)
        yield _accounts(census.healths)


@dataclass(frozen=True, slots=True)
class _Nothing:
    """An empty queue."""

    provider: str = ""
    waiting: int = 0
    sending: int = 0
    held: int = 0
    oldest_seconds: float | None = None


_NOTHING: QueueOfProvider = _Nothing()


def _family(metric: Declared) -> GaugeMetricFamily:
    return GaugeMetricFamily(metric.name, metric.sentence, labels=metric.labels)


def _queue(queues: Mapping[str, QueueOfProvider]) -> Metric:
    family = _family(declared.QUEUE)
    for provider, queue in queues.items():
        family.add_metric((provider, "waiting"), queue.waiting)
        family.add_metric((provider, "sending"), queue.sending)
        family.add_metric((provider, "held"), queue.held)
    return family


def _oldest(queues: Mapping[str, QueueOfProvider]) -> Metric:
    family = _family(declared.OLDEST)
    for provider, queue in queues.items():
        family.add_metric((provider,), queue.oldest_seconds or 0.0)
    return family


def _accounts(healths: Iterable[AccountsByHealth]) -> Metric:
    family = _family(declared.ACCOUNTS)
    for count in healths:
        family.add_metric((count.plan, count.health), count.accounts)
    return family
