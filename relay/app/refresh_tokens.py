"""The refresh tokens of mailboxes with OAuth2, as the store of secrets keeps them.

Law: a token goes only where the mailbox was when it was set, and one that cannot be renewed in its place is said to be
unsaved instead of being lost.
"""

from collections.abc import Callable

from relay.config.references import Resolve, Unresolved
from relay.core.routing import Routing, SecretKind, SecretReference
from relay.core.secretuse import mailbox_use
from relay.core.words import MailboxId
from relay.errors import TemporaryError
from relay.store.needs import Runner
from relay.store.ports.secrets import Secrets


class NotRenewable(TemporaryError):
    """the provider renews this refresh token, and only `secret:` can keep the new one"""


class StoredRefreshTokens:
    """The port `RefreshTokens`; `run` is where a file may be read."""

    def __init__(self, routing: Callable[[], Routing], resolve: Resolve, secrets: Secrets, *, run: Runner) -> None:
        self._routing = routing
        self._resolve = resolve
        self._secrets = secrets
        self._run = run

    async def get(self, mailbox: MailboxId) -> str | None:
        """The refresh token of a mailbox; None: nobody has connected it, or it belongs to another host."""
        routing, reference = self._routing(), self._reference(mailbox)
        if reference is None:
            return None
        use = mailbox_use(routing.provider_of(mailbox), mailbox.username)
        if reference.kind is SecretKind.FILE:
            found = await self._run(lambda: self._resolve(reference, use))
        else:
            found = self._resolve(reference, use)
        return None if isinstance(found, Unresolved) else found

    async def replace(self, mailbox: MailboxId, *, old: str, new: str) -> bool:
        """Puts `new` where `old` is, durably on return. NotRenewable: it is not kept in the store."""
        reference = self._reference(mailbox)
        if reference is None:
            return False
        if reference.kind is not SecretKind.STORED:
            raise NotRenewable
        return await self._secrets.replace(reference.value, old=old, new=new)

    def _reference(self, mailbox: MailboxId) -> SecretReference | None:
        routing = self._routing()
        return routing.password_of(mailbox) if mailbox in routing.by_mailbox else None
