"""What the clerk works with: the ports, the trials, the passwords, and how people here say a time.

Law: plain values, ports and callables; who makes them is no matter of his.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import tzinfo
from typing import Protocol

from relay.core.failuretext import Language
from relay.core.routing import Account, Routing
from relay.core.secretuse import Credential
from relay.core.tested import Tested
from relay.core.words import AccountId, MailboxId
from relay.errors import UnknownAccount
from relay.observe import Log, Metrics
from relay.store.ports.control import Control
from relay.store.ports.reading import Reading


class Trying(Protocol):
    """Who tries mailboxes."""

    async def test(self, account: AccountId, mailbox: MailboxId) -> Tested: ...


class WasSet(Protocol):
    """What became of a password."""

    @property
    def is_new(self) -> bool: ...


class Keeping(Protocol):
    """Who keeps passwords; a PermanentError of his says in a sentence why he does not."""

    async def set(self, account: AccountId, value: str, *, kind: Credential) -> WasSet: ...


@dataclass(frozen=True, slots=True)
class ClerkMeans:
    """What he works with."""

    routing: Callable[[], Routing]
    control: Control
    reading: Reading
    trying: Trying
    keeping: Keeping | None
    """None: passwords are kept elsewhere."""
    why_without: Callable[[MailboxId], Awaitable[str | None]]
    """Why a mailbox has nothing to log in with; None: it has."""
    contact: str
    log: Log
    metrics: Metrics
    language: Language
    zone: tzinfo
    wall: Callable[[], int]
    """Microseconds since 1970."""
    clock: Callable[[], float]
    """Seconds, never set back."""
    mended: Callable[[MailboxId], Awaitable[float]]
    """Lets go what an authorization server's failures keep from being asked; seconds until it may be all the same."""

    def account(self, sender: AccountId) -> Account:
        """The account of the routing in force. UnknownAccount."""
        account = self.routing().accounts.get(sender)
        if account is None:
            raise UnknownAccount
        return account
