"""The ports of OAuth2: where access tokens come from, and where the refresh tokens that they are made of are kept.

Law: a refresh token that the provider renewed is durable before anything rests on it, and one that somebody has set
meanwhile is never overwritten; no token shows in `repr` or in an error.
"""

from dataclasses import dataclass
from typing import Protocol

from relay.core.meaning import Fault, ReplyClass
from relay.core.words import MailboxId
from relay.errors import TemporaryError


@dataclass(eq=False)
class NoToken(TemporaryError):
    """there is no access token for this mailbox now"""

    meaning: ReplyClass = ReplyClass.AUTH_TEMPORARY
    """auth-temporary: it is tried again; auth-method: somebody has to act."""
    fault: Fault = Fault.NO_TOKEN
    is_provider: bool = False
    """It is not this mailbox's trouble, but that of all that log in at its provider."""

    def __post_init__(self) -> None:
        super().__init__(f"no access token: {self.fault}")


class TokenSource(Protocol):
    """Where a mailbox with `auth: oauth2` gets what it logs in with."""

    async def __call__(self, mailbox: MailboxId) -> str:
        """The access token that a mailbox logs in with now; NoToken when there is none."""

    def refused(self, mailbox: MailboxId, token: str) -> None:
        """The provider did not take this token: no login uses it again."""


class RefreshTokens(Protocol):
    """The refresh tokens, by mailbox. RelayError: the store cannot do this now, and nothing was changed."""

    async def get(self, mailbox: MailboxId) -> str | None:
        """The refresh token of a mailbox; None: nobody has connected it."""

    async def replace(self, mailbox: MailboxId, *, old: str, new: str) -> bool:
        """Puts `new` where `old` is, durably on return; False: another one is there, or none, and it stays so."""


class NoRefreshTokens:
    """Where nobody can connect a mailbox: there is none."""

    async def get(self, mailbox: MailboxId) -> str | None:
        """None."""
        return None

    async def replace(self, mailbox: MailboxId, *, old: str, new: str) -> bool:
        """False."""
        return False
