"""The ports of the store: what the stations ask of it, whichever adapter keeps it.

Law: when a method returns, what it says is durable; when it raises, nothing happened.
"""

from relay.store.ports.history import History, QueueCount
from relay.store.ports.outbox import Delay, Outbox, OutboxEntry, OutboxKind
from relay.store.ports.queue import Intake, Pauses, Queue
from relay.store.ports.routing import AppliedRouting, RoutingStore
from relay.store.ports.sessions import Sessions
from relay.store.ports.store import Store

__all__ = [
    "AppliedRouting",
    "Delay",
    "History",
    "Intake",
    "Outbox",
    "OutboxEntry",
    "OutboxKind",
    "Pauses",
    "Queue",
    "QueueCount",
    "RoutingStore",
    "Sessions",
    "Store",
]
