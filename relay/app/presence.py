"""Whether the store is there: said in the readiness and the log when it goes, and when it is back.

Law: one line when it goes and one when it is back, however many ask it meanwhile.
"""

import asyncio

from relay.admin import Part, Readiness
from relay.errors import StoreUnavailable, TemporaryError
from relay.observe import Log
from relay.store.ports import Outbox

SCOUTED: float = 0.5
"""Seconds between two looks whether a store is back: mail is accepted again within a second of its return."""


class Presence:
    """Hears how each operation of the store ended."""

    def __init__(self, readiness: Readiness, log: Log) -> None:
        self._readiness = readiness
        self._log = log
        self.is_gone = asyncio.Event()
        """Set while it is away."""

    def missed(self, error: StoreUnavailable) -> None:
        """It could not be reached."""
        self.is_gone.set()
        if self._readiness.set(Part.STORE, str(error)):
            self._log.trouble(what=Part.STORE, text=str(error))

    def answered(self) -> None:
        """It did what it was asked."""
        self.is_gone.clear()
        if self._readiness.clear(Part.STORE):
            self._log.recovered_from(what=Part.STORE)


class Scout:
    """Looks whether a store that is away is back, where nobody else may ask for a while: no client, no mail to send."""

    def __init__(self, store: Outbox, presence: Presence, *, every: float = SCOUTED) -> None:
        """`store` tells `presence` of each answer."""
        self._store = store
        self._presence = presence
        self._every = every

    async def run(self) -> None:
        """Runs until it is cancelled; a store beyond repair is raised."""
        while True:
            await self._presence.is_gone.wait()
            await self._ask()
            await asyncio.sleep(self._every)

    async def _ask(self) -> None:
        try:
            await self._store.outbox(0)
        except TemporaryError:
            return  # the presence has heard of it
