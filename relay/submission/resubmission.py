"""Who was accepted and cannot have read it, and sends the same again: he means the first message, not another one.

Law: nothing is written for a client that reads its answers; one that was gone when it was answered is remembered for
half an hour, and one that is still being answered is waited for. A message that may be stored keeps its id as long.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from relay.core.limits import SECOND
from relay.core.words import MessageId
from relay.errors import StoreError
from relay.store.ports.unheard import UNHEARD_FOR, Sending, Unheard
from relay.submission.promptly import promptly

DOUBTFUL: int = 10_000
"""Messages of which it is remembered that they may be stored: ten for each client of a full relay, of 1 kB each."""


@dataclass(frozen=True, slots=True)
class Told:
    """An acceptance that was said; `is_again`: not for the first time."""

    message: MessageId
    sending: Sending
    is_again: bool = False


@dataclass(slots=True)
class UnderWay:
    """A submission that is being stored."""

    has_left: Callable[[], bool]
    """Whether its client waits no more for the answer."""
    accepted: "asyncio.Future[MessageId | None]"
    """None: it was refused."""
    is_followed: bool = False
    """The store has not said what became of it, and its client is answered without it."""

    def follow(self) -> None:
        """Nobody waits for it any more."""
        self.is_followed, self.has_left = True, lambda: True


class Resubmissions:
    """Finds the first of two; one for all connections."""

    def __init__(self, unheard: Unheard | None, *, patience: float | None = None) -> None:
        """`patience`: seconds that a client waits for what the store knows of him; None: as long as it takes."""
        self._unheard = unheard
        self._patience = patience
        self._doubtful: dict[Sending, tuple[MessageId, float]] = {}
        self._under_way: dict[Sending, UnderWay] = {}

    async def first_of(self, sending: Sending) -> MessageId | None:
        """The message of the first time; None: this is the first, that one was heard, or failed. StoreError."""
        if not sending.is_named:
            return None
        before = self._under_way.get(sending)
        if before is not None and before.has_left():
            message = await promptly(asyncio.shield(before.accepted), self._patience)
            if message is not None:
                return message
        if self._unheard is None or not self._unheard.may_be(sending):
            return None
        return await promptly(self._unheard.first_of(sending), self._patience)

    def begin(self, sending: Sending, has_left: Callable[[], bool]) -> UnderWay:
        """It is being stored; to be ended."""
        under_way = UnderWay(has_left, asyncio.get_running_loop().create_future())
        self._under_way[sending] = under_way
        return under_way

    def end(self, sending: Sending, under_way: UnderWay, message: MessageId | None) -> None:
        """It is stored, or refused."""
        if not under_way.accepted.done():
            under_way.accepted.set_result(message)
        if self._under_way.get(sending) is under_way:
            del self._under_way[sending]

    # what may be stored

    def doubt(self, message: MessageId, sending: Sending) -> None:
        """It may be stored under this id, and its client was told to try again."""
        if sending.is_named:
            self._doubtful.pop(sending, None)
            self._doubtful[sending] = message, asyncio.get_running_loop().time() + UNHEARD_FOR / SECOND
            while len(self._doubtful) > DOUBTFUL:
                del self._doubtful[next(iter(self._doubtful))]

    def resolve(self, sending: Sending) -> None:
        """It is known what became of it."""
        self._doubtful.pop(sending, None)

    def id_of(self, sending: Sending) -> MessageId | None:
        """The id that the same had when it may have been stored; None: it has none yet."""
        message, until = self._doubtful.get(sending, (None, 0.0))
        return message if asyncio.get_running_loop().time() < until else None

    # what was told

    async def unheard(self, told: Told) -> None:
        """Its client left before it can have read the answer."""
        if self._unheard is not None and told.sending.is_named:
            await self._unheard.remember(told.message, told.sending)

    async def heard(self, told: Told) -> None:
        """Its client has read the answer: the same again is another message."""
        self.resolve(told.sending)
        if self._unheard is not None and told.is_again:
            await self._unheard.forget(told.message)


class Answers:
    """What one client was told and has not shown that it read."""

    def __init__(self, resubmissions: Resubmissions) -> None:
        self._resubmissions = resubmissions
        self._open: list[Told] = []

    def add(self, told: Told) -> None:
        """It is being told."""
        self._open.append(told)

    async def are_read(self) -> None:
        """The client said something after it: it reads."""
        while self._open:
            await self._do(self._resubmissions.heard, self._open.pop())

    async def are_unread(self) -> None:
        """The client is gone, and what it was told did not reach it."""
        while self._open:
            await self._do(self._resubmissions.unheard, self._open.pop())

    @property
    def has_any(self) -> bool:
        """Whether anything is open."""
        return bool(self._open)

    @staticmethod
    async def _do(what: Callable[[Told], Awaitable[None]], told: Told) -> None:
        """A store that is away now loses at most this: a second message where there might have been one."""
        try:
            await what(told)
        except StoreError:
            return
