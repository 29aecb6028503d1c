"""The sessions' port: logins and sessions upstream, counted over all nodes.

Law: every session that `take` named in `open` is reported on exactly once as opened, refused, declined or, where only
a knock was wanted, knocked, and every opened one exactly once as closed or lost.
"""

from enum import StrEnum
from typing import Protocol

from relay.core.envelope import LoginFailure
from relay.core.words import MailboxId


class SessionEvent(StrEnum):
    """What became of a session."""

    OPENED = "opened"
    DECLINED = "declined"
    """It was never tried: the reservation of session and login is given back."""
    KNOCKED = "knocked"
    """The host answered EHLO on a connection on which nobody logged in: it takes this machine's address again."""
    CLOSED = "closed"
    LOST = "lost"
    """An opened one was hung up on before it served anything: it is closed, and its mailbox backs off."""


class Sessions(Protocol):
    """What delivery reports on its sessions."""

    async def session(self, mailbox: MailboxId, event: SessionEvent) -> None:
        """A session was opened (a login worked), declined or closed."""

    async def refused(self, mailbox: MailboxId, failure: LoginFailure) -> None:
        """A session could not be opened: backs off or stops the mailbox, or its provider; spends no retry of a message.

        The login counts if credentials were sent. A provider whose host fails is tried by one session at a time, at the
        times of its health; sessions that are open go on.
        """
