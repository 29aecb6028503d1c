"""The probe of a stopped mailbox on Redis: the script gave the oldest delivery, and another one may take its turn.

Law: as relay/store/engine/probing.py says whose turn it is; the attempt stays the same, and its slots with it.
"""

from relay.store.engine.entry import Entry
from relay.store.engine.probing import probe_of
from relay.store.redis.core import Core


def exchanged(core: Core, attempt: int) -> Entry | None:
    """The delivery that probes with this attempt; None: the attempt is over."""
    running = core.claims.get(attempt)
    if running is None:
        return None
    with core.claims.undecided(attempt):  # the oldest is among those whose turn it may be
        entry = probe_of(core.context, running.claim.mailbox, running.entry)
    if entry.delivery != running.entry.delivery:
        core.given.exchange(attempt, entry.delivery)
    core.given.remember(entry)
    return entry
