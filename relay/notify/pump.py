"""The outbox pump: takes what follows from outcomes out of the outbox and does it.

Law: an entry is done only after what it asks for is durable; a crash in between does it again, which changes nothing.
It waits to be woken and never polls.
"""

import asyncio
from collections.abc import Callable

from relay.core.dsn import is_wanted
from relay.core.routing import Routing
from relay.errors import TemporaryError
from relay.notify.report import ACTIONS, ReportSettings, is_report, report_id, reporter, write_report
from relay.observe import Log
from relay.store.ports import Intake, Outbox, OutboxEntry

BATCH: int = 50
"""Entries read at once: their headers are in memory, 64 kB each at most."""

PAUSE: float = 30.0
"""Seconds before another try when the store takes nothing: a disk is not emptied within seconds."""


class OutboxPump:
    """Empties the outbox whenever it is woken."""

    def __init__(
        self,
        outbox: Outbox,
        intake: Intake,
        settings: ReportSettings,
        *,
        routing: Callable[[], Routing],
        randomness: Callable[[int], bytes],
        log: Log,
    ) -> None:
        self._outbox = outbox
        self._intake = intake
        self._settings = settings
        self._routing = routing
        self._randomness = randomness
        self._log = log
        self._is_due = asyncio.Event()
        self._is_due.set()

    def wake(self) -> None:
        """There may be something in the outbox."""
        self._is_due.set()

    async def run(self) -> None:
        """Runs until it is cancelled; what is in the outbox at the start is done first."""
        while True:
            await self._is_due.wait()
            self._is_due.clear()
            try:
                await self._empty()
            except TemporaryError as error:
                self._log.trouble(what="outbox", text=str(error))
                self._is_due.set()
                await asyncio.sleep(PAUSE)

    async def _empty(self) -> None:
        while entries := await self._outbox.outbox(BATCH):
            for entry in entries:
                await self._report(entry)
                await self._outbox.done(entry.id)

    async def _report(self, entry: OutboxEntry) -> None:
        through = reporter(entry, self._routing(), self._settings)
        if not is_wanted(entry.envelope, ACTIONS[entry.kind]) or is_report(entry.message):
            self._log.report_skipped(entry.message, account=entry.account, cause="nobody asked for it")
        elif through is None:
            self._log.report_skipped(entry.message, account=entry.account, cause="no account can send it now")
        else:
            await self._intake.put(write_report(entry, through, self._settings, randomness=self._randomness))
            self._log.reported(report_id(entry), about=entry.message, account=through.sender, reason=entry.reason)
