"""The upstream port: a provider as delivery sees it, so that real SMTP and the simulated world are interchangeable.

Law: a session is logged in as exactly one mailbox; after anything unexpected it is closed and never reused.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from relay.core.envelope import Envelope, LoginFailure, Result
from relay.core.words import MailboxId
from relay.errors import TemporaryError


@dataclass(eq=False)
class LoginFailed(TemporaryError):
    """a session with the provider could not be opened"""

    failure: LoginFailure


class Session(Protocol):
    """A logged-in connection to a provider."""

    @property
    def is_usable(self) -> bool:
        """Whether another message may be sent over it: nothing unexpected happened, the peer has not hung up."""

    @property
    def is_cut_off(self) -> bool:
        """Whether the peer hung up, or said what nobody had asked for."""

    async def transmit(self, envelope: Envelope, content: bytes, gate: Callable[[], Awaitable[bool]]) -> Result:
        """Sends one message to one recipient; asks the gate before the final dot. Never raises for what a peer does.

        A cancelled call leaves the session closed (reset, nothing more is sent).
        """

    async def close(self) -> None:
        """Says QUIT where that is possible and hangs up; harmless when called twice."""


class Upstream(Protocol):
    """Where sessions come from."""

    async def open(self, mailbox: MailboxId) -> Session:
        """Connects and logs in as this mailbox; LoginFailed says what was refused and by whom.

        StoreError: nobody was called, because the store did not say as whom.
        """

    async def knock(self, mailbox: MailboxId) -> None:
        """Connects as for this mailbox, says EHLO and QUIT, and logs nobody in; LoginFailed: it was not let so far."""
