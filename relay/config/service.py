"""relay.yaml as one tree of plain, frozen values: `ServiceConfig`; `relay.config.loading.load_service` reads it.

Law: what stands here is schema, defaults and result at once; durations are microseconds, sizes bytes, paths are joined
to the folder of the file. The sentence below a key is its description in the JSON Schema and in the reference.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, ConfigDict, Field

from relay.config import fields
from relay.config.store import OWN, Durability, Role, read_store
from relay.config.validation import misfit
from relay.config.values import Address, is_loopback
from relay.core.limits import HOUR, MINUTE, SECOND, Limit
from relay.core.routing import InDoubt, Tls

STRICT = ConfigDict(extra="forbid", use_attribute_docstrings=True)
CALENDAR_DAY: int = 24 * HOUR


@dataclass(frozen=True, slots=True)
class Listener:
    """One address at which clients submit mail."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    address: fields.ListenAddress
    """ADDRESS:PORT to listen at."""
    tls: Tls = Tls.STARTTLS
    """none | starttls | implicit; none off loopback needs `plaintext: allow`."""
    plaintext: Literal["allow"] | None = None
    """allow: passwords and mail may cross the network readable."""
    proxy_protocol: tuple[fields.Network, ...] = ()
    """Networks of proxies whose PROXY header (v1, v2) names the client; then only they are let in."""
    trust_networks: fields.Switch = False
    """Whether clients without password are known by `networks:` here too; on loopback they always are."""

    @property
    def is_on_loopback(self) -> bool:
        """Whether only this machine reaches it."""
        return is_loopback(self.address.host)


def _checked_listener(listener: Listener) -> Listener:
    if listener.tls is Tls.NONE and not listener.is_on_loopback and listener.plaintext is None:
        raise misfit("tls: none off loopback sends passwords and patients readable; needs `plaintext: allow`", at="tls")
    return listener


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """What listeners with TLS show to clients; read again when the files change."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    certificate: fields.FilePath
    """The certificate with its chain, PEM."""
    key: fields.FilePath
    """Its private key, PEM."""


@dataclass(frozen=True, slots=True)
class Submission:
    """How clients hand in mail."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    listen: Annotated[tuple[Annotated[Listener, AfterValidator(_checked_listener)], ...], fields.AtLeastOne]
    """Where to listen."""
    tls: TlsFiles | None = None
    """Certificate and key of the listeners with TLS (1.2 and later)."""
    max_message_size: fields.Size = 25_000_000
    """Compared after dot-unstuffing, without the relay's own header fields."""
    max_recipients: fields.Count = 100
    """Recipients in one SMTP transaction."""
    max_connections: fields.Count = 1000
    """Connections of clients at once."""
    max_connections_per_ip: fields.Count = 100
    """The same from one address; not for those in a client's `networks:`."""
    timeout: fields.Period = 300 * SECOND
    """How long a client may be silent."""
    nameservers: tuple[fields.ListenAddress, ...] = ()
    """ADDRESS:PORT of the name servers that `recipient_check: dns` asks; default: those of the system."""


def _checked_submission(submission: Submission) -> Submission:
    if submission.tls is None and any(listener.tls is not Tls.NONE for listener in submission.listen):
        raise misfit("a listener with TLS needs `submission.tls` with certificate and key", at="listen")
    return submission


@dataclass(frozen=True, slots=True)
class Http:
    """The API, the pages and the metrics."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    listen: fields.ListenAddress = Address("127.0.0.1", 8025)
    """ADDRESS:PORT to listen at."""


@dataclass(frozen=True, slots=True)
class Queue:
    """How long a delivery is tried."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    lifetime: fields.Period = 3 * CALENDAR_DAY
    """A delivery that is retried this long bounces."""
    hold_lifetime: fields.Period = 7 * CALENDAR_DAY
    """A delivery that is held this long bounces."""
    delay_notice: fields.Duration = 4 * HOUR
    """After this the sender is told that a mail is late; 0: never."""
    retry: Annotated[tuple[fields.Period, ...], fields.AtLeastOne] = (
        5 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 4 * HOUR,
    )  # fmt: skip
    """The pauses between tries; the last repeats."""
    in_doubt: InDoubt = InDoubt.RESEND
    """What follows an attempt that may or may not have been sent: resend | hold."""


@dataclass(frozen=True, slots=True)
class Health:
    """How a mailbox that fails is tried again."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    probe: Annotated[tuple[fields.Period, ...], fields.AtLeastOne] = (5 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR)
    """The pauses between probes of a stopped mailbox; the last repeats."""
    second_refusal: fields.Period = 5 * MINUTE
    """After the first refused login of a mailbox that worked, the pause before the one more try."""
    refused_logins: fields.LimitText = Limit(3, HOUR)
    """At most so many refused logins of a mailbox, over all nodes."""
    slow: tuple[fields.Divisor, fields.Divisor] = (1, 32)
    """The least and the greatest divisor of the pace after `rate-limited`."""


def _checked_health(health: Health) -> Health:
    if health.slow[0] > health.slow[1]:
        raise misfit("the first number must not be greater than the second", at="slow")
    return health


@dataclass(frozen=True, slots=True)
class Notices:
    """Who is told, and how, when something needs a person."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    heartbeat_webhook: fields.WebAddress | None = field(default=None, repr=False)
    """Called every minute while this node can do its work, so that its silence is noticed."""
    sender: Annotated[fields.MailAddress | None, Field(alias="from")] = None
    """The account that notices are sent from."""
    ops_webhook: fields.WebAddress | None = field(default=None, repr=False)
    """Called with each notice for ops, as the Standard Webhooks specification says."""
    ops_webhook_secret: fields.Secret | None = None
    """Signs what is sent to `ops_webhook`: whsec_ and base64; two, apart by a blank, while one replaces the other."""
    allow_private: fields.Switch = False
    """Whether webhooks may go to this machine (also by http) and to private networks."""
    postmaster: fields.MailAddress | None = None
    """Where mail for ops goes."""


@dataclass(frozen=True, slots=True)
class ServiceConfig:
    """relay.yaml: the service, read at start."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    submission: Annotated[Submission, AfterValidator(_checked_submission)]
    """How clients hand in mail."""
    routing: fields.FilePath
    """The routing: a file, or a folder of *.yaml that are merged."""
    hostname: fields.Host | None = None
    """The relay's name in EHLO and Received; default: the machine's own."""
    language: Literal["en", "it"] = "en"
    """Of SMTP texts, notices and pages: en | it."""
    data_dir: Annotated[fields.FilePath, Field(validate_default=True)] = Path("../var")
    """Queue, history and admin token; created with mode 0700; relative paths start at this file."""
    keys_dir: fields.FilePath | None = None
    """The keys of the queue; default <data_dir>/keys, better off the data's disk and backups; or RELAY_KEY."""
    store: Annotated[fields.Text, AfterValidator(read_store)] = field(default=OWN, repr=False)
    """sqlite | redis://host:6379/0 | rediss:// | unix:// | redis+sentinel://host,host/NAME/0, or env:NAME, file:PATH"""
    http: Annotated[Http, fields.MaybeEmpty] = Http()
    """The API, the pages and the metrics."""
    queue: Annotated[Queue, fields.MaybeEmpty] = Queue()
    """How long a delivery is tried."""
    health: Annotated[Health, fields.MaybeEmpty, AfterValidator(_checked_health)] = Health()
    """How a mailbox that fails is tried again."""
    drain: fields.Duration = 30 * SECOND
    """After SIGTERM, how long attempts under way may take to finish."""
    durability: Durability = "checked"
    """Redis: checked (one that could lose mail is refused) | asserted (it forbids CONFIG, and is safe) | relaxed."""
    role: Role = "all"
    """What this node does: all | submission | delivery; other than all only with Redis; `--role` goes before it."""
    notices: Annotated[Notices, fields.MaybeEmpty] = Notices()
    """Who is told, and how, when something needs a person."""
    contact: fields.Words = ""
    """How support is reached: put into refusals and reports that a doctor reads."""

    @property
    def key_folder(self) -> Path:
        """Where the keys are: `keys_dir`, or its default."""
        return self.keys_dir or self.data_dir / "keys"
