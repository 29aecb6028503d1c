"""The metrics as they are counted; what there is stands in `declared`.

Law: a label takes only names of the routing in force or words of a fixed vocabulary; whatever a peer says becomes
`none`, so that nobody outside can make series.
"""

from collections.abc import Callable
from enum import StrEnum
from itertools import product

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, disable_created_metrics
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from relay.core.meaning import ReplyClass
from relay.core.notice import NoticeType
from relay.core.routing import Routing
from relay.core.tested import Finding
from relay.core.words import AccountId, Lane, Plan
from relay.observe import declared
from relay.observe.census import AccountsByHealth, Census, CensusCollector, NodeState, QueueOfProvider
from relay.observe.declared import Declared

__all__ = [
    "CONTENT_TYPE_LATEST",
    "AccountsByHealth",
    "Answer",
    "Census",
    "Metrics",
    "Outcome",
    "QueueOfProvider",
    "Told",
]

OTHER = "none"
"""The label of a name that is not in the routing."""

CLASSES = frozenset(each.value for each in ReplyClass)
"""The reply classes; anything else counts as `unknown`."""

UNKNOWN = ReplyClass.UNKNOWN.value
"""Something was said that no rule knows; an alert looks at it."""

NO_REPLY = "no-reply"
"""The same where nothing was said: the session ended first."""


STEPS = ("put", "take", "gate", "settle")
"""What the store does for each mail; alerts look at these."""


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


class Told(StrEnum):
    """What became of a notice."""

    MAILED = "mailed"
    """A mail of it was put into the queue."""
    POSTED = "posted"
    """The webhook took it."""
    DEFERRED = "deferred"
    """The webhook did not; it is tried again."""
    DEAD = "dead"
    """The webhook never took it: it was given up."""
    UNSENDABLE = "unsendable"
    """Somebody has to be told, and there is no way to him."""


class Metrics:
    """Counts what happens; series are looked up once and then kept, because the hot path pays for each."""

    def __init__(self, version: str) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call] # a second series for each, which nobody reads
        self._registry = registry = CollectorRegistry()
        self._clients: frozenset[str] = frozenset()
        self._providers: frozenset[str] = frozenset()
        self._accounts = Routing().accounts
        self._submissions = _Counters(declared.SUBMISSIONS, registry)
        self._client_logins = _Counters(declared.CLIENT_LOGINS, registry)
        self._attempts = _Counters(declared.ATTEMPTS, registry)
        self._deliveries = _Counters(declared.DELIVERIES, registry)
        self._in_doubt = _Counters(declared.IN_DOUBT, registry)
        self._logins = _Counters(declared.LOGINS, registry)
        self._sessions = _gauge(declared.SESSIONS, registry)
        self._delay = _Histograms(declared.DELAY, registry)
        self._store = _Histograms(declared.STORE, registry)
        self._handshakes_failed = _Counters(declared.HANDSHAKES_FAILED, registry)
        self._notices = _Counters(declared.NOTICES, registry)
        self._tests = _Counters(declared.TESTS, registry)
        self._lag = _gauge(declared.LAG, registry)
        self._reload_success = _gauge(declared.RELOAD_SUCCESS, registry)
        self._reload_time = _gauge(declared.RELOAD_TIME, registry)
        _gauge(declared.BUILD, registry).labels(version).set(1)
        self._census = CensusCollector()
        registry.register(self._census)
        ProcessCollector(registry=registry)

    # what happened

    def submitted(self, client: str | None, answer: Answer, many: int = 1) -> None:
        """A client was told what becomes of its mail; None: it has not logged in."""
        name = client if client in self._clients and client is not None else OTHER
        self._submissions.add((name, answer.value), many)

    def client_logged_in(self, answer: Answer) -> None:
        """A client tried to log in."""
        self._client_logins.add((answer.value,))

    def attempted(self, provider: str, reply_class: str, *, is_answered: bool = True) -> None:
        """An attempt ended; one that the provider did not answer has said nothing that could be unknown."""
        known = reply_class if reply_class in CLASSES else UNKNOWN
        self._attempts.add((self._provider(provider), known if is_answered or known != UNKNOWN else NO_REPLY))

    def ended(self, provider: str, account: AccountId, outcome: Outcome) -> None:
        """A delivery got an outcome, durably."""
        known = self._accounts.get(account)
        plan = OTHER if known is None else known.plan.value
        self._deliveries.add((self._provider(provider), plan, outcome.value))

    def delivered(self, provider: str, lane: Lane, seconds: float) -> None:
        """A delivery reached its provider, `seconds` after it was accepted."""
        self._delay.observe((self._provider(provider), lane.value), max(0.0, seconds))

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
        self._store.observe((operation,), seconds)

    def handshake_failed(self, listener: str, many: int = 1) -> None:
        """A client of this listener of the configuration came to no agreement on TLS."""
        self._handshakes_failed.add((listener,), many)

    def noticed(self, kind: NoticeType, told: Told) -> None:
        """Somebody was told, or could not be."""
        self._notices.add((kind.value, told.value))

    def tested(self, provider: str, finding: Finding) -> None:
        """A person had a mailbox tried: none of its mail."""
        self._tests.add((self._provider(provider), finding.value))

    def loop_was_late(self, seconds: float) -> None:
        """The worst lag of the event loop in the last seconds."""
        self._lag.set(seconds)

    # which names there are

    def routing_applied(self, routing: Routing, at: float) -> None:
        """A routing is in force, read at `at` (seconds since 1970); its names are the labels from now on."""
        self._clients = frozenset(routing.clients)
        self._providers = frozenset(routing.providers)
        self._accounts = routing.accounts
        self._begin_with_noughts()
        self._reload_success.set(1)
        self._reload_time.set(at)

    def _begin_with_noughts(self) -> None:
        """A series that begins at one shows no increase: the first event would be one that no alert sees."""
        for client, answer in product(sorted(self._clients), Answer):
            self._submissions.add((client, answer.value), 0)
        for answer in Answer:
            self._client_logins.add((answer.value,), 0)
        for operation in STEPS:
            self._store.begin((operation,))
        for kind, told in product(NoticeType, Told):
            self._notices.add((kind.value, told.value), 0)
        for provider in sorted(self._providers):
            self._begin_provider(provider)

    def _begin_provider(self, provider: str) -> None:
        self._in_doubt.add((provider,), 0)
        for finding in Finding:
            self._tests.add((provider, finding.value), 0)
        for answer in Answer:
            self._logins.add((provider, answer.value), 0)
        for reply_class in sorted({*CLASSES, NO_REPLY}):
            self._attempts.add((provider, reply_class), 0)
        for plan, outcome in product(Plan, Outcome):
            self._deliveries.add((provider, plan.value, outcome.value), 0)
        for lane in Lane:
            self._delay.begin((provider, lane.value))
        self._sessions.labels(provider)

    def routing_refused(self) -> None:
        """An edit of the routing was refused."""
        self._reload_success.set(0)

    # what is scraped

    def render(self, census: Census | None, node: NodeState) -> bytes:
        """Everything in Prometheus' text format; `census` is the state of the queue at this moment, None: unknown."""
        self._census.take(census, self._providers, node)
        return generate_latest(self._registry)

    def _provider(self, name: str) -> str:
        return name if name in self._providers else OTHER


def _gauge(metric: Declared, registry: CollectorRegistry) -> Gauge:
    return Gauge(metric.name, metric.sentence, metric.labels, registry=registry)


class _Counters:
    """A counter with labels whose series are kept once they were found."""

    def __init__(self, metric: Declared, registry: CollectorRegistry) -> None:
        self._counter = Counter(metric.name, metric.sentence, metric.labels, registry=registry)
        self._children: dict[tuple[str, ...], Callable[[float], None]] = {}

    def add(self, values: tuple[str, ...], many: int = 1) -> None:
        add = self._children.get(values)
        if add is None:
            add = self._children[values] = self._counter.labels(*values).inc
        add(many)


class _Histograms:
    """A histogram with labels whose series are kept once they were found."""

    def __init__(self, metric: Declared, registry: CollectorRegistry) -> None:
        self._histogram = Histogram(
            metric.name, metric.sentence, metric.labels, buckets=metric.buckets, registry=registry
        )
        self._children: dict[tuple[str, ...], Callable[[float], None]] = {}

    def begin(self, values: tuple[str, ...]) -> Callable[[float], None]:
        """The series is there from now on, at noughts."""
        observe = self._children[values] = self._histogram.labels(*values).observe
        return observe

    def observe(self, values: tuple[str, ...], amount: float) -> None:
        (self._children.get(values) or self.begin(values))(amount)
