"""Resolves references to secrets (`env:`, `file:`, `secret:`, literal) and fingerprints what a mailbox logs in with.

Law: a secret leaves here only as the return value of `resolve`; a failure says which reference and why, never a value.
"""

import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol, TypeGuard

from relay.config.files import said
from relay.core.routing import Auth, OAuthClient, Provider, Routing, SecretKind, SecretReference
from relay.core.secretuse import OWN, SecretUse, mailbox_use, oauth_use
from relay.core.words import MailboxId

SECRET_BYTES: int = 65_536
"""The longest secret is a token or a key of some kB; a reference to a disk image must not be read."""


class Cause(StrEnum):
    """What kind of reason it is."""

    MISSING = "missing"
    KEPT_BACK = "kept-back"
    """It is there, for another use."""
    UNSEEN = "unseen"
    """It may be there; that cannot be seen from here."""


@dataclass(frozen=True, slots=True)
class Unresolved:
    """Why a reference gives no secret."""

    reason: str
    cause: Cause = Cause.MISSING


def is_missing(outcome: object) -> TypeGuard[Unresolved]:
    """Whether there is certainly no secret."""
    return isinstance(outcome, Unresolved) and outcome.cause is Cause.MISSING


class Resolve(Protocol):
    """Finds a secret for one use; without a use, for one in which it does not leave the relay."""

    def __call__(self, reference: SecretReference, use: SecretUse = OWN, /) -> str | Unresolved: ...


Stored = Callable[[str, SecretUse], str | Unresolved | None]
"""Looks up what `secret:` names, for one use."""


def nothing_stored(name: str, use: SecretUse) -> str | Unresolved | None:
    """Of a store that was never made: nothing is there."""
    return None


def nothing_seen(name: str, use: SecretUse) -> str | Unresolved | None:
    """Of a store that somebody else has open: whatever is asked for may be there."""
    return Unresolved(f"secret:{name} is looked up when the relay runs", Cause.UNSEEN)


class References:
    """Resolves references against an environment, the files and a store of secrets.

    Each call looks anew, but for the environment: a process keeps what it was started with.
    """

    def __init__(self, environ: Mapping[str, str], stored: Stored = nothing_stored) -> None:
        self._environ = dict(environ)
        self._stored = stored

    def __call__(self, reference: SecretReference, use: SecretUse = OWN, /) -> str | Unresolved:
        """The secret, or why there is none."""
        if reference.kind is SecretKind.LITERAL:
            return reference.value
        if reference.kind is SecretKind.FILE:
            return _from_file(reference)
        of_environment = reference.kind is SecretKind.ENV
        secret = self._environ.get(reference.value) if of_environment else self._stored(reference.value, use)
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
    mark: int = 0
    """How much had changed in the store of secrets before."""


class Shelf(Protocol):
    """What the store of secrets says beside their values."""

    def origin_of(self, name: str) -> str:
        """Another one as soon as somebody has set another token, and not when a provider has renewed it."""

    def has_changed(self, name: str, since: int, /) -> bool:
        """Whether a secret may be another one than it was at that mark."""


STEADY = (SecretKind.LITERAL, SecretKind.ENV)
"""Secrets that stay what they are while routing and process do; a file or a store may have got another one."""


def fingerprints(
    routing: Routing, resolve: Resolve, key: bytes, *, last: Fingerprinted | None = None, shelf: Shelf | None = None
) -> dict[MailboxId, str | None]:
    """Of each mailbox the keyed hash (HMAC-SHA-256, hex) of its route and credentials; None: it has no credentials.

    `last` are those of an earlier routing under the same key: what cannot have changed since is taken from there, and
    what the `shelf` says has not.
    """
    routes = {name: _route(provider, resolve) for name, provider in routing.providers.items()}
    found: dict[MailboxId, str | None] = {} if last is None else _known(last, routing, routes, resolve, shelf)
    for mailbox in routing.mailboxes():  # a hundred thousand of them: the loop does little
        if mailbox in found:
            continue
        route, has_password = routes[mailbox.provider]
        look = _password if has_password else _token
        password = look(routing, mailbox, resolve, shelf)
        if isinstance(password, Unresolved):
            found[mailbox] = None
        else:
            found[mailbox] = hmac.digest(key, route + _told_apart(mailbox.username, password), "sha256").hex()
    return found


def _known(
    last: Fingerprinted,
    routing: Routing,
    routes: Mapping[str, tuple[bytes, bool]],
    resolve: Resolve,
    shelf: Shelf | None,
) -> dict[MailboxId, str | None]:
    """What was found last time of each mailbox that is the same, and whose secret cannot be another one."""
    providers = last.routing.providers
    steady = {name for name in routes if name in providers and _is_steady(routing.providers[name].oauth, last, shelf)}
    same = {name for name in steady if _route(providers[name], resolve) == routes[name]}
    unsteady = {
        account.mailbox
        for account in routing.accounts.values()
        if account.password is not None
        and account.password.kind not in STEADY
        and _may_differ(account.password, last.mark, shelf)
    }
    before = last.routing.by_mailbox
    return {
        mailbox: last.found[mailbox]
        for mailbox, accounts in routing.by_mailbox.items()
        if before.get(mailbox) == accounts and mailbox not in unsteady and mailbox.provider in same
    }


def _may_differ(reference: SecretReference, since: int, shelf: Shelf | None) -> bool:
    """Whether a secret that is not steady may be another one by now."""
    return reference.kind is not SecretKind.STORED or shelf is None or shelf.has_changed(reference.value, since)


def _route(provider: Provider, resolve: Resolve) -> tuple[bytes, bool]:
    """What tells this way in from another, and whether one logs in there with a password.

    With OAuth2 the client is part of the way; refresh tokens are not, because providers renew them at every turn.
    """
    way = _told_apart(provider.endpoint, provider.tls, provider.auth, *filter(None, [provider.tls_ca]))
    client = provider.oauth
    if provider.auth is Auth.OAUTH2 and client is not None:
        secret = None if client.client_secret is None else resolve(client.client_secret, oauth_use(client))
        way += _told_apart(client.client_id, client.token_url, client.scope, secret if isinstance(secret, str) else "")
    return way, provider.auth is Auth.PASSWORD


def _is_steady(client: OAuthClient | None, last: Fingerprinted, shelf: Shelf | None) -> bool:
    """Whether the secret of a client, if it has one, is what it was."""
    secret = None if client is None else client.client_secret
    return secret is None or secret.kind in STEADY or not _may_differ(secret, last.mark, shelf)


def _password(routing: Routing, mailbox: MailboxId, resolve: Resolve, _: Shelf | None) -> str | Unresolved:
    reference = routing.password_of(mailbox)
    if reference is None:
        return Unresolved("no password")
    return resolve(reference, mailbox_use(routing.provider_of(mailbox), mailbox.username))


def _token(routing: Routing, mailbox: MailboxId, resolve: Resolve, shelf: Shelf | None) -> str | Unresolved:
    """What tells a refresh token that somebody has set from another; one that belongs elsewhere is not used here."""
    reference, provider = routing.password_of(mailbox), routing.provider_of(mailbox)
    if provider.auth is Auth.NONE or reference is None or reference.kind is not SecretKind.STORED or shelf is None:
        return ""
    token = resolve(reference, mailbox_use(provider, mailbox.username))
    if isinstance(token, Unresolved):
        return token if token.cause is Cause.KEPT_BACK else ""
    return shelf.origin_of(reference.value)


def _told_apart(*texts: str) -> bytes:
    """Texts behind each other, each with its length, so that no two lists of texts look alike."""
    return b"".join([len(octets).to_bytes(4, "big") + octets for octets in [text.encode() for text in texts]])
