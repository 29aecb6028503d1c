"""How many sessions each mailbox has: what the store must still know after a failed commit made it load again.

Law: what a failed transaction said of sessions was not said.
"""

from collections.abc import Iterator
from typing import NamedTuple

from relay.core.words import MailboxId


class Sessions(NamedTuple):
    """Sessions of a mailbox, and how many of them are not open yet."""

    sessions: int
    opening: int


class SessionBook:
    """Lives as long as the process; no table keeps it, for no session survives the process."""

    def __init__(self) -> None:
        self._settled: dict[MailboxId, Sessions] = {}
        self._fresh: list[tuple[MailboxId, int, int]] = []

    def change(self, mailbox: MailboxId, sessions: int, opening: int) -> None:
        """This transaction changes the counts by so many."""
        self._fresh.append((mailbox, sessions, opening))

    def keep(self) -> None:
        """The transaction is durable."""
        for mailbox, sessions, opening in self._fresh:
            known = self._settled.get(mailbox, Sessions(0, 0))
            changed = Sessions(known.sessions + sessions, known.opening + opening)
            if changed == (0, 0):
                self._settled.pop(mailbox, None)
            else:
                self._settled[mailbox] = changed
        self._fresh.clear()

    def drop(self) -> None:
        """The transaction failed."""
        self._fresh.clear()

    def __iter__(self) -> Iterator[tuple[MailboxId, Sessions]]:
        return iter(list(self._settled.items()))
