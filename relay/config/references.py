"""Resolves references to secrets (`env:`, `file:`, `secret:`, literal) and fingerprints what a mailbox logs in with.

Law: a secret leaves here only as the return value of `resolve`; a failure says which reference and why, never a value.
"""

import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from relay.config.files import said
from relay.core.routing import Auth, OAuthClient, Provider, Routing, SecretKind, SecretReference
from relay.core.words import MailboxId

SECRET_BYTES: int = 65_536
"""The longest secret is a token or a key of some kB; a reference to a disk image must not be read."""


@dataclass(frozen=True, slots=True)
class Unresolved:
    """Why a reference gives no secret."""

    reason: str


Resolve = Callable[[SecretReference], str | Unresolved]


def nothing_stored(name: str) -> str | None:
    """The look-up of `secret:` as long as no store of secrets is handed in: nothing is there."""
    return None


class References:
    """Resolves references against an environment, the files and a store of secrets.

    Each call looks anew, but for the environment: a process keeps what it was started with.
    """

    def __init__(self, environ: Mapping[str, str], stored: Callable[[str], str | None] = nothing_stored) -> None:
        self._environ = dict(environ)
        self._stored = stored

    def __call__(self, reference: SecretReference) -> str | Unresolved:
        """The secret, or why there is none."""
        if reference.kind is SecretKind.LITERAL:
            return reference.value
        if reference.kind is SecretKind.FILE:
            return _from_file(reference)
        of_environment = reference.kind is SecretKind.ENV
        secret = self._environ.get(reference.value) if of_environment else self._stored(reference.value)
        if secret is None:
            return Unresolved(f"{reference} is not set" if of_environment else f"{reference} is not in the store")
        return secret or Unresolved(f"{reference} is empty")


def _from_file(reference: SecretReference) -> str | Unresolved:
    try:
        with Path(reference.value).open("rb") as file:
            content = file.read(SECRET_BYTES + 1)
        if len(content) > SECRET_BYTES:
            return Unresolved(f"{reference} is longer than {SECRET_BYTES // 1024} KiB")
        secret = content.decode().removesuffix("\n").removesuffix("\r")
    except OSError as error:
        return Unresolved(f"{reference} cannot be read: {said(error)}")
    except ValueError:
        return Unresolved(f"{reference} is not UTF-8 text")
    return secret or Unresolved(f"{reference} is empty")


@dataclass(frozen=True, slots=True)
class Fingerprinted:
    """A routing whose mailboxes were fingerprinted, and what was found."""

    routing: Routing
    found: Mapping[MailboxId, str | None]


STEADY = (SecretKind.LITERAL, SecretKind.ENV)
"""Secrets that stay what they are while routing and process do; a file or a store may have got another one."""


def fingerprints(
    routing: Routing, resolve: Resolve, key: bytes, *, last: Fingerprinted | None = None
) -> dict[MailboxId, str | None]:
    """Of each mailbox the keyed hash (HMAC-SHA-256, hex) of its route and credentials; None: it has no credentials.

    `last` are those of an earlier routing under the same key: what cannot have changed since is taken from there.
    """
    routes = {name: _route(provider, resolve) for name, provider in routing.providers.items()}
    found: dict[MailboxId, str | None] = {} if last is None else _known(last, routing, routes, resolve)
    for mailbox in routing.mailboxes():  # a hundred thousand of them: the loop does little
        if mailbox in found:
            continue
        route, has_password = routes[mailbox.provider]
        password = _password(routing, mailbox, resolve) if has_password else ""
        if isinstance(password, Unresolved):
            found[mailbox] = None
        else:
            found[mailbox] = hmac.digest(key, route + _told_apart(mailbox.username, password), "sha256").hex()
    return found


def _known(
    last: Fingerprinted, routing: Routing, routes: Mapping[str, tuple[bytes, bool]], resolve: Resolve
) -> dict[MailboxId, str | None]:
    """What was found last time of each mailbox that is the same, and whose secret cannot be another one."""
    providers = last.routing.providers
    steady = {name for name in routes if name in providers and _is_steady(routing.providers[name].oauth)}
    same = {name for name in steady if _route(providers[name], resolve) == routes[name]}
    unsteady = {
        account.mailbox
        for account in routing.accounts.values()
        if account.password is not None and account.password.kind not in STEADY
    }
    before = last.routing.by_mailbox
    return {
        mailbox: last.found[mailbox]
        for mailbox, accounts in routing.by_mailbox.items()
        if before.get(mailbox) == accounts and mailbox not in unsteady and mailbox.provider in same
    }


def _route(provider: Provider, resolve: Resolve) -> tuple[bytes, bool]:
    """What tells this way in from another, and whether one logs in there with a password.

    With OAuth2 the client is part of the way; refresh tokens are not, because providers renew them at every turn.
    """
    way = _told_apart(provider.endpoint, provider.tls, provider.auth)
    client = provider.oauth
    if provider.auth is Auth.OAUTH2 and client is not None:
        secret = None if client.client_secret is None else resolve(client.client_secret)
        way += _told_apart(client.client_id, client.token_url, client.scope, secret if isinstance(secret, str) else "")
    return way, provider.auth is Auth.PASSWORD


def _is_steady(client: OAuthClient | None) -> bool:
    return client is None or client.client_secret is None or client.client_secret.kind in STEADY


def _password(routing: Routing, mailbox: MailboxId, resolve: Resolve) -> str | Unresolved:
    reference = routing.password_of(mailbox)
    return Unresolved("no password") if reference is None else resolve(reference)


def _told_apart(*texts: str) -> bytes:
    """Texts behind each other, each with its length, so that no two lists of texts look alike."""
    return b"".join([len(octets).to_bytes(4, "big") + octets for octets in [text.encode() for text in texts]])
