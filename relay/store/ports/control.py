"""The control's port: what people say about accounts and their mailboxes.

Law: what a person said stays until a person takes it back, whatever the routing, a restart or a probe makes of it.
"""

from typing import Protocol

from relay.core.words import AccountId

ADMIN = "admin"
"""Who has the admin's token; more is not known of him."""


class Control(Protocol):
    """What can be said. UnknownAccount: the routing in force has no such account."""

    async def pause(self, account: AccountId, *, why: str, by: str = ADMIN) -> bool:
        """Keeps an account's mail back, and nobody else's in its mailbox; False: it was, and has a new `why`, where one
        is given.
        """

    async def resume(self, account: AccountId, *, by: str = ADMIN) -> bool:
        """Lets it go again; False: nobody had paused it."""

    async def fixed(self, account: AccountId, *, by: str = ADMIN) -> bool:
        """Somebody has mended its mailbox: it is tried at once, with one probe inside every limit, and what was held
        for what can be mended goes back to its place; False: nothing had stopped it.
        """

    async def note(self, account: AccountId, what: str, *, by: str = ADMIN) -> None:
        """Puts down what a person did to an account elsewhere, in one word: `password-set`."""
