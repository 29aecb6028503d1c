"""What is said of secrets that are not there: of who hands in mail, of clients of OAuth2, of mailboxes kept back.

Law: each is said when it comes to be so, with the reason and what to do, and never with a value.
"""

from collections.abc import Callable
from itertools import islice

from relay.admin import Readiness
from relay.config.references import Resolve, Unresolved
from relay.core.meaning import Fault
from relay.core.nodesecrets import Prints
from relay.core.routing import Auth, Routing, SecretKind, SecretReference
from relay.core.secretuse import oauth_use
from relay.core.words import MailboxId
from relay.observe import Log
from relay.store.needs import Runner

SHOWN: int = 20
"""Mailboxes that are named at once, and senders of one; the API lists all."""


CLIENTS = "routing-clients"
"""What readiness calls passwords of `clients:` that are not here: this node tells those who use them to come again."""


class Complaints:
    """Says them."""

    def __init__(self, log: Log, resolve: Resolve, run: Runner, *, readiness: Readiness, takes_mail: bool) -> None:
        """`run` is where secrets are looked for; where no mail is taken no client logs in."""
        self._log = log
        self._readiness = readiness
        self._takes_mail = takes_mail
        self._told = ""
        self._resolve = resolve
        self._run = run
        self._lacking: frozenset[str] = frozenset()
        """Providers whose OAuth2 client has a secret that is not there."""

    async def say_who_cannot_log_in(self, routing: Routing) -> None:
        """Clients that hand in mail and whose password is not on this node, whatever others have."""
        if not self._takes_mail:
            return
        text = await self._run(lambda: _without_password(routing, self._resolve))
        if not text:
            if self._readiness.clear(CLIENTS):
                self._log.recovered_from(what=CLIENTS)
        else:
            self._readiness.set(CLIENTS, text)
            if text != self._told:
                self._log.trouble(what=CLIENTS, text=text)
        self._told = text

    async def say_which_clients_lack(self, routing: Routing) -> None:
        """Providers whose OAuth2 client has a secret that is not there: said once, and when it is."""
        lacking = await self._run(lambda: lacking_clients(routing, self._resolve))
        for name in lacking.keys() - self._lacking:
            self._log.trouble(what=f"{Fault.OAUTH_SECRET}: {name}", text=lacking[name])
        for name in self._lacking - lacking.keys():
            self._log.recovered_from(what=f"{Fault.OAUTH_SECRET}: {name}")
        self._lacking = frozenset(lacking)

    def say_what_is_kept_back(
        self, routing: Routing, prints: Prints, before: Prints, why: Callable[[MailboxId], str | None]
    ) -> None:
        """Mailboxes that have lost, or never had, what the store should give them: why, and what to do."""
        lost = (box for box, value in prints.items() if value is None and before.get(box, "") is not None)
        for mailbox in islice((box for box in lost if is_stored(routing.password_of(box))), SHOWN):
            senders = ", ".join(account.sender for account in routing.by_mailbox[mailbox][:SHOWN])
            self._log.trouble(what=f"no-credentials: {senders}", text=str(why(mailbox)))


def _without_password(routing: Routing, resolve: Resolve) -> str:
    """Whose, and why; empty: all are here."""
    found = {each.name: resolve(each.password) for each in routing.clients.values() if each.password is not None}
    lacking = [f"{name}: {secret.reason}" for name, secret in found.items() if isinstance(secret, Unresolved)]
    if not lacking:
        return ""
    more = f" (and {len(lacking) - SHOWN} more)" if len(lacking) > SHOWN else ""
    return f"{len(lacking)} clients cannot log in here, their password is missing: {'; '.join(lacking[:SHOWN])}{more}"


def lacking_clients(routing: Routing, resolve: Resolve) -> dict[str, str]:
    """Why the secrets of OAuth2 clients are not there, by provider."""
    clients = {each.name: each.oauth for each in routing.providers.values() if each.auth is Auth.OAUTH2}
    named = {name: client for name, client in clients.items() if client is not None}
    found = {
        name: resolve(client.client_secret, oauth_use(client))
        for name, client in named.items()
        if client.client_secret is not None
    }
    return {name: secret.reason for name, secret in found.items() if isinstance(secret, Unresolved)}


def is_stored(reference: SecretReference | None) -> bool:
    """Whether the store of secrets has it."""
    return reference is not None and reference.kind is SecretKind.STORED
