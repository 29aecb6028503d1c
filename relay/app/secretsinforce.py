"""The secrets that the routing in force names: what a mailbox logs in with, or why it has nothing.

Law: each is looked up anew, for the one use that the routing has for it; another use is told that there is none.
"""

from collections.abc import Callable

from relay.app.complaints import is_stored
from relay.config.references import Cause, Resolve, Unresolved
from relay.core.routing import Auth, Routing, SecretReference
from relay.core.secretuse import OWN, SecretUse, mailbox_use, users_of, uses_of
from relay.core.words import MailboxId
from relay.store.needs import Runner


class SecretsInForce:
    """Looks them up."""

    def __init__(self, routing: Callable[[], Routing], resolve: Resolve, *, run: Runner) -> None:
        """`routing` is the one in force; `resolve` blocks for a file; `run` is where what takes long is done."""
        self._routing = routing
        self._resolve = resolve
        self._run = run

    def resolved(self, reference: SecretReference, use: SecretUse = OWN) -> str | None:
        """A secret for one use; None: there is none, or it is for another."""
        return _or_none(self._resolve(reference, use))

    def of(self, mailbox: MailboxId) -> str | None:
        """What this mailbox logs in with: a login is rare, and a password file may have changed."""
        return _or_none(self._of(mailbox))

    def why_without(self, mailbox: MailboxId) -> str | None:
        """Why a mailbox has nothing to log in with, in one sentence; None: it has, or needs nothing."""
        routing = self._routing()
        provider = routing.providers.get(mailbox.provider)
        if provider is None or provider.auth is Auth.NONE:
            return None
        secret = self._of(mailbox)
        if not isinstance(secret, Unresolved):
            return None
        is_unset = is_stored(routing.password_of(mailbox)) and secret.cause is Cause.MISSING
        return f"{secret.reason}: set it (relay account set-password)" if is_unset else secret.reason

    async def use_of(self, name: str) -> SecretUse | None:
        """What a stored secret is used for; None: for nothing."""
        routing = self._routing()
        return await self._run(lambda: uses_of(routing).get(name))

    async def users_of(self, name: str) -> list[str]:
        """Who uses a stored secret: senders, and keys of the routing."""
        routing = self._routing()
        return await self._run(lambda: users_of(routing, name))

    def _of(self, mailbox: MailboxId) -> str | Unresolved:
        routing = self._routing()
        reference, provider = routing.password_of(mailbox), routing.providers.get(mailbox.provider)
        if reference is None or provider is None:
            return Unresolved("the routing names no password for it")
        return self._resolve(reference, mailbox_use(provider, mailbox.username))


def _or_none(secret: str | Unresolved) -> str | None:
    return None if isinstance(secret, Unresolved) else secret
