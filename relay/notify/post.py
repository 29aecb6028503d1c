"""The post to the webhook of ops: one notice at a time, and what nobody takes is kept as a dead letter.

Law: a notice leaves the post only when it was taken or is shown as given up; its id never changes on the way.
"""

from collections.abc import Callable
from typing import Protocol

from relay.core.notice import Notice
from relay.core.notice_json import read_notice
from relay.core.telling import Reader
from relay.core.webhooks import Later, Outcome, Sent
from relay.observe import Told
from relay.store.ports.notices import DueTelling, Notices

UNREADABLE, NO_WEBHOOK = "unreadable", "no-webhook"
"""Why a notice was given up without being sent."""

COUNTED: int = 1000
"""Dead letters are counted up to here: whoever reads of a thousand has read enough."""


class Sends(Protocol):
    """Sends to the webhook."""

    async def send(self, notice: Notice, tries: int) -> Outcome: ...


class Observes(Protocol):
    """Hears what became of a notice."""

    def __call__(
        self, notice: Notice, told: Told, *, reader: Reader, letter: str | None = None, why: str | None = None
    ) -> None:
        """`letter`: the id of the mail; `why`: what was in the way, a word of a closed list."""


class Post:
    """Empties what waits for the webhook."""

    def __init__(
        self, notices: Notices, sender: Sends | None, *, observe: Observes, show_dead: Callable[[int], None]
    ) -> None:
        """`sender` None: there is no webhook. `show_dead` hears how many notices were given up."""
        self._notices = notices
        self._sender = sender
        self._observe = observe
        self._show_dead = show_dead

    @property
    def has_webhook(self) -> bool:
        """Whether ops have one."""
        return self._sender is not None

    async def turn(self) -> bool:
        """Sends what is due first; False: nothing is. A receiver that hangs holds up one notice and no mail."""
        waiting = await self._notices.tellings(1)
        for each in waiting:
            await self._send(each)
        return bool(waiting)

    async def count_dead(self) -> None:
        """Shows how many were given up, and are neither revived nor forgotten."""
        self._show_dead(len(await self._notices.dead_letters(COUNTED)))

    async def _send(self, waiting: DueTelling) -> None:
        try:
            notice = read_notice(waiting.notice)
        except ValueError:
            await self._notices.dead(waiting.id, error=UNREADABLE)
            return await self.count_dead()
        if self._sender is None:
            return await self._give_up(waiting, notice, NO_WEBHOOK)
        outcome = await self._sender.send(notice, waiting.tries + 1)
        if isinstance(outcome, Sent):
            await self._notices.sent(waiting.id)
            self._observe(notice, Told.POSTED, reader=Reader.OPS)
        elif isinstance(outcome, Later):
            await self._notices.later(waiting.id, after=outcome.after, error=outcome.reason)
            self._observe(notice, Told.DEFERRED, reader=Reader.OPS, why=outcome.reason)
        else:
            await self._give_up(waiting, notice, outcome.reason)
        return None

    async def _give_up(self, waiting: DueTelling, notice: Notice, why: str) -> None:
        await self._notices.dead(waiting.id, error=why)
        self._observe(notice, Told.DEAD, reader=Reader.OPS, why=why)
        await self.count_dead()
