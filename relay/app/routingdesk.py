"""What the keeper of the routing works with: the files that are watched, the store, and where secrets are.

Law: nothing here decides; it is put together once, at the start.
"""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Protocol

from relay.admin import Readiness
from relay.app import settings
from relay.app.machine import RunIn
from relay.app.means import Means
from relay.app.others import Others
from relay.app.shelf import SecretShelf
from relay.app.storage import Storage
from relay.config.problems import Loaded
from relay.config.references import Resolve
from relay.core.routing import Routing
from relay.observe import Log, Metrics
from relay.store.needs import Runner
from relay.store.ports import RoutingStore, Store


class Watch(Protocol):
    """The routing on disk."""

    @property
    def digest(self) -> str:
        """Of the bytes that were loaded last."""

    def changes(self) -> AsyncIterator[Loaded[Routing]]:
        """Each time that it was edited since it was loaded."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What the keeper of the routing works with."""

    watch: Watch
    resolve: Resolve
    """Finds a secret; blocks for a file."""
    store: RoutingStore
    key: bytes = field(repr=False)
    """Of the fingerprints; as old as the store."""
    run: Runner
    """Where blocking work runs."""
    log: Log
    metrics: Metrics
    readiness: Readiness
    wall_seconds: Callable[[], float]
    shelf: SecretShelf = field(default_factory=SecretShelf)
    """Where stored secrets are."""
    others: Others | None = None
    """This node among others; None: it is alone, and what its files say counts."""
    takes_mail: bool = True
    """Whether clients log in here."""


def routing_desk(means: Means, storage: Storage, store: Store, watch: Watch) -> Desk:
    """With the secrets of the store that is open now."""
    means.shelf.open(storage.store.books.secrets)
    return Desk(
        watch=watch,
        resolve=means.resolve,
        store=store,
        key=storage.key,
        run=RunIn(means.threads.pool("fingerprints", 1)),
        log=means.log,
        metrics=means.metrics,
        readiness=means.readiness,
        wall_seconds=means.clock.wall_seconds,
        shelf=means.shelf,
        others=_others(means, storage) if settings.is_shared(means.config) else None,
        takes_mail=means.role.takes_mail,
    )


def _others(means: Means, storage: Storage) -> Others:
    return Others(
        storage.data.path / "routing.seen",
        delivers=means.role.delivers,
        run=RunIn(means.threads.pool("others", 1)),
        log=means.log,
        readiness=means.readiness,
    )
