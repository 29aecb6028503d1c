"""What a stored secret may be used for: it belongs to the first use that it is put to, and to no other.

Law: a password goes to the host, over TLS at least as good, and with the login for which it was set, whatever the
routing is made to say later; what is used in another way than it was meant for is not given out at all.
"""

from dataclasses import astuple, dataclass
from enum import StrEnum
from typing import Any

from relay.core.routing import Auth, OAuthClient, Provider, Routing, SecretKind, SecretReference, Tls
from relay.core.weburl import parse_web_url


class UseKind(StrEnum):
    """What a secret is for."""

    MAILBOX = "mailbox"
    """A mailbox logs in with it."""
    OAUTH_CLIENT = "oauth-client"
    """The relay shows it to an authorization server."""
    OWN = "own"
    """The relay compares or signs with it (a client's password, a webhook's key): it goes nowhere."""


class Credential(StrEnum):
    """What a mailbox logs in with."""

    PASSWORD = "password"
    REFRESH_TOKEN = "refresh-token"


@dataclass(frozen=True, slots=True)
class SecretUse:
    """One use; where it has no host, the secret never leaves the relay."""

    kind: UseKind
    host: str = ""
    """Lower case."""
    port: int = 0
    """Tells two programs of one host apart where nothing else does: without TLS."""
    is_encrypted: bool = False
    has_own_anchor: bool = False
    """Whether certificates of an authority are believed that the system does not know."""
    login: str = ""
    credential: Credential = Credential.PASSWORD

    def is_stronger_than(self, bound: "SecretUse") -> bool:
        """Whether it protects the secret better, so that it should not go back."""
        return (self.is_encrypted, not self.has_own_anchor) > (bound.is_encrypted, not bound.has_own_anchor)


def mailbox_use(provider: Provider, username: str) -> SecretUse:
    """What a mailbox logs in with."""
    return SecretUse(
        UseKind.MAILBOX,
        host=provider.host.lower(),
        port=provider.port,
        is_encrypted=provider.tls is not Tls.NONE,
        has_own_anchor=provider.tls_ca is not None,
        login=username,
        credential=Credential.REFRESH_TOKEN if provider.auth is Auth.OAUTH2 else Credential.PASSWORD,
    )


def oauth_use(client: OAuthClient) -> SecretUse:
    """What the relay shows, as this client, where access tokens are asked for."""
    try:
        url = parse_web_url(client.token_url)
    except ValueError:
        return SecretUse(UseKind.OAUTH_CLIENT, login=client.client_id)
    return SecretUse(
        UseKind.OAUTH_CLIENT, host=url.host, port=url.port, is_encrypted=url.scheme == "https", login=client.client_id
    )


OWN = SecretUse(UseKind.OWN)
"""What never leaves the relay."""


def uses_of(routing: Routing) -> dict[str, SecretUse]:
    """The stored secrets that a routing names, each with its first use: mailboxes stand before all others."""
    found: dict[str, SecretUse] = {}
    for mailbox in routing.mailboxes():
        reference, provider = routing.password_of(mailbox), routing.providers.get(mailbox.provider)
        is_stored = reference is not None and reference.kind is SecretKind.STORED
        if reference is not None and is_stored and provider is not None and provider.auth is not Auth.NONE:
            found.setdefault(reference.value, mailbox_use(provider, mailbox.username))
    for provider in routing.providers.values():
        client = provider.oauth
        if client is not None and client.client_secret is not None and client.client_secret.kind is SecretKind.STORED:
            found.setdefault(client.client_secret.value, oauth_use(client))
    for each in routing.clients.values():
        if each.password is not None and each.password.kind is SecretKind.STORED:
            found.setdefault(each.password.value, OWN)
    return found


def users_of(routing: Routing, name: str) -> list[str]:
    """Who names a stored secret: senders, then keys of the routing."""
    mine = SecretReference(SecretKind.STORED, name)
    mailboxes = [each for each in routing.mailboxes() if routing.password_of(each) == mine]
    users = [account.sender for each in mailboxes for account in routing.by_mailbox[each]]
    users += [
        f"providers.{each.name}.oauth.client_secret"
        for each in routing.providers.values()
        if each.oauth is not None and each.oauth.client_secret == mine
    ]
    return users + [f"clients.{each.name}.password" for each in routing.clients.values() if each.password == mine]


def objection(bound: SecretUse | None, asked: SecretUse) -> str | None:
    """Why what is bound to one use is not given to another; None: it is."""
    if bound is None:
        return None if asked.kind is UseKind.OWN else "it is bound to no use yet"
    if bound.kind is not asked.kind:
        return f"it is {_MEANT[bound.kind]}, and nothing else"
    if bound.host != asked.host:
        return f"it was set for {bound.host}, and this would send it to {asked.host}"
    if bound.login != asked.login:
        return f"it was set for the login {bound.login}, and this is {asked.login}"
    if bound.credential is not asked.credential:
        return f"it was set as a {_said(bound.credential)}, and this would use it as a {_said(asked.credential)}"
    if bound.is_encrypted and not asked.is_encrypted:
        return f"it was set for {bound.host} over TLS, and this would send it in clear text"
    if asked.has_own_anchor and not bound.has_own_anchor:
        return f"it was set for {bound.host} as the system's authorities know it, and this adds `tls_ca`"
    if not asked.is_encrypted and bound.port != asked.port:
        return f"it was set for port {bound.port} of {bound.host}, and this would send it to port {asked.port}"
    return None


def write_use(use: SecretUse) -> list[Any]:
    """As JSON."""
    return list(astuple(use))


def read_use(written: list[Any]) -> SecretUse:
    """From JSON. ValueError, TypeError: it is none."""
    kind, host, port, is_encrypted, has_own_anchor, login, credential = written
    return SecretUse(UseKind(kind), host, port, is_encrypted, has_own_anchor, login, Credential(credential))


_MEANT = {
    UseKind.MAILBOX: "the credential of a mailbox",
    UseKind.OAUTH_CLIENT: "the relay's own secret at an authorization server",
    UseKind.OWN: "the password of a client or the key of a webhook",
}


def _said(credential: Credential) -> str:
    return credential.value.replace("-", " ")
