"""The desk where a person sets what a mailbox logs in with.

Law: what is set is durable, bound to the mailbox's host, TLS and login of this moment, and in force when he is
answered; nothing of it is said again.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from relay.app.routing import RoutingKeeper
from relay.config.notices import UNSIGNED, WEAK
from relay.config.references import SECRET_BYTES
from relay.core.routing import Auth, Provider, SecretKind, SecretReference
from relay.core.secretuse import Credential, mailbox_use
from relay.core.webhooks import is_weak, read_keys
from relay.core.words import AccountId, MailboxId
from relay.errors import PermanentError, UnknownAccount
from relay.store.ports.secrets import NAME_OCTETS, SecretName, Secrets


class WrongCredential(PermanentError):
    """this cannot be what a mailbox logs in with"""


class NotKeptHere(PermanentError):
    """the store does not keep what this mailbox logs in with"""


@dataclass(frozen=True, slots=True)
class PasswordSet:
    """What was set."""

    reference: str
    """As the routing names it: `secret:NAME`."""
    mailbox: MailboxId
    accounts: tuple[AccountId, ...]
    """All that send through this mailbox."""
    is_new: bool
    """False: the very same was there already, and nothing changes."""


class PasswordDesk:
    """Sets passwords, refresh tokens and the secrets of the relay itself."""

    def __init__(self, secrets: Secrets, keeper: RoutingKeeper, *, hook: SecretReference | None = None) -> None:
        """`hook` signs what is sent to the webhook of ops."""
        self._secrets = secrets
        self._keeper = keeper
        self._hook = hook.value if hook is not None and hook.kind is SecretKind.STORED else None

    async def set(self, account: AccountId, value: str, *, kind: Credential = Credential.PASSWORD) -> PasswordSet:
        """Keeps what this account's mailbox logs in with, for that mailbox alone; it is tried at once.

        UnknownAccount; NotKeptHere: the routing names no `secret:` for it; WrongCredential; StoreError.
        """
        routing = self._keeper.routing()
        known = routing.accounts.get(account) or routing.account_of(account)
        if known is None:
            raise UnknownAccount
        provider = routing.provider_of(known.mailbox)
        name = _name_of(routing.password_of(known.mailbox), account=known.sender, provider=provider)
        _check_kind(provider, kind)
        check_value(value)
        is_new = await self._secrets.set(name, value, use=mailbox_use(provider, known.mailbox.username))
        await self._keeper.refresh()
        accounts = tuple(each.sender for each in routing.by_mailbox[known.mailbox])
        return PasswordSet(f"{SecretKind.STORED}:{name}", known.mailbox, accounts, is_new)

    async def set_named(self, name: str, value: str) -> bool:
        """Keeps a secret by its name, for the use that the routing puts it to, or the first that comes; False: the very
        same was there. WrongCredential, StoreError.
        """
        check_name(name)
        check_value(value)
        is_new = await self._secrets.set(name, value, use=await self._keeper.secrets.use_of(name))
        await self._keeper.refresh()
        return is_new

    def warning_of(self, name: str, value: str) -> str | None:
        """Why a value does not serve what the configuration uses it for; None: it does, as far as can be seen."""
        if name != self._hook:
            return None
        try:
            keys = read_keys(value)
        except ValueError as error:
            return f"ops_webhook_secret is secret:{name}, and with this value {UNSIGNED}: {error}"
        return f"ops_webhook_secret is secret:{name}: {WEAK}" if is_weak(keys) else None

    async def users_of(self, name: str) -> Sequence[str]:
        """Who uses a stored secret, as the configuration calls them: senders, and keys of the configuration."""
        users = await self._keeper.secrets.users_of(name)
        return [*users, "ops_webhook_secret"] if name == self._hook else users

    async def names(self) -> Sequence[SecretName]:
        """All stored secrets, without their values."""
        return await self._secrets.names()

    async def drop(self, name: str) -> bool:
        """Forgets a secret; False: there was none."""
        was_there = await self._secrets.drop(name)
        await self._keeper.refresh()
        return was_there


def check_value(value: str) -> None:
    """WrongCredential: no provider takes this, or nobody can have meant it."""
    if not value:
        raise WrongCredential("an empty password is none")
    if any(letter < " " or letter == "\x7f" for letter in value):
        raise WrongCredential("it holds control characters: was more than one line, or a file, handed in?")
    try:
        octets = value.encode()
    except UnicodeEncodeError:
        raise WrongCredential("it is not UTF-8 text") from None
    if len(octets) > SECRET_BYTES:
        raise WrongCredential(f"it is longer than {SECRET_BYTES // 1024} KiB")


def check_name(name: str) -> None:
    """WrongCredential: no reference can name it."""
    if not name or len(name.encode("utf-8", "replace")) > NAME_OCTETS or not name.isprintable() or name != name.strip():
        raise WrongCredential(
            f"the name of a secret has 1 to {NAME_OCTETS} printable characters, and no space at its ends"
        )


def _name_of(reference: SecretReference | None, *, account: AccountId, provider: Provider) -> str:
    if provider.auth is Auth.NONE:
        raise NotKeptHere(f"provider {provider.name} has `auth: none`: {account} needs no password there")
    if reference is not None and reference.kind is SecretKind.STORED:
        return reference.value
    written = "no password" if reference is None else _written(reference)
    raise NotKeptHere(
        f"the routing has {written} for {account}: write `password: secret:{account}` there instead, and set it then"
    )


def _written(reference: SecretReference) -> str:
    return "a password in clear text" if reference.kind is SecretKind.LITERAL else f"`password: {reference}`"


def _check_kind(provider: Provider, kind: Credential) -> None:
    wanted = Credential.REFRESH_TOKEN if provider.auth is Auth.OAUTH2 else Credential.PASSWORD
    if wanted is kind:
        return
    if wanted is Credential.PASSWORD:
        raise WrongCredential(f"provider {provider.name} takes a password, not a refresh token (`auth: password`)")
    raise WrongCredential(f"provider {provider.name} takes a refresh token (--oauth), not a password (`auth: oauth2`)")
