"""The schema of routing.yaml: what a client, a provider, a plan and an account may say.

Law: an entry holds only the keys that are written, so that account, plan, provider and profile can be laid over each
other. The sentence below a key is its description in the JSON Schema and in the reference.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, NamedTuple, Required

from pydantic import AfterValidator, PlainSerializer, PlainValidator, WithJsonSchema, with_config
from typing_extensions import TypedDict  # pydantic needs this one before Python 3.12

from relay.config import fields, values
from relay.config.oauth import OAuthEntry
from relay.config.service import STRICT
from relay.core.limits import HOUR, Limit
from relay.core.routing import Auth, BareNewline, InDoubt, Suppressed, Tls
from relay.core.words import Plan

LIMITS_PER_MAILBOX: int = 16
"""Each is asked at every take; nobody documents more than four."""


class OnPaused(NamedTuple):
    """What clients hear while an account's mailbox is paused, and after how many microseconds."""

    action: str
    after: int

    def __str__(self) -> str:
        return f"{self.action} {values.print_duration(self.after)}" if self.action == HOLD_THEN_REJECT else self.action


HOLD_THEN_REJECT = "hold-then-reject"
DEFAULT_ON_PAUSED = OnPaused(HOLD_THEN_REJECT, 4 * HOUR)


def _read_on_paused(value: Any) -> OnPaused:
    action, _, after = str(value).strip().partition(" ")
    if action in ("hold", "reject") and not after:
        return OnPaused(action, DEFAULT_ON_PAUSED.after)
    if action != HOLD_THEN_REJECT:
        raise ValueError("expected hold, reject or hold-then-reject 4h")
    return OnPaused(action, values.read_duration(after) if after else DEFAULT_ON_PAUSED.after)


def _bounded(limits: tuple[Limit, ...]) -> tuple[Limit, ...]:
    if len(limits) > LIMITS_PER_MAILBOX:
        raise ValueError(f"more than {LIMITS_PER_MAILBOX} limits")
    return limits


def _in_order(window: tuple[str, str]) -> tuple[str, str]:
    if window[0] >= window[1]:
        raise ValueError("ends before it starts; write [from, to]")
    return window


Limits = Annotated[tuple[fields.LimitText, ...], AfterValidator(_bounded)]
PausedAnswer = Annotated[
    OnPaused,
    PlainValidator(_read_on_paused),
    PlainSerializer(str),
    WithJsonSchema({"type": "string", "pattern": r"^(hold|reject|hold-then-reject( +\d+ *(ms|s|m|h|d|w)?)?)$"}),
]
Networks = tuple[fields.Network, ...]


@with_config(STRICT)
class ClientEntry(TypedDict, total=False):
    """What submits mail: the clinical software of a practice, with its login to the relay."""

    password: fields.Secret
    """A hash from `relay hash-password`, or env:NAME, file:PATH, secret:NAME; none: known by `networks` alone."""
    may_send_as: Required[Annotated[tuple[fields.Pattern, ...], fields.AtLeastOne]]
    """Globs over the whole sender address, case ignored: "*@studiorossi.it"."""
    networks: Annotated[Networks, fields.AtLeastOne]
    """Where it may come from; default: anywhere."""
    bare_newline: BareNewline
    """What a lone LF becomes: normalize (CRLF, counted; default) | reject (550 5.6.0)."""
    suppressed: Suppressed
    """A recipient whom his provider did not know on two days: refuse (550 5.1.1 at RCPT; default) | by-header (taken at
    RCPT, and refused after the message unless its header says `X-Relay-Suppression: ignore`)."""


@with_config(STRICT)
class SessionEntry(TypedDict, total=False):
    """How long a logged-in session is used."""

    messages: fields.Count
    """Messages per login; default 100, profiles 20 or 50."""
    idle: fields.Period
    """How long it may be idle; default 30s."""


@with_config(STRICT)
class TimeoutsEntry(TypedDict, total=False):
    """How long the relay waits for a provider."""

    connect: fields.Period
    """For connection, TLS and banner; default 30s."""
    command: fields.Period
    """For the reply to a command; default 60s."""
    data: fields.Period
    """For a block of the message to be taken; default 3m."""
    final: fields.Period
    """For the reply after the final dot; default 10m."""


@with_config(STRICT)
class ProviderEntry(TypedDict, total=False):
    """An upstream mail service; every key overrides the profile's."""

    profile: fields.Text
    """A built-in description to start from."""
    host: fields.Host
    """Name or address; needed without a profile that has one."""
    port: fields.Port
    """Default 465 for implicit TLS, else 587."""
    tls: Tls
    """none (loopback, or `plaintext: allow`) | starttls (default) | implicit."""
    tls_ca: fields.FilePath
    """An extra trust anchor, PEM."""
    plaintext: Literal["allow"]
    """allow: `tls: none` beyond loopback."""
    auth: Auth
    """password (default) | oauth2 | none."""
    limits: Limits
    """Of each mailbox, in recipients: N/[k]unit; they replace the profile's. Default: none."""
    total_limits: Limits
    """Of all mailboxes of this provider together. Default: none."""
    connections: fields.Count
    """Sessions at once per mailbox; default 1."""
    total_connections: fields.Count
    """Sessions at once per egress address; default 20."""
    login_limit: fields.LimitText
    """Logins of a mailbox; default 10/10m."""
    linger: fields.Duration
    """How long after a lost connection it may still count what was sent; default 2m, profiles 5m."""
    reserve: fields.Share
    """The part of each limit that is left to the owner's other devices; default 0%, personal profiles 25%."""
    session: Annotated[SessionEntry, fields.MaybeEmpty]
    """How long a logged-in session is used."""
    warmup: fields.Switch
    """Whether new mailboxes start slowly; default off."""
    oauth: OAuthEntry
    """The relay's own identity at the provider's authorization server."""
    express_share: fields.Share
    """The part of windows over a minute that bulk leaves to express; default 0%, profiles 20%."""
    timezone: fields.TimeZone
    """Whose midnight `calendar-day` means; default Europe/Rome."""
    timeouts: Annotated[TimeoutsEntry, fields.MaybeEmpty]
    """How long the relay waits for it."""
    maintenance: tuple[Annotated[tuple[fields.Moment, fields.Moment], AfterValidator(_in_order)], ...]
    """[from, to] pairs in its time zone: mail is held without alarm. Default: none."""


@with_config(STRICT)
class OwnerEntry(TypedDict, total=False):
    """Who can mend the mailbox."""

    name: fields.Words
    """How a notice addresses them."""
    email: fields.MailAddress
    """Another address than the account's own."""
    phone: fields.Words
    """For the call centre."""


@with_config(STRICT)
class SharedEntry(TypedDict, total=False):
    """What a plan says for its accounts, and an account for itself."""

    provider: fields.Text
    """Where its accounts send, unless they say otherwise."""
    weight: fields.Weight
    """The share in a provider's rotation; default 1."""
    limits: Limits
    """Added to the provider's."""
    owner: Annotated[OwnerEntry, fields.MaybeEmpty]
    """Who can mend the mailboxes."""
    in_doubt: InDoubt
    """What follows an attempt that may or may not have been sent; default: `queue.in_doubt`."""
    lifetime: fields.Period
    """A delivery that is retried this long bounces; default: `queue.lifetime`."""
    late: Literal["accept", "reject"]
    """Whether mail is taken that cannot leave within its lifetime; default accept."""
    recipient_check: Literal["none", "dns"]
    """What is asked about a recipient's domain at submission; default none."""
    on_paused: PausedAnswer
    """hold | reject | hold-then-reject 4h (default): what clients hear while nothing leaves until somebody acts."""


@with_config(STRICT)
class PlanEntry(SharedEntry, total=False):
    """The defaults of a group of accounts."""

    retires: fields.Day
    """The last day that works, to local midnight."""


@with_config(STRICT)
class AccountEntry(SharedEntry, total=False):
    """A sender address, its plan, and the mailbox that it sends through: one doctor."""

    plan: Plan
    """business | premium | personal (default) | legacy."""
    username: fields.Text
    """The login at the provider; default: the sender."""
    password: fields.Secret
    """env:NAME, file:PATH, secret:NAME, or (not advised) its text."""
    aliases: tuple[fields.MailAddress, ...]
    """Other addresses that this account may send as."""
    replaces: dict[fields.MailAddress, fields.Day]
    """Old addresses, rewritten to this one until the day named."""
    paid_until: fields.Day
    """The last day of the paid term."""


@with_config(STRICT)
class RoutingFile(TypedDict, total=False):
    """routing.yaml: who may send, and through which mailbox; read anew whenever it is edited."""

    clients: dict[str, ClientEntry] | None
    """What submits mail, by its login."""
    providers: dict[str, ProviderEntry | None] | None
    """Upstream mail services by name; the built-in profiles need no entry."""
    plans: dict[Plan, PlanEntry | None] | None
    """Defaults of the four groups of accounts."""
    accounts: dict[str, AccountEntry | None] | None
    """Senders by address."""


SECTIONS: Mapping[str, type[Any]] = {
    "clients": ClientEntry,
    "providers": ProviderEntry,
    "plans": PlanEntry,
    "accounts": AccountEntry,
}
