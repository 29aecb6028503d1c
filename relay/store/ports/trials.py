"""The trials' port: a mailbox tried by hand, outside the queue and inside every limit.

Law: a trial logs in and says MAIL like any attempt: its login, its session and its slots are counted, durably, before
they are used; a process that dies in the middle leaves them counted, until linger is over.
"""

from dataclasses import dataclass
from typing import Protocol

from relay.core.envelope import Result
from relay.core.words import AccountId, MailboxId


@dataclass(frozen=True, slots=True)
class Trial:
    """A session that may be opened now, for one account; its login is counted."""

    account: AccountId
    mailbox: MailboxId
    node: str
    is_new: bool
    """Nobody has tried this credential yet: it may be tried although a budget of logins is spent."""
    was_out_of_reach: bool = False
    """The mailbox, or its provider's host, could not be reached before: that it cannot be now is no news, and puts off
    nobody's next try."""


@dataclass(frozen=True, slots=True)
class NotNow:
    """Why a mailbox cannot be tried now."""

    reason: str
    """`limit`, `login`, `session`, `other-node`, `testing`, `no-credentials`, or the reply class that stops it or its
    provider."""
    until: int | None = None
    """Wall time in microseconds; None: nobody knows."""
    is_provider: bool = False


class Trials(Protocol):
    """What can be asked. UnknownAccount: the routing in force has no such account."""

    async def begin(self, account: AccountId, *, node: str) -> Trial | NotNow:
        """Reserves a session and a login, as `take` does; what became of them is reported to the sessions' port.

        Not while a limit has no room, a budget of logins is spent, its provider lets nobody in, or what its logins
        wait for has a time; a credential that was never tried is tried all the same, within the sessions allowed.
        """

    async def claim(self, trial: Trial) -> int | NotNow:
        """Takes a slot of every limit for its MAIL, as an attempt of no delivery; its number. Not while the mailbox was
        asked to send less.
        """

    async def end(self, attempt: int, result: Result) -> None:
        """The attempt is over: its slots count from now on, or return if MAIL was not written; health hears of it.

        `delivered` means here that MAIL and RCPT were taken: it ends a pause. Harmless when called twice.
        """
