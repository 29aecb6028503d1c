"""The journal of outcomes of this node: opened before anything else is asked of the store.

Law: what an earlier life could not record is settled before its attempts are ended; what cannot be read is said.
"""

from relay.app.machine import RunIn, crash_point_of
from relay.app.means import Means
from relay.app.observation import DeliveryObserver
from relay.app.storage import Storage
from relay.delivery.recording import replay
from relay.store.outcomes import OutcomeJournal
from relay.store.ports import Store

FILE = "outcomes"

WRITERS: int = 1
"""Threads: the journal has one writer."""


async def open_outcomes(means: Means, storage: Storage) -> OutcomeJournal:
    """Opens it. StoreError: its disk does not answer."""
    journal = OutcomeJournal(
        means.config.data_dir / FILE,
        storage.cipher,
        place=f"outcome {storage.node}".encode(),
        run=RunIn(means.threads.pool("outcomes", WRITERS)),
        crash_point=crash_point_of(means.environ),
    )
    damage = await journal.open()
    if damage is not None:
        means.log.trouble(
            what="outcomes",
            text=f"how {damage.records} attempts ended cannot be read back, so they are in doubt; all is kept in "
            f"{damage.path}",
        )
    return journal


async def settle_kept(means: Means, store: Store, journal: OutcomeJournal) -> None:
    """Settles what an earlier life of this node kept. StoreError: the store is away."""
    await replay(store, journal, DeliveryObserver(means.log, means.metrics))
