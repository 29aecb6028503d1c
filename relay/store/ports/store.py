"""The store as a whole: every port behind one object, as the composition root holds it.

Law: an adapter passes the conformance suites of all ports, or it is none.
"""

from typing import Protocol

from relay.store.ports.history import History
from relay.store.ports.outbox import Outbox
from relay.store.ports.queue import Intake, Pauses, Queue
from relay.store.ports.reading import Reading
from relay.store.ports.routing import RoutingStore
from relay.store.ports.sessions import Sessions


class Store(Intake, Pauses, Queue, Sessions, RoutingStore, Outbox, History, Reading, Protocol):
    """All ports of one store."""

    async def close(self) -> None:
        """Finishes what was begun and lets go of the files; harmless when called twice."""
