"""The stop of the service: everything that runs is ended, in order.

Law: the listeners close, nothing new is taken, attempts finish or time out, leases go back, the store closes, and the
admin port closes last; what fails or hangs while it closes keeps nothing else open.
"""

import asyncio
from collections.abc import Awaitable
from typing import Any

from relay.admin import Part
from relay.app.means import Means
from relay.app.presence import Presence
from relay.app.running import Running
from relay.app.supervision import Supervisor
from relay.core.limits import SECOND
from relay.errors import RelayError, StoreUnavailable

CLOSING: float = 15.0
"""Seconds that a store or a server gets to close; one that hangs is left to the recovery of the next start."""

HELPERS = (
    "announcing",
    "scout",
    "routing",
    "other nodes",
    "certificates",
    "outbox",
    "notices",
    "terms",
    "pulse",
    "heartbeat",
    "watchdog",
)
"""What is ended when mail has stopped moving."""


class Stop:
    """Ends what runs, however far the start came."""

    def __init__(
        self,
        means: Means,
        running: Running,
        *,
        supervisor: Supervisor,
        presence: Presence,
        hurry: asyncio.Event,
    ) -> None:
        """`hurry` ends the drain; `presence` is told of a store that is away."""
        self._means = means
        self._running = running
        self._supervisor = supervisor
        self._presence = presence
        self._is_urgent = hurry

    async def run(self) -> int:
        """Ends everything in order; how many attempts were cut short."""
        running, supervisor = self._running, self._supervisor
        self._means.readiness.set(Part.SERVICE, "the relay is stopping")
        running.is_draining = True
        await self._drain()
        for what in HELPERS:
            await supervisor.cancel(what)
        if running.outcomes is not None:
            await self._bounded("outcomes", running.outcomes.close())
        running.is_stopped = True
        if running.announcer is not None:
            await running.announcer.announce()
        if running.storage is not None:
            await self._bounded("store", running.storage.close())
        if running.admin is not None:
            running.admin.close()
            await supervisor.until_done("admin", CLOSING)
        for bound in running.sockets:
            bound.close()
        return running.dispatcher.cut_short if running.dispatcher is not None else 0

    async def _drain(self) -> None:
        """Clients finish what they have begun, attempts end; what takes too long, or hinders a hurry, is cut."""
        running = self._running
        work: list[asyncio.Task[Any]] = []
        if running.announcer is not None:
            work.append(asyncio.create_task(running.announcer.announce()))
        if running.submission is not None:
            running.submission.stop_listening()
            work.append(asyncio.create_task(running.submission.drain()))
        if running.dispatcher is not None:
            work.append(asyncio.create_task(running.dispatcher.stop()))
        if running.tester is not None:
            work.append(asyncio.create_task(running.tester.stop()))
        if work:
            await self._until_drained(work)
        if running.submission is not None:
            await self._bounded("submission", running.submission.close())
        await self._supervisor.cancel("delivery")
        if running.tokens is not None:
            await self._bounded("tokens", running.tokens.close())

    async def _until_drained(self, work: list["asyncio.Task[Any]"]) -> None:
        hurried = asyncio.create_task(self._is_urgent.wait())
        drained = asyncio.create_task(asyncio.wait(work))
        longest = self._means.config.drain / SECOND + CLOSING
        await asyncio.wait({drained, hurried}, timeout=longest, return_when=asyncio.FIRST_COMPLETED)
        hurried.cancel()
        if not drained.done():
            await self._hurry(work)

    async def _hurry(self, work: list["asyncio.Task[Any]"]) -> None:
        """Whatever is under way is cut short; its results are still recorded."""
        if self._running.dispatcher is not None:
            self._running.dispatcher.hurry()
        if self._running.submission is not None:
            await self._bounded("submission", self._running.submission.close())
        _, late = await asyncio.wait(work, timeout=CLOSING)
        for task in late:
            task.cancel()

    async def _bounded(self, what: str, work: Awaitable[None]) -> None:
        """A part that fails or hangs while it closes is said; the others are closed all the same."""
        try:
            async with asyncio.timeout(CLOSING):
                await work
        except StoreUnavailable as error:
            self._presence.missed(error)
        except (RelayError, TimeoutError) as error:
            self._means.log.failed(what=f"closing {what}", error=error)
