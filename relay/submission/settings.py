"""What the listener is told at start, as plain values.

Law: every bound on what a client may do stands here or beside the code that keeps it, with its reason.
"""

from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network

from relay.core.failuretext import Language
from relay.core.limits import SECOND
from relay.core.routing import Tls

HELD: int = 268_435_456
"""Octets of messages coming in at once, where a single message has not half as many."""


@dataclass(frozen=True, slots=True)
class ListenerSettings:
    """One address at which clients submit; the socket itself is bound by the composition root."""

    name: str
    """What logs and metrics call it: `127.0.0.1:2525`."""
    tls: Tls = Tls.NONE
    has_plaintext_allowed: bool = False
    """Whether passwords may cross the network readable."""
    has_trusted_networks: bool = False
    """Whether clients without password are known by address here too; on loopback they always are."""
    proxies: tuple[IPv4Network | IPv6Network, ...] = ()
    """Where the proxies are of whose PROXY header the client is known; then nobody else is let in. Empty: none."""


@dataclass(frozen=True, slots=True)
class SubmissionSettings:
    """The SMTP side of the relay; `timeout` in microseconds, sizes in bytes."""

    hostname: str
    listeners: tuple[ListenerSettings, ...]
    language: Language = Language.ENGLISH
    contact: str = ""
    max_message_size: int = 25_000_000
    """Compared after dot-unstuffing, without the relay's own header fields."""
    max_recipients: int = 100
    max_connections: int = 1000
    max_connections_per_ip: int = 100
    """From one address; not for those in a client's networks."""
    timeout: int = 300 * SECOND
    """How long a client may be silent."""
    store_patience: float | None = None
    """Seconds that a client waits for the store before it is told to try again; None: as long as it takes."""
    max_held: int = HELD
    """Octets of messages coming in at once; beyond it they get 452, so that 1000 clients cannot fill the memory."""
