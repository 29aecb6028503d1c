"""The pulse of the event loop: how late it is at worst, and what readiness looks at.

Law: looking costs next to nothing, and never holds up what moves mail.
"""

import asyncio
from collections import deque
from collections.abc import Callable

from relay.admin import Part, Readiness
from relay.errors import RelayError, StoreFull
from relay.observe import Log
from relay.store.ports import Store

BEAT: float = 0.5
"""Seconds between two looks at the loop."""

REMEMBERED: int = 30
"""Looks: a scrape every 15 s misses no stall."""

PATIENCE: float = 2.0
"""Seconds after which a store that does not answer counts as away."""


class LoopLag:
    """Measures how late a timer comes."""

    def __init__(self, show: Callable[[float], None]) -> None:
        self._show = show
        self._seen: deque[float] = deque(maxlen=REMEMBERED)

    async def run(self) -> None:
        """Runs until it is cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + BEAT
            await asyncio.sleep(BEAT)
            self._seen.append(max(0.0, loop.time() - due))
            self._show(max(self._seen))


class StoreWatch:
    """Says in readiness and log when the store cannot work, and when it can again."""

    def __init__(self, store: Store, readiness: Readiness, log: Log) -> None:
        self._store = store
        self._readiness = readiness
        self._log = log

    async def look(self) -> None:
        """Asks the store for next to nothing, and looks at its disk."""
        try:
            async with asyncio.timeout(PATIENCE):
                await self._store.outbox(0)
        except TimeoutError:
            self._note(Part.STORE, f"the store did not answer within {PATIENCE:.0f} s")
        except StoreFull as error:
            self._note(Part.DISK, str(error))
        except RelayError as error:
            self._note(Part.STORE, str(error))
        else:
            self._over(Part.STORE)
            self._look_at_disk()

    def _look_at_disk(self) -> None:
        if self._store.has_space():
            self._over(Part.DISK)
        else:
            self._note(Part.DISK, "the disk is nearly full: no mail is accepted, what is queued is delivered")

    def _note(self, part: Part, text: str) -> None:
        if self._readiness.set(part, text):
            self._log.trouble(what=part, text=text)

    def _over(self, part: Part) -> None:
        if self._readiness.clear(part):
            self._log.recovered_from(what=part)
