"""What delivery tells about itself; whoever counts and logs fulfils it.

Law: every call is cheap, and none of them may fail: what is told is never what is done.
"""

from typing import Protocol

from relay.core.envelope import Claim, LoginFailure, Result
from relay.core.words import MailboxId


class Observer(Protocol):
    """One method per event; `seconds` on the loop's clock."""

    def attempted(self, claim: Claim, result: Result, *, seconds: float, is_recorded: bool) -> None:
        """An attempt ended, and `result` has what became of the delivery; not recorded: it came too late, another node
        has it.
        """

    def session_opened(self, mailbox: MailboxId, *, seconds: float) -> None:
        """A login worked."""

    def session_closed(self, mailbox: MailboxId, *, messages: int) -> None:
        """A session ended after so many messages."""

    def login_failed(self, mailbox: MailboxId, failure: LoginFailure) -> None:
        """A session could not be opened."""

    def claim_lost(self, claim: Claim) -> None:
        """The store says that a claim is no longer this node's."""

    def store_failed(self, operation: str, error: Exception) -> None:
        """The store could not do this; it is tried again."""

    def broken(self, what: str, error: Exception, claim: Claim | None = None) -> None:
        """Something failed in a way that nobody foresaw; a claim concerned is deferred or in doubt."""
