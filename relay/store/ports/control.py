"""The control's port: what people say about accounts and their mailboxes.

Law: what a person said stays until a person takes it back, whatever the routing, a restart or a probe makes of it.
"""

from typing import Protocol

from relay.core.words import AccountId


class Control(Protocol):
    """What can be said. UnknownAccount: the routing in force has no such account."""

    async def pause(self, account: AccountId, *, why: str) -> bool:
        """Keeps an account's mail back, and nobody else's in its mailbox; False: it was, and has a new `why`."""

    async def resume(self, account: AccountId) -> bool:
        """Lets it go again; False: nobody had paused it."""
