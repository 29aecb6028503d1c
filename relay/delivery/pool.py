"""The sessions that a node has with providers: who is idle, who waits for a place, how many there may be.

Law: a session belongs to one mailbox; no provider takes more than half of what the others leave free of this node's
sessions. It decides and counts, and never opens, closes or waits.
"""

from asyncio import Event, TimerHandle
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from relay.core.words import MailboxId
from relay.delivery.upstream import Session


@dataclass(eq=False, slots=True)
class OpenSession:
    """One session and what it has done so far."""

    mailbox: MailboxId
    session: Session = field(repr=False)
    opened_at: float = 0.0
    """By the loop's clock."""
    messages: int = 0
    is_spoilt: bool = False
    """Something went wrong on our side in the middle of it."""
    is_leaving: bool = False
    """It was idle and is being closed: its place comes back soon."""
    timer: TimerHandle | None = None
    opening: Event = field(default_factory=Event, repr=False)
    """Set when the store knows that it was opened: until then nobody may report its end."""

    @property
    def is_usable(self) -> bool:
        """Whether another message may be sent over it."""
        return not self.is_spoilt and self.session.is_usable

    def stop_timer(self) -> None:
        """It is not idle any more."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None


class Pool:
    """All sessions of this node, at most `most`."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._held: dict[str, int] = {}
        self._total = 0
        self._idle: dict[MailboxId, list[OpenSession]] = {}
        self._waiting: deque[MailboxId] = deque()
        self._leaving = 0

    @property
    def total(self) -> int:
        """Sessions that are open or being opened."""
        return self._total

    # ---------------------------------------------------------------------------------------------------- idle ones
    def idle_counts(self) -> dict[MailboxId, int]:
        """How many idle sessions each mailbox has."""
        return {mailbox: len(sessions) for mailbox, sessions in self._idle.items()}

    @property
    def idle_mailboxes(self) -> int:
        """How many mailboxes have idle sessions."""
        return len(self._idle)

    def idle(self) -> Iterator[OpenSession]:
        """The idle sessions; those of the mailbox that has been idle longest first."""
        for sessions in list(self._idle.values()):
            yield from list(sessions)

    def is_idle(self, opened: OpenSession) -> bool:
        """Whether it is one of the idle ones."""
        return opened in self._idle.get(opened.mailbox, ())

    def offer(self, opened: OpenSession) -> None:
        """A session became idle."""
        self._idle.setdefault(opened.mailbox, []).append(opened)

    def pick(self, mailbox: MailboxId) -> OpenSession | None:
        """An idle session of this mailbox, the one used last, so that the others may end by idleness."""
        sessions = self._idle.get(mailbox)
        if not sessions:
            return None
        opened = sessions[-1]
        self.withdraw(opened)
        return opened

    def oldest_idle(self, mailbox: MailboxId, many: int) -> list[OpenSession]:
        """Idle sessions of this mailbox, those first that were used longest ago."""
        return self._idle.get(mailbox, [])[:many]

    def withdraw(self, opened: OpenSession) -> bool:
        """Takes a session out of the idle ones; False: it was not idle."""
        sessions = self._idle.get(opened.mailbox, [])
        if opened not in sessions:
            return False
        opened.stop_timer()
        sessions.remove(opened)
        if not sessions:
            del self._idle[opened.mailbox]
        return True

    # ------------------------------------------------------------------------------------------------------- places
    def want(self, mailbox: MailboxId, many: int = 1) -> None:
        """Sessions have to be opened; each waits until there is a place."""
        self._waiting.extend([mailbox] * many)

    def next_to_open(self) -> MailboxId | None:
        """The first that waits and has a place, which it takes by this; None: nobody has one."""
        for index, mailbox in enumerate(self._waiting):
            if self._has_place(mailbox.provider):
                del self._waiting[index]
                self._held[mailbox.provider] = self._held.get(mailbox.provider, 0) + 1
                self._total += 1
                return mailbox
        return None

    def leave(self, opened: OpenSession) -> bool:
        """Takes an idle session out to be closed; False: it was not idle."""
        opened.is_leaving = self.withdraw(opened)
        self._leaving += opened.is_leaving
        return opened.is_leaving

    def free(self, mailbox: MailboxId, opened: OpenSession | None = None) -> None:
        """A session is gone, or was not opened: its place is free."""
        if opened is not None and opened.is_leaving:
            self._leaving -= 1
        self._total -= 1
        self._held[mailbox.provider] -= 1
        if not self._held[mailbox.provider]:
            del self._held[mailbox.provider]

    def give_up_waiting(self) -> list[MailboxId]:
        """Those who still wait, who will not be opened any more."""
        waiting = list(self._waiting)
        self._waiting.clear()
        return waiting

    def in_the_way(self) -> list[OpenSession]:
        """Idle sessions whose place somebody waits for: of his own provider, or any where all places are taken."""
        chosen: list[OpenSession] = []
        wanted = list(self._waiting)[self._leaving :]
        for mailbox in wanted:
            opened = next((idle for idle in self.idle() if idle not in chosen and self._blocks(idle, mailbox)), None)
            if opened is not None:
                chosen.append(opened)
        return chosen

    def _blocks(self, opened: OpenSession, mailbox: MailboxId) -> bool:
        return self._total >= self._most or opened.mailbox.provider == mailbox.provider

    def _has_place(self, provider: str) -> bool:
        if self._total >= self._most:
            return False
        held = self._held.get(provider, 0)
        return held < max(1, (self._most - (self._total - held)) // 2)
