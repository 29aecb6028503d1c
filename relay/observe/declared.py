"""Every metric of the relay, declared once: name, kind, sentence, labels; the reference in docs/ is made from it.

Law: names and labels are an interface that dashboards and alerts rely on; each label takes a closed set of values.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Kind(StrEnum):
    """How Prometheus treats a metric."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True)
class Declared:
    """One metric."""

    name: str
    kind: Kind
    sentence: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()


DELAYS = (0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 60, 120, 300, 600, 1200, 3600, 7200, 14400, 43200, 86400, 259200)
"""Seconds: from an idle relay's delivery to the queue's lifetime."""

OPERATIONS = (0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10)
"""Seconds: from a statement in memory to a disk that hangs."""

LABELS: Mapping[str, str] = MappingProxyType(
    {
        "client": "a client of the routing, or none: nobody had logged in, or nobody knows the name",
        "provider": "a provider of the routing, or none: it is not there any more",
        "plan": "business, premium, personal, legacy, or none: the account is not there any more",
        "result": "accepted, rejected (for good), deferred (for now); of notices: mailed (put into the queue), posted "
        "(taken by the webhook), deferred, dead (given up), unsendable (no way to whoever has to be told)",
        "type": "a type of notice",
        "finding": "works, login-works (there was no room or no answer for the rest), login-failed, sender-refused, "
        "recipient-refused, not-now (it was not tried)",
        "road": "mail (there is no way to whoever has to be told) or webhook (it takes nothing)",
        "outcome": "delivered, deferred, bounced, held, cancelled",
        "class": "a reply class",
        "state": "of deliveries: waiting, sending, held; of nodes: running, draining, stopped, silent (not heard of "
        "for a minute, and it did not say that it stops)",
        "role": "all, submission, delivery",
        "what": "durability (a crash of Redis could lose what was accepted), replica (one is away, or nobody can tell "
        "whether it keeps what it has), alone (a primary that is cut off would take mail without any replica)",
        "health": "ok, doubted, slowed, waiting, paused, retired",
        "lane": "express, bulk",
        "operation": "a method of the store",
        "version": "the version of the relay",
        "account": "a sender that is not ok, has mail queued, or was active within 24 hours; at most 1,000 of them",
        "listener": "a listener with TLS, as relay.yaml names it",
    }
)
"""What each label may be."""

SUBMISSIONS = Declared(
    "relay_submissions_total",
    Kind.COUNTER,
    "Mails that clients handed in, by what they were told.",
    ("client", "result"),
)
CLIENT_LOGINS = Declared(
    "relay_client_logins_total", Kind.COUNTER, "Logins of clients at the relay, by what they were told.", ("result",)
)
ATTEMPTS = Declared(
    "relay_attempts_total",
    Kind.COUNTER,
    "Tries of deliveries, by what the reply meant (no-reply: none came).",
    ("provider", "class"),
)
DELIVERIES = Declared(
    "relay_deliveries_total", Kind.COUNTER, "What became of deliveries.", ("provider", "plan", "outcome")
)
IN_DOUBT = Declared("relay_in_doubt_total", Kind.COUNTER, "Attempts that may or may not have been sent.", ("provider",))
LOGINS = Declared(
    "relay_upstream_logins_total", Kind.COUNTER, "Logins at providers, by what was answered.", ("provider", "result")
)
TESTS = Declared(
    "relay_account_tests_total",
    Kind.COUNTER,
    "Mailboxes that a person had tried (`relay account test`, a new password); their logins count among all others.",
    ("provider", "finding"),
)
SESSIONS = Declared("relay_upstream_sessions", Kind.GAUGE, "Sessions with providers, logged in.", ("provider",))
QUEUE = Declared(
    "relay_queue_deliveries",
    Kind.GAUGE,
    "Deliveries in the queue: waiting, being sent, or held.",
    ("provider", "state"),
)
OLDEST = Declared("relay_queue_oldest_seconds", Kind.GAUGE, "Age of the oldest delivery in the queue.", ("provider",))
DELAY = Declared(
    "relay_delivery_delay_seconds",
    Kind.HISTOGRAM,
    "From accepting a mail to its delivery.",
    ("provider", "lane"),
    DELAYS,
)
LIMIT_WAIT = Declared(
    "relay_limit_wait_seconds",
    Kind.GAUGE,
    "In how long the limits let the next mail leave that could leave otherwise; 0: one may now, or none waits.",
    ("provider",),
)
ACCOUNTS = Declared("relay_accounts", Kind.GAUGE, "Accounts, by plan and health.", ("plan", "health"))
ACCOUNT_HEALTH = Declared(
    "relay_account_health", Kind.GAUGE, "Always 1; the label says how an account's mailbox is.", ("account", "health")
)
ACCOUNT_LIMIT = Declared(
    "relay_account_limit_used_ratio",
    Kind.GAUGE,
    "How much of the narrowest of its limits an account's mailbox has used, from 0 to 1.",
    ("account",),
)
ACCOUNT_DRAIN = Declared(
    "relay_account_queue_drain_seconds",
    Kind.GAUGE,
    "In how long the last mail that an account has queued will have left; no series while somebody has to act first.",
    ("account",),
)
ACCOUNTS_DROPPED = Declared(
    "relay_account_series_dropped", Kind.GAUGE, "Accounts without series of their own because there are over 1,000."
)
STORE = Declared(
    "relay_store_seconds", Kind.HISTOGRAM, "How long the store took for one operation.", ("operation",), OPERATIONS
)
STORE_UP = Declared(
    "relay_store_up", Kind.GAUGE, "Whether the store answers this node (1), or clients are told to try later (0)."
)
STORE_WARNINGS = Declared(
    "relay_store_warnings",
    Kind.GAUGE,
    "Whether something about a shared store has to be mended (1) though it works; /readyz says what.",
    ("what",),
)
NODES = Declared(
    "relay_nodes", Kind.GAUGE, "Nodes that were heard of within a day, as this one sees them.", ("role", "state")
)
LAG = Declared(
    "relay_event_loop_lag_seconds", Kind.GAUGE, "How late the event loop was at worst in the last 15 seconds."
)
RELOAD_SUCCESS = Declared(
    "relay_config_reload_success", Kind.GAUGE, "Whether the last edit of the routing was taken (1) or refused (0)."
)
RELOAD_TIME = Declared(
    "relay_config_reload_timestamp_seconds", Kind.GAUGE, "When the routing in force was read, in seconds since 1970."
)
PROVIDER_HEALTH = Declared(
    "relay_provider_health",
    Kind.GAUGE,
    "Always 1; the label says how a provider's host is: ok, waiting or paused.",
    ("provider", "health"),
)
READY = Declared("relay_ready", Kind.GAUGE, "Whether this node can do its work (1) or /readyz answers 503 (0).")
FREE = Declared(
    "relay_disk_free_bytes", Kind.GAUGE, "How much the disk of data_dir still takes; near its end no mail is accepted."
)
CERTIFICATE = Declared(
    "relay_tls_certificate_expiry_seconds",
    Kind.GAUGE,
    "How long the certificate of a listener is still valid; negative: it has expired.",
    ("listener",),
)
HANDSHAKES_FAILED = Declared(
    "relay_tls_handshakes_failed_total",
    Kind.COUNTER,
    "Connections of clients that came to no agreement on TLS.",
    ("listener",),
)
NOTICES = Declared(
    "relay_notices_total",
    Kind.COUNTER,
    "Notices to owners, vendor and ops, by what became of each mail and each call of the webhook.",
    ("type", "result"),
)
NOTICES_OLDEST = Declared(
    "relay_notices_oldest_seconds",
    Kind.GAUGE,
    "For how long the notice that waits longest has not gone out; 0: none waits.",
    ("road",),
)
BUILD = Declared("relay_build_info", Kind.GAUGE, "Always 1; the label says which relay.", ("version",))

ALL = (
    SUBMISSIONS, CLIENT_LOGINS, ATTEMPTS, DELIVERIES, IN_DOUBT, QUEUE, OLDEST, DELAY, LIMIT_WAIT, PROVIDER_HEALTH,
    ACCOUNTS, ACCOUNT_HEALTH, ACCOUNT_LIMIT, ACCOUNT_DRAIN, ACCOUNTS_DROPPED, LOGINS, TESTS, SESSIONS, STORE,
    STORE_UP, STORE_WARNINGS, NODES, LAG, RELOAD_SUCCESS, RELOAD_TIME, READY, FREE, CERTIFICATE, HANDSHAKES_FAILED,
    NOTICES, NOTICES_OLDEST, BUILD,
)  # fmt: skip
"""In the order of the reference."""
