"""The routing: which client may send as whom, and through which mailbox each account sends.

Law: it is one immutable tree, checked whole before it is used; a message finds its account by sender or alias, with
case ignored in the whole address.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from fractions import Fraction
from functools import cached_property
from ipaddress import IPv4Network, IPv6Network

from relay.core.limits import HOUR, MINUTE, SECOND, Limit
from relay.core.words import AccountId, MailboxId, Plan

Microseconds = int


class Tls(StrEnum):
    """How a connection is protected."""

    NONE = "none"
    STARTTLS = "starttls"
    IMPLICIT = "implicit"


class Auth(StrEnum):
    """How the relay logs in to a provider."""

    PASSWORD = "password"
    OAUTH2 = "oauth2"
    NONE = "none"


class BareNewline(StrEnum):
    """What happens to a lone LF in DATA."""

    NORMALIZE = "normalize"
    REJECT = "reject"


class Suppressed(StrEnum):
    """What happens to a recipient who was refused as unknown on two days."""

    REFUSE = "refuse"
    """He is refused at RCPT."""
    BY_HEADER = "by-header"
    """The header of the message may put it aside, so it is decided at the dot."""


class InDoubt(StrEnum):
    """What happens to a delivery whose attempt may or may not have been sent."""

    RESEND = "resend"
    HOLD = "hold"


class SecretKind(StrEnum):
    """Where a secret is kept."""

    LITERAL = "literal"
    ENV = "env"
    FILE = "file"
    STORED = "secret"


_KELVIN = "\u212a"
"""The one character outside ASCII that is a letter of ASCII in lower case."""


@dataclass(frozen=True, slots=True)
class SecretReference:
    """Where a secret is found; a literal one never shows in `repr`."""

    kind: SecretKind
    value: str = field(repr=False)

    def __str__(self) -> str:
        return "literal" if self.kind is SecretKind.LITERAL else f"{self.kind}:{self.value}"


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long the relay waits for a provider, in microseconds, by stage (RFC 5321, 4.5.3.2 allows more)."""

    connect: Microseconds = 30 * SECOND
    command: Microseconds = MINUTE
    data: Microseconds = 3 * MINUTE
    final: Microseconds = 10 * MINUTE


@dataclass(frozen=True, slots=True)
class OAuthClient:
    """The relay's own identity at a provider's authorization server."""

    client_id: str
    client_secret: SecretReference | None = None
    token_url: str = ""
    """Where access tokens are asked for."""
    scope: str = ""
    """What is asked for; empty: all that the owner permitted."""


@dataclass(frozen=True, slots=True)
class Provider:
    """An upstream mail service, as profile and routing together describe it. Durations are microseconds."""

    name: str
    host: str
    port: int
    profile: str | None = None
    tls: Tls = Tls.STARTTLS
    tls_ca: str | None = None
    allow_plaintext: bool = False
    auth: Auth = Auth.PASSWORD
    limits: tuple[Limit, ...] = ()
    total_limits: tuple[Limit, ...] = ()
    connections: int = 1
    total_connections: int = 20
    login_limit: Limit = Limit(10, 10 * MINUTE)
    linger: Microseconds = 2 * MINUTE
    reserve: Fraction = Fraction(0)
    session_messages: int = 100
    session_idle: Microseconds = 30 * SECOND
    has_warmup: bool = False
    oauth: OAuthClient | None = None
    express_share: Fraction = Fraction(0)
    timezone: str = "Europe/Rome"
    timeouts: Timeouts = Timeouts()
    maintenance: tuple[tuple[str, str], ...] = ()
    takes_null_sender: bool = True
    """Whether `MAIL FROM:<>` is taken as it is: what its profile knows, as is all that follows."""
    message_size: int | None = None
    """The greatest message, octets; None: nobody wrote it down."""
    expires_passwords: bool = False
    """Whether it demands a new password after bulk mail."""

    @property
    def endpoint(self) -> str:
        """`host:port`, lower case: the same endpoint is the same provider, whatever its name."""
        return f"{self.host.lower()}:{self.port}"


@dataclass(frozen=True, slots=True)
class Owner:
    """Who can mend an account's mailbox."""

    name: str = ""
    email: str = ""
    phone: str = ""


@dataclass(frozen=True, slots=True)
class Account:
    """A sender address with its plan and the mailbox that it sends through: one doctor."""

    sender: AccountId
    plan: Plan
    mailbox: MailboxId
    password: SecretReference | None = None
    limits: tuple[Limit, ...] = ()
    aliases: tuple[str, ...] = ()
    weight: int = 1
    replaces: Mapping[str, date] = field(default_factory=dict)
    retires: date | None = None
    paid_until: date | None = None
    owner: Owner = Owner()
    in_doubt: InDoubt | None = None
    lifetime: Microseconds | None = None
    late: str = "accept"
    recipient_check: str = "none"
    on_paused: str = "hold-then-reject"
    on_paused_after: Microseconds = 4 * HOUR


@dataclass(frozen=True, slots=True)
class Client:
    """What submits mail: a login, or an address range that is known by address alone (`password` None)."""

    name: str
    may_send_as: tuple[str, ...]
    password: SecretReference | None = None
    networks: tuple[IPv4Network | IPv6Network, ...] = ()
    bare_newline: BareNewline = BareNewline.NORMALIZE
    suppressed: Suppressed = Suppressed.REFUSE


@dataclass(frozen=True)
class Routing:
    """The whole of routing.yaml, checked and with plans, providers and profiles worked in."""

    clients: Mapping[str, Client] = field(default_factory=dict)
    providers: Mapping[str, Provider] = field(default_factory=dict)
    accounts: Mapping[AccountId, Account] = field(default_factory=dict)

    @cached_property
    def by_address(self) -> Mapping[str, Account]:
        """Every address that finds an account: senders, aliases and replaced addresses, lower case."""
        found = {sender.lower(): account for sender, account in self.accounts.items()}
        for account in self.accounts.values():
            if account.aliases or account.replaces:
                found |= {address.lower(): account for address in (*account.aliases, *account.replaces)}
        return found

    @cached_property
    def by_mailbox(self) -> Mapping[MailboxId, tuple[Account, ...]]:
        """The accounts of each mailbox; a group practice shares one."""
        found: dict[MailboxId, tuple[Account, ...]] = {}
        shared: dict[MailboxId, list[Account]] = {}
        for account in self.accounts.values():
            mailbox = account.mailbox
            if mailbox in found:
                shared.setdefault(mailbox, list(found[mailbox])).append(account)
            else:
                found[mailbox] = (account,)
        found.update((mailbox, tuple(accounts)) for mailbox, accounts in shared.items())
        return found

    def account_of(self, address: str) -> Account | None:
        """The account that sends as this address, in any case of its letters.

        The Kelvin sign is no k, although it becomes one in lower case: at a provider it is somebody else.
        """
        return None if _KELVIN in address else self.by_address.get(address.lower())

    def provider_of(self, mailbox: MailboxId) -> Provider:
        """The provider at which this mailbox is a login; KeyError when the routing has none of that name."""
        return self.providers[mailbox.provider]

    def mailboxes(self) -> Iterator[MailboxId]:
        """Every mailbox that some account sends through."""
        return iter(self.by_mailbox)

    def limits_of(self, mailbox: MailboxId) -> tuple[Limit, ...]:
        """All own limits of a mailbox: its provider's less the reserve, and its accounts' and plans' as written."""
        provider = self.providers[mailbox.provider]
        found = {limit.reduced(provider.reserve): None for limit in provider.limits}
        for account in self.by_mailbox.get(mailbox, ()):
            found.update(dict.fromkeys(account.limits))
        return tuple(found)

    def password_of(self, mailbox: MailboxId) -> SecretReference | None:
        """What a mailbox logs in with: the first that one of its accounts names; None: no account names one."""
        for account in self.by_mailbox.get(mailbox, ()):
            if account.password is not None:
                return account.password
        return None

    def weight_of(self, mailbox: MailboxId) -> int:
        """The weight of a mailbox in its provider's rotation: the greatest of its accounts'."""
        return max((account.weight for account in self.by_mailbox.get(mailbox, ())), default=1)
