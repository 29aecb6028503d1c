"""Metrics that are counted when somebody asks: the queue, the health of the accounts, and those accounts by name that
somebody may want to look at.

Law: they show the state of one moment; a provider, plan or account that is gone leaves no stale series behind.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Protocol

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from relay.observe import declared
from relay.observe.declared import Declared

WARNINGS = ("durability", "replica", "alone")
"""What readiness calls what is wrong with a shared store that works."""


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


class LimitOfProvider(Protocol):
    """How long a limit keeps back what could leave a provider otherwise."""

    @property
    def provider(self) -> str: ...
    @property
    def seconds(self) -> float: ...


class HealthOfProvider(Protocol):
    """How a provider's host is."""

    @property
    def provider(self) -> str: ...
    @property
    def health(self) -> str: ...


class AccountByName(Protocol):
    """An account that is not ok, has mail queued, or was active within a day."""

    @property
    def account(self) -> str: ...
    @property
    def health(self) -> str: ...
    @property
    def used_ratio(self) -> float: ...
    @property
    def drain_seconds(self) -> float | None: ...


@dataclass(frozen=True, slots=True)
class Certificate:
    """When a listener's certificate expires, in seconds from now; negative: it has."""

    listener: str
    seconds: float


@dataclass(frozen=True, slots=True)
class NodeState:
    """What this node knows of itself at one moment."""

    is_ready: bool = True
    is_store_up: bool = True
    """Whether the store answers."""
    warnings: Set[str] = frozenset()
    """What has to be mended about a store that works; of WARNINGS."""
    free_bytes: int | None = None
    """On the disk of the queue; None: unknown."""
    certificates: Sequence[Certificate] = ()
    notices: Mapping[str, float] = field(default_factory=dict)
    """For how many seconds the notice that waits longest has waited, by road."""


@dataclass(frozen=True, slots=True)
class Census:
    """The state of the queue at one moment."""

    queues: Sequence[QueueOfProvider] = ()
    healths: Sequence[AccountsByHealth] = ()
    waits: Sequence[LimitOfProvider] = ()
    providers: Sequence[HealthOfProvider] = ()
    accounts: Sequence[AccountByName] = ()
    nodes: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """How many nodes there are, by role and state."""
    dropped: int = 0
    """Accounts that would have series of their own and have none, because there are too many."""


class CensusCollector(Collector):
    """Turns the census that was taken last into metrics."""

    def __init__(self) -> None:
        self._census: Census | None = None
        self._providers: Iterable[str] = ()
        self._node = NodeState()

    def take(self, census: Census | None, providers: Iterable[str], node: NodeState) -> None:
        """Shows this state from now on; a provider with nothing in its queue is shown with noughts. None: unknown."""
        self._census = census
        self._providers = providers
        self._node = node

    def collect(self) -> Iterator[Metric]:
        """The metrics of the last census."""
        node = self._node
        yield _values(declared.READY, [((), node.is_ready)])
        yield _values(declared.STORE_UP, [((), node.is_store_up)])
        yield _values(declared.STORE_WARNINGS, (((what,), what in node.warnings) for what in WARNINGS))
        if node.free_bytes is not None:
            yield _values(declared.FREE, [((), node.free_bytes)])
        yield _values(declared.CERTIFICATE, (((each.listener,), each.seconds) for each in node.certificates))
        yield _values(declared.NOTICES_OLDEST, (((road,), seconds) for road, seconds in node.notices.items()))
        census = self._census
        if census is None:
            return
        queues = dict.fromkeys(sorted(self._providers), _NOTHING)
        queues |= {each.provider: each for each in census.queues}
        waits = dict.fromkeys(sorted(self._providers), 0.0)
        waits |= {each.provider: each.seconds for each in census.waits}
        yield _queue(queues)
        yield _values(declared.OLDEST, (((name,), queue.oldest_seconds or 0.0) for name, queue in queues.items()))
        yield _values(declared.LIMIT_WAIT, (((name,), seconds) for name, seconds in waits.items()))
        yield _values(declared.PROVIDER_HEALTH, (((each.provider, each.health), 1) for each in census.providers))
        yield _values(declared.ACCOUNTS, (((each.plan, each.health), each.accounts) for each in census.healths))
        yield _values(declared.NODES, sorted(census.nodes.items()))
        yield from _by_name(census)


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


def _by_name(census: Census) -> Iterator[Metric]:
    accounts = census.accounts
    drains = ((each.account, each.drain_seconds) for each in accounts)
    yield _values(declared.ACCOUNT_HEALTH, (((each.account, each.health), 1) for each in accounts))
    yield _values(declared.ACCOUNT_LIMIT, (((each.account,), each.used_ratio) for each in accounts))
    yield _values(declared.ACCOUNT_DRAIN, (((name,), seconds) for name, seconds in drains if seconds is not None))
    yield _values(declared.ACCOUNTS_DROPPED, [((), census.dropped)])


def _values(metric: Declared, samples: Iterable[tuple[tuple[str, ...], float]]) -> Metric:
    family = _family(metric)
    for labels, value in samples:
        family.add_metric(labels, value)
    return family
