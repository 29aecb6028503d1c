"""The notices' port: concerns that have to be looked at, and what is on its way to the webhook of ops.

Law: what was said is written down before it is forgotten to whom; a crash in between says it again under the same id,
and nobody hears it twice who throws away what he knows. Durations are microseconds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from relay.core.concerns import Concern, ConcernKind, Subject
from relay.core.words import AccountId


@dataclass(frozen=True, slots=True)
class Heard:
    """An earlier stop of the same story, of which somebody was told and whose end nobody heard of yet."""

    reason: str | None
    accounts: tuple[AccountId, ...]
    """The senders concerned, of the routing in force."""
    since: int
    """Wall time."""


@dataclass(frozen=True, slots=True)
class DueConcern:
    """A concern that has to be looked at, with what a text about it needs."""

    concern: Concern
    """Its instants as the clock on the wall shows them."""
    told_at: int | None
    """When somebody was told last, wall time; None: nobody was."""
    words: int
    """How often that was."""
    now: int
    """Wall time of this look."""
    accounts: tuple[AccountId, ...]
    """The senders concerned, of the routing in force."""
    waiting: int
    """Their mails that wait or are held."""
    next_try: int | None
    """When it is tried next, wall time; None: not by itself."""
    is_ill: bool = False
    """Whether nothing goes there at this look, for this reason or any other."""
    heard: tuple[Heard, ...] = ()
    """Of what is over: whoever heard of these hears of this end, and of none besides."""


@dataclass(frozen=True, slots=True)
class DueTelling:
    """A notice for the webhook: as JSON, and how often it was tried."""

    id: int
    notice: str
    tries: int


@dataclass(frozen=True, slots=True)
class Unposted:
    """The notice that has waited longest for the webhook, and what its last try met; None: it was not tried."""

    notice: str
    error: str | None
    many: int = 1
    """How many wait, this one included."""


@dataclass(frozen=True, slots=True)
class Hearing:
    """Whether somebody heard of a concern; wall time."""

    last_at: int | None
    """When a letter of it went into the queue, or the webhook took a notice, the last time; None: neither ever."""
    next_at: int | None
    """When it is looked at next whether there is something to tell, or the webhook is tried again; None: never."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A notice that nobody took. `at`: when it was given up, wall time."""

    id: int
    notice: str
    tries: int
    error: str
    at: int


class Notices(Protocol):
    """Where the pump of notices gets its work."""

    async def due(self, most: int) -> Sequence[DueConcern]:
        """Concerns to be looked at now, the longest due first."""

    async def looked(self, concern: int, *, after: int | None) -> None:
        """Nothing was said of it; look again `after` so long, None: never."""

    async def said(self, due: DueConcern, *, after: int | None, notice: str | None) -> bool:
        """A word was said of it; look again `after` so long. `notice` goes to the webhook, in the same transaction.

        Of an end: those that it stands for (`heard`) are said with it. Of a stop: it stands for those before it now.

        False: that very word was said before, or one of its mails was refused meanwhile: it is due once more.
        """

    async def tellings(self, most: int) -> Sequence[DueTelling]:
        """Notices to be sent to the webhook now, the longest due first."""

    async def sent(self, telling: int) -> None:
        """It was taken."""

    async def later(self, telling: int, *, after: int, error: str) -> None:
        """It is to be tried again."""

    async def dead(self, telling: int, *, error: str) -> None:
        """It is given up, and shown as a dead letter."""

    async def unposted(self) -> Unposted | None:
        """What has waited longest for the webhook, due or not; None: nothing waits."""

    async def hurry(self) -> None:
        """The webhook takes notices again: all that wait for it are due now."""

    async def rest(self) -> int | None:
        """How long until something is due; 0: now; None: nothing is."""

    async def raise_concern(
        self,
        kind: ConcernKind,
        subject: Subject,
        *,
        reason: str | None = None,
        detail: Mapping[str, str] | None = None,
        again_after: int | None = None,
    ) -> bool:
        """Somebody has to know of something that did not happen in the store; True: it is new.

        `detail` names no recipient. What is told once is not told again within `again_after`; None: ever.
        """

    async def lower_concern(self, kind: ConcernKind, subject: Subject) -> bool:
        """It is over; False: none was open."""

    async def forget(self, concern: int) -> None:
        """It is over, and nobody hears of that: nothing was mended."""

    async def concerns(self, most: int, before: int | None = None) -> Sequence[Concern]:
        """Everything that is open, the newest first; `before` an id."""

    async def hearings(self, letters: Mapping[int, str]) -> Mapping[int, Hearing]:
        """Who heard of these concerns, each with what the ids of its letters begin with."""

    async def dead_letters(self, most: int, before: int | None = None) -> Sequence[DeadLetter]:
        """What was given up, the newest first; `before` an id."""

    async def revive(self, telling: int) -> bool:
        """Tries a dead letter once more; False: it is none."""
