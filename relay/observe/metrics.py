"""Every metric of the relay, declared once, with its sentence and its closed set of labels.

Law: a label takes only names of the routing in force or words of a fixed vocabulary; whatever a peer says becomes
`none`, so that nobody outside can make series. Names and labels are an interface: dashboards and alerts rely on them.
"""

from collections.abc import Callable, Hashable, Iterable
from enum import StrEnum

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from relay.core.meaning import ReplyClass
from relay.core.routing import Routing
from relay.core.words import AccountId, Lane
from relay.observe.census import AccountsByHealth, Census, CensusCollector, QueueOfProvider

__all__ = ["CONTENT_TYPE_LATEST", "AccountsByHealth", "Answer", "Census", "Metrics", "Outcome", "QueueOfProvider"]

OTHER = "none"
"""The label of a name that is not in the routing."""

DELAY_BUCKETS = (0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 60, 120, 300, 600, 1200, 3600, 7200, 14400, 43200, 86400, 259200)
"""Seconds: from an idle relay's delivery to the queue's lifetime."""

STORE_BUCKETS = (0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10)
"""Seconds: from a statement in memory to a disk that hangs."""

CLASSES = frozenset(each.value for each in ReplyClass)
"""The reply classes; anything else counts as `unknown`."""


class Outcome(StrEnum):
    """What became of a delivery, for now or for good."""

    DELIVERED = "delivered"
    DEFERRED = "deferred"
    BOUNCED = "bounced"
    HELD = "held"
    CANCELLED = "cancelled"


class Answer(StrEnum):
    """What a client was told about a mail, and a provider said to a login."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    DEFERRED = "deferred"


class Metrics:
    """Counts what happens; series are looked up once and then kept, because the hot path pays for each."""

    def __init__(self, version: str) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call] # a second series for each says nothing that a restart does not
        self._registry = registry = CollectorRegistry()
        self._clients: frozenset[str] = frozenset()
        self._providers: frozenset[str] = frozenset()
        self._plans: dict[str, str] = {}
        self._submissions = _Counters(
            registry, "relay_submissions", "Mails that clients handed in, by what they were told.", "client", "result"
        )
        self._attempts = _Counters(
            registry, "relay_attempts", "Tries of deliveries, by what the reply meant.", "provider", "class"
        )
        self._deliveries = _Counters(
            registry, "relay_deliveries", "What became of deliveries.", "provider", "plan", "outcome"
        )
        self._in_doubt = _Counters(
            registry, "relay_in_doubt", "Attempts that may or may not have been sent.", "provider"
        )
        self._logins = _Counters(
            registry, "relay_upstream_logins", "Logins at providers, by what was answered.", "provider", "result"
        )
        self._sessions = Gauge(
            "relay_upstream_sessions", "Sessions with providers, logged in.", ("provider",), registry=registry
        )
        self._delay = Histogram(
            "relay_delivery_delay_seconds", "From accepting a mail to its delivery.", ("provider", "lane"),
            buckets=DELAY_BUCKETS, registry=registry,
        )  # fmt: skip
        self._store = Histogram(
            "relay_store_seconds", "How long the store took for one operation.", ("operation",),
            buckets=STORE_BUCKETS, registry=registry,
        )  # fmt: skip
        self._lag = Gauge(
            "relay_event_loop_lag_seconds", "How late the event loop was at worst in the last seconds.",
            registry=registry,
        )  # fmt: skip
        self._reload_success = Gauge(
            "relay_config_reload_success", "Whether the last edit of the routing was taken (1) or refused (0).",
            registry=registry,
        )  # fmt: skip
        self._reload_time = Gauge(
            "relay_config_reload_timestamp_seconds", "When the routing in force was read, in seconds since 1970.",
            registry=registry,
        )  # fmt: skip
        build = Gauge("relay_build_info", "Always 1; the label says which relay.", ("version",), registry=registry)
        build.labels(version).set(1)
        self._census = CensusCollector()
        registry.register(self._census)
        self._store_children: dict[str, Callable[[float], None]] = {}
        self._delay_children: dict[tuple[str, str], Callable[[float], None]] = {}

    # what happened

    def submitted(self, client: str | None, answer: Answer, many: int = 1) -> None:
        """A client was told what becomes of its mail; None: it has not logged in."""
        name = client if client in self._clients and client is not None else OTHER
        self._submissions.add((name, answer.value), many)

    def attempted(self, provider: str, reply_class: str) -> None:
        """An attempt ended."""
        self._attempts.add((self._provider(provider), reply_class if reply_class in CLASSES else "unknown"))

    def ended(self, provider: str, account: AccountId, outcome: Outcome) -> None:
        """A delivery got an outcome, durably."""
        self._deliveries.add((self._provider(provider), self._plans.get(account, OTHER), outcome.value))

    def delivered(self, provider: str, lane: Lane, seconds: float) -> None:
        """A delivery reached its provider, `seconds` after it was accepted."""
        key = (self._provider(provider), lane.value)
        observe = self._delay_children.get(key)
        if observe is None:
            observe = self._delay_children[key] = self._delay.labels(*key).observe
        observe(max(0.0, seconds))

    def doubted(self, provider: str) -> None:
        """An attempt may or may not have been sent."""
        self._in_doubt.add((self._provider(provider),))

    def logged_in(self, provider: str, answer: Answer) -> None:
        """A provider answered a login, or could not be reached (deferred)."""
        self._logins.add((self._provider(provider), answer.value))

    def session_changed(self, provider: str, by: int) -> None:
        """A session was opened (1) or closed (-1)."""
        self._sessions.labels(self._provider(provider)).inc(by)

    def store_took(self, operation: str, seconds: float) -> None:
        """The store did something; `operation` is the name of its method."""
        observe = self._store_children.get(operation)
        if observe is None:
            observe = self._store_children[operation] = self._store.labels(operation).observe
        observe(seconds)

    def loop_was_late(self, seconds: float) -> None:
        """The worst lag of the event loop in the last seconds."""
        self._lag.set(seconds)

    # which names there are

    def routing_applied(self, routing: Routing, at: float) -> None:
        """A routing is in force, read at `at` (seconds since 1970); its names are the labels from now on."""
        self._clients = frozenset(routing.clients)
        self._providers = frozenset(routing.providers)
        self._plans = {sender: account.plan.value for sender, account in routing.accounts.items()}
        for client in sorted(self._clients):
            for answer in Answer:
                self._submissions.add((client, answer.value), 0)
        self._reload_success.set(1)
        self._reload_time.set(at)

    def routing_refused(self) -> None:
        """An edit of the routing was refused."""
        self._reload_success.set(0)

    # what is scraped

    def render(self, census: Census | None) -> bytes:
        """Everything in Prometheus' text format; `census` is the state of the queue at this moment, None: unknown."""
        self._census.take(census, self._providers)
        return generate_latest(self._registry)

    def _provider(self, name: str) -> str:
        return name if name in self._providers else OTHER


class _Counters:
    """A counter with labels whose series are kept once they were found."""

    def __init__(self, registry: CollectorRegistry, name: str, sentence: str, *labels: str) -> None:
        self._counter = Counter(name, sentence, labels, registry=registry)
        self._children: dict[Hashable, Callable[[float], None]] = {}

    def add(self, values: tuple[str, ...], many: int = 1) -> None:
        add = self._children.get(values)
        if add is None:
            add = self._children[values] = self._counter.labels(*values).inc
        add(many)


def names_declared(metrics: Metrics) -> Iterable[tuple[str, str, tuple[str, ...]]]:
    """Name, sentence and labels of every metric, for the reference in the documentation."""
    for family in metrics._registry.collect():
        labels: dict[str, None] = {}
        for sample in family.samples:
            labels.update(dict.fromkeys(sample.labels))
        yield family.name, family.documentation, tuple(labels)
