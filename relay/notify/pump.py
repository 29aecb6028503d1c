"""The outbox pump: takes what follows from outcomes out of the outbox and does it.

Law: an entry is done only after what it asks for is durable; a crash in between does it again, which changes nothing.
It waits to be woken; only while a report waits for a way that is not broken it looks again now and then. A bounce that
cannot be told is said to whoever runs the relay.
"""

import asyncio
from collections.abc import Callable
from enum import Enum, auto

from relay.core.dsn import is_wanted
from relay.core.limits import MINUTE, SECOND
from relay.core.routing import Account, Routing
from relay.errors import StoreUnavailable, TemporaryError
from relay.notify.report import ACTIONS, ReportSettings, is_leaving, is_report, report_id, ways, write_report
from relay.observe import Log
from relay.store.ports import Intake, Outbox, OutboxEntry, OutboxKind

BATCH: int = 50
"""Entries read at once: their headers are in memory, 64 kB each at most."""

AGAIN: float = 300.0
"""Seconds until it looks again whether what waits for a way has one: what may open one wakes it at once."""

PAUSE: float = 30.0
"""Seconds before another try when the store takes nothing: a disk is not emptied within seconds."""

PAUSE_AWAY: float = 1.0
"""The same when the store is away: a report is mail, and leaves as soon as mail does."""

SECOND_AFTER: int = 2 * MINUTE
"""Between a report that was refused and the second one: in that time the bounce guard finds out what more refusals in
the same words mean, and takes the bounce back that is none. A doctor hears of a wrong address no later than that."""


class _Fate(Enum):
    """What becomes of an entry."""

    DONE = auto()
    """Nothing has to be done any more."""
    SENT = auto()
    """A report is on its way, and the store keeps the entry until it was taken, where that matters."""
    WAITS = auto()
    """For a way, or for its mail to leave after all."""
    LOST = auto()
    """Nobody can be told."""


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
        self._last_left: OutboxEntry | None = None
        """The newest of those that wait for a way; those before it are passed over until `look_again`."""
        self._look_at: float | None = None
        """When they are looked at again by itself, seconds of the loop."""
        self._is_due = asyncio.Event()
        self._is_due.set()

    def wake(self) -> None:
        """There may be something in the outbox."""
        self._is_due.set()

    def look_again(self) -> None:
        """What waits for a way may have one."""
        self._forget_left()
        self.wake()

    def _forget_left(self) -> None:
        self._last_left, self._look_at = None, None

    async def run(self) -> None:
        """Runs until it is cancelled; what is in the outbox at the start is done first."""
        while True:
            await self._rest()
            self._is_due.clear()
            try:
                await self._empty()
            except StoreUnavailable:
                self._is_due.set()
                await asyncio.sleep(PAUSE_AWAY)  # that it is away is said once for all
            except TemporaryError as error:
                self._log.trouble(what="outbox", text=str(error))
                self._is_due.set()
                await asyncio.sleep(PAUSE)

    async def _rest(self) -> None:
        """Until it is woken, or it is time to look again."""
        try:
            async with asyncio.timeout_at(self._look_at):
                await self._is_due.wait()
        except TimeoutError:
            self._forget_left()

    async def _empty(self) -> None:
        after = await self._begin()
        while entries := await self._outbox.outbox(BATCH, after):
            for entry in entries:
                after = entry.id
                await self._follow(entry, await self._do(entry))

    async def _follow(self, entry: OutboxEntry, fate: _Fate) -> None:
        if fate is _Fate.WAITS:
            self._leave(entry)
        elif fate is _Fate.LOST and entry.kind is OutboxKind.BOUNCE:
            await self._outbox.give_up(entry.id)
        elif fate is not _Fate.SENT:
            await self._outbox.done(entry.id)

    def _leave(self, entry: OutboxEntry) -> None:
        """It is looked at again."""
        self._last_left = entry
        rest = AGAIN if not _is_fresh(entry) else (_second_at(entry) - entry.now) / SECOND
        look_at = asyncio.get_running_loop().time() + rest
        self._look_at = look_at if self._look_at is None else min(look_at, self._look_at)

    async def _begin(self) -> int:
        """After which entry to look: numbers are used again, so the one that was left has to be there still."""
        left = self._last_left
        if left is None:
            return 0
        found = await self._outbox.outbox(1, left.id - 1)
        if found and (found[0].id, report_id(found[0])) == (left.id, report_id(left)):
            return left.id
        self._forget_left()
        return 0

    async def _do(self, entry: OutboxEntry) -> _Fate:
        if not is_wanted(entry.envelope, ACTIONS[entry.kind]) or is_report(entry.message):
            return self._skip(entry, "nobody asked for it", _Fate.DONE)
        accounts = ways(entry, self._routing(), self._settings)
        if not accounts:
            return self._skip(entry, "no account can send it now", _Fate.LOST)
        through = next((each for each in accounts if not self._is_stopped(each, entry)), None)
        if through is None and entry.now - (entry.refused_at or entry.at) > self._settings.patience:
            return self._skip(entry, "no account could send it in time", _Fate.LOST)
        if through is None or is_leaving(entry) or _is_fresh(entry):
            return _Fate.WAITS
        await self._intake.put(write_report(entry, through, self._settings, randomness=self._randomness))
        self._log.reported(report_id(entry), about=entry.message, account=through.sender, reason=entry.reason)
        return _Fate.SENT

    def _is_stopped(self, account: Account, entry: OutboxEntry) -> bool:
        """As it was when the entry was read, of its own account: its headers are there, or not, because of it."""
        return entry.is_mailbox_stopped if account.sender == entry.account else self._outbox.is_stopped(account.sender)

    def _skip(self, entry: OutboxEntry, cause: str, fate: _Fate) -> _Fate:
        self._log.report_skipped(entry.message, account=entry.account, cause=cause)
        return fate


def _second_at(entry: OutboxEntry) -> int:
    return (entry.refused_at or 0) + SECOND_AFTER


def _is_fresh(entry: OutboxEntry) -> bool:
    """Whether its first report was refused only just now."""
    return entry.refused_by is not None and entry.now < _second_at(entry)
