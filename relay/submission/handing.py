"""Handing a message to the store, and what is done where the store does not say whether it has it.

Law: a client waits no longer than `patience`; a message of which nobody knows whether it is stored keeps its id, so
that the same one sent again is stored once, and one that was stored after all is remembered as not heard of.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any

from relay.core.envelope import NewMessage
from relay.errors import RelayError, StoreError, StoreSilent, StoreUnavailable
from relay.store.ports import Intake
from relay.store.ports.unheard import Sending
from relay.submission.promptly import late
from relay.submission.resubmission import Resubmissions, Told, UnderWay

PAUSES: tuple[float, ...] = (0.5, 1, *(2.0,) * 900)
"""Seconds between tries to remember who was told nothing: half an hour in all, for as long is it worth knowing. Never
long: when the store is back, its clients are too, and perhaps at another node. They are few, for a store that is known
to be away is not asked to take anything."""


class Handing:
    """Hands over; one for all connections. `patience` in seconds; None: as long as it takes."""

    def __init__(self, intake: Intake, resubmissions: Resubmissions, *, patience: float | None) -> None:
        self._intake = intake
        self._resubmissions = resubmissions
        self._patience = patience
        self._followed: dict[asyncio.Task[None], None] = {}

    async def put(self, message: NewMessage, sending: Sending, under_way: UnderWay) -> None:
        """Returns when it is safe. StoreFull, StoreUnavailable: it is not; StoreSilent: it may be all the same."""
        if self._patience is None:
            await self._put(message, sending)
            return
        putting = asyncio.create_task(self._put(message, sending))
        try:
            await asyncio.wait({putting}, timeout=self._patience)
        finally:
            if not putting.done():
                self._follow(putting, message, sending, under_way=under_way)
        if not putting.done():
            raise StoreSilent(late(self._patience))
        putting.result()

    async def _put(self, message: NewMessage, sending: Sending) -> None:
        try:
            await self._intake.put(message)
        except StoreUnavailable as error:
            if error.is_unknown:
                self._resubmissions.doubt(message.id, sending)
                self._start(self._make_known(Told(message.id, sending)))
            else:
                self._resubmissions.resolve(sending)
            raise
        except StoreError:
            self._resubmissions.resolve(sending)
            raise
        else:
            self._resubmissions.resolve(sending)

    def _follow(
        self, putting: "asyncio.Task[None]", message: NewMessage, sending: Sending, *, under_way: UnderWay
    ) -> None:
        """Its client is not waiting any more, or will not be told: what becomes of it is seen to all the same."""
        under_way.follow()
        self._resubmissions.doubt(message.id, sending)
        self._start(self._see_to(putting, message, sending, under_way=under_way))

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        following = asyncio.create_task(work)
        self._followed[following] = None
        following.add_done_callback(lambda done: self._followed.pop(done, None))

    async def _see_to(
        self, putting: "asyncio.Task[None]", message: NewMessage, sending: Sending, *, under_way: UnderWay
    ) -> None:
        await asyncio.wait({putting})
        is_stored = not putting.cancelled() and putting.exception() is None
        self._resubmissions.end(sending, under_way, message.id if is_stored else None)
        if not is_stored:
            return  # whoever asked was told so, and what is beyond repair ends the process by itself
        self._resubmissions.doubt(message.id, sending)
        await self._make_known(Told(message.id, sending))

    async def _make_known(self, told: Told) -> None:
        """When the store is back all nodes know whose client was told nothing, if it has the message."""
        for pause in PAUSES:
            if await self._is_known(told):
                break
            await asyncio.sleep(pause)

    async def _is_known(self, told: Told) -> bool:
        """Whether nothing is left to be said of it; what is beyond repair ends the process by itself."""
        try:
            await self._resubmissions.unheard(told)
        except StoreError:
            return False
        except RelayError:
            return True
        return True
