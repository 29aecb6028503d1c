"""The clerk, who does what admins say about accounts, as the HTTP side sees him.

Law: every answer is a sentence for whoever asked; no secret goes into an answer, an error or a log.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from relay.core.secretuse import Credential
from relay.core.tested import Tested
from relay.core.words import AccountId
from relay.errors import PermanentError


class Impossible(PermanentError):
    """it cannot be done as things are"""


@dataclass(frozen=True, slots=True)
class Done:
    """What was done, in a sentence; not `is_changed`: it was so already."""

    account: AccountId
    is_changed: bool
    text: str


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of a trial, in a sentence."""

    tested: Tested
    text: str


@dataclass(frozen=True, slots=True)
class Kept:
    """A password that was set; `tried` None: it was not known in time whether it works."""

    done: Done
    tried: Tried | None


@dataclass(frozen=True, slots=True)
class Access:
    """How an account's mailbox comes by what it logs in with."""

    is_kept_here: bool = False
    """The routing names a `secret:` for it: whoever is told a password sets it."""
    without: str | None = None
    """Why it has nothing to log in with, in one sentence; None: it has, or needs nothing."""
    contact: str = ""
    """Whom a doctor calls; empty: nobody says."""
    steps: Mapping[str, str] = field(default_factory=dict)
    """By reason: what the owner does at this very provider, in the relay's language; empty: it has no profile."""


class Clerk(Protocol):
    """What he can be told. UnknownAccount: the routing in force has no such account."""

    def find(self, address: str) -> AccountId | None:
        """The account that sends as this address, in any case of its letters."""

    def like(self, address: str) -> str | None:
        """An address that was perhaps meant; None: there is none like it."""

    async def access(self, account: AccountId) -> Access:
        """How its mailbox comes by what it logs in with; of an account that is gone: nothing is known."""

    async def pause(self, account: AccountId, *, why: str, by: str) -> Done:
        """Keeps its mail back; that of its mailbox's other accounts goes on."""

    async def resume(self, account: AccountId, *, by: str) -> Done:
        """Lets it go again."""

    async def fixed(self, account: AccountId, *, by: str) -> Done:
        """Somebody says that its mailbox is mended: it is tried at once."""

    async def test(self, account: AccountId, *, by: str) -> Tried:
        """Logs in now, and says MAIL and RCPT with its own address."""

    async def set_secret(self, account: AccountId, value: str, *, kind: Credential, by: str) -> Kept:
        """Keeps what its mailbox logs in with, and tries it. Impossible: it is not kept here, or cannot be one."""
