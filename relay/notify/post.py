"""The post to the webhook of ops: one notice at a time, and what nobody takes is kept as a dead letter.

Law: a notice leaves the post only when it was taken or is shown as given up; its id never changes on the way.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from relay.core.circle import Reader
from relay.core.notice import Notice
from relay.core.notice_json import read_notice
from relay.core.webhooks import Later, Outcome, Sent
from relay.observe import Told
from relay.store.ports.notices import DueTelling, Notices

UNREADABLE, NO_WEBHOOK = "unreadable", "no-webhook"
"""Why a notice was given up without being sent."""

COUNTED: int = 1000
"""Dead letters are counted up to here: whoever reads of a thousand has read enough."""


@dataclass(frozen=True, slots=True)
class Backlog:
    """What of the post has not gone out."""

    dead: int = 0
    """Notices that were given up, and are neither revived nor forgotten; at most `COUNTED`."""
    waits_since: int | None = None
    """When what the notice that has waited longest tells of was noticed (wall time, microseconds); None: none waits."""
    error: str | None = None
    """What its last try met, a word or a status."""


ShowsBacklog = Callable[[Backlog], None]


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

    def __init__(self, notices: Notices, sender: Sends | None, *, observe: Observes, show: ShowsBacklog) -> None:
        """`sender` None: there is no webhook. `show` hears what has not gone out."""
        self._notices = notices
        self._sender = sender
        self._observe = observe
        self._show = show
        self._has_failed = True
        """Something may wait for another try; what waited before a start is not known here."""
        self._put_off: set[int] = set()
        """Notices that the webhook did not take at their last try."""

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

    async def count(self) -> None:
        """Shows what was given up, and what has waited longest."""
        dead, oldest = len(await self._notices.dead_letters(COUNTED)), await self._notices.unposted()
        self._show(Backlog(dead) if oldest is None else Backlog(dead, _noticed(oldest.notice), oldest.error))

    async def _send(self, waiting: DueTelling) -> None:
        try:
            notice = read_notice(waiting.notice)
        except ValueError:
            await self._notices.dead(waiting.id, error=UNREADABLE)
            return await self.count()
        if self._sender is None:
            return await self._give_up(waiting, notice, NO_WEBHOOK)
        outcome = await self._sender.send(notice, waiting.tries + 1)
        if isinstance(outcome, Sent):
            await self._notices.sent(waiting.id)
            self._observe(notice, Told.POSTED, reader=Reader.OPS)
            await self._heal(waiting.id)
        elif isinstance(outcome, Later):
            await self._notices.later(waiting.id, after=outcome.after, error=outcome.reason)
            self._observe(notice, Told.DEFERRED, reader=Reader.OPS, why=outcome.reason)
            self._has_failed = self._has_failed or waiting.id not in self._put_off
            self._put_off.add(waiting.id)
            await self.count()
        else:
            await self._give_up(waiting, notice, outcome.reason)
        return None

    async def _heal(self, telling: int) -> None:
        """It takes notices again: whatever waits for another try gets it now, and not in a day.

        A notice that is refused alone, while others are taken, brings this about once: its tries are not used up by it.
        """
        self._put_off.discard(telling)
        if self._has_failed:
            self._has_failed = False
            await self._notices.hurry()

    async def _give_up(self, waiting: DueTelling, notice: Notice, why: str) -> None:
        await self._notices.dead(waiting.id, error=why)
        self._observe(notice, Told.DEAD, reader=Reader.OPS, why=why)
        self._put_off.discard(waiting.id)
        await self.count()


def _noticed(notice: str) -> int | None:
    try:
        return read_notice(notice).at
    except ValueError:
        return None  # it is a dead letter at its turn
