"""Resolves references to secrets (`env:`, `file:`, `secret:`, literal) and fingerprints what a mailbox logs in with.

Law: a secret leaves here only as the return value of `resolve`; a failure says which reference and why, never a value.
"""

import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from relay.config.files import said
from relay.core.routing import Auth, Routing, SecretKind, SecretReference
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
    """Resolves references against an environment, the files and a store of secrets; each call looks anew."""

    def __init__(self, environ: Mapping[str, str], stored: Callable[[str], str | None] = nothing_stored) -> None:
        self._environ = environ
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


def fingerprints(routing: Routing, resolve: Resolve, key: bytes) -> dict[MailboxId, str | None]:
    """Of each mailbox the keyed hash (HMAC-SHA-256, hex) of its route and credentials; None: it has no credentials."""
    return {mailbox: _fingerprint(routing, mailbox, resolve, key) for mailbox in routing.mailboxes()}


def _fingerprint(routing: Routing, mailbox: MailboxId, resolve: Resolve, key: bytes) -> str | None:
    provider = routing.provider_of(mailbox)
    password: str | Unresolved = ""
    if provider.auth is not Auth.NONE:
        reference = routing.password_of(mailbox)
        password = resolve(reference) if reference else Unresolved("no password")
    if isinstance(password, Unresolved):
        return None
    parts = [part.encode() for part in (provider.endpoint, provider.tls, provider.auth, mailbox.username, password)]
    told_apart = b"".join([len(part).to_bytes(4, "big") + part for part in parts])
    return hmac.digest(key, told_apart, "sha256").hex()
