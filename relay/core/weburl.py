"""Where a webhook goes: its address in parts, and which network addresses may be asked at all.

Law: what is not plainly a web address is refused; nothing goes to this machine, to a private network, to a neighbour on
the link or to a cloud's metadata because a name leads there. What may be secret in an address is never shown.
"""

import re
from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

URL_MOST: int = 1024
"""Characters of a web address."""

_URL = re.compile(
    r"(?P<scheme>https?)://(?P<host>[A-Za-z0-9_][A-Za-z0-9._-]{0,252}|\[[0-9A-Fa-f:.]{2,45}\])(?::(?P<port>\d{1,5}))?"
    r"(?P<target>[/?][!$-;=?-Z_a-z~%\[\]]*)?",
    re.ASCII,
)
_PORTS = {"https": 443, "http": 80}
_TRANSLATED = (IPv6Network("64:ff9b::/96"), IPv6Network("::/96"))
"""IPv6 in which an IPv4 address is the last four octets: RFC 6052, and RFC 4291, 2.5.5.1."""

_NEVER = (
    IPv4Network("168.63.129.16/32"),  # a cloud's own services, at an address that looks public
    IPv4Network("192.0.0.0/24"),  # RFC 6890: for protocols, and a cloud's metadata
    IPv4Network("192.88.99.0/24"),  # RFC 7526: leads to whoever says that he translates
    IPv6Network("64:ff9b:1::/48"),  # RFC 8215: translated as somebody here likes
    IPv6Network("fec0::/10"),  # RFC 3879
    IPv6Network("fd00:ec2::254/128"),  # a cloud's metadata
    IPv4Network("100.100.100.200/32"),  # another one's
)


class Reach(StrEnum):
    """How far away an address is."""

    PUBLIC = "public"
    PRIVATE = "private"
    """This machine or its own network: only where the configuration says so."""
    NEVER = "never"
    """The link, metadata, everybody at once, or nobody: never."""


@dataclass(frozen=True, slots=True)
class WebUrl:
    """An address of the web; its path and query may be a secret, so `repr` and `origin` leave them out."""

    scheme: str
    host: str
    """A name or an address, without brackets, in lower case."""
    port: int
    target: str = field(repr=False, default="/")

    @property
    def origin(self) -> str:
        """What may be shown."""
        return f"{self.scheme}://{self.authority}"

    @property
    def authority(self) -> str:
        """Host and port as the Host field has them (RFC 9110, 7.2)."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


def parse_web_url(text: str) -> WebUrl:
    """ValueError, which never repeats the text: this is no web address, or one with a login in it."""
    match = _URL.fullmatch(text) if len(text) <= URL_MOST else None
    if match is None:
        if "@" in text.partition("://")[2].partition("/")[0]:
            raise ValueError("a login does not belong into a web address; write https://HOST/...")
        raise ValueError("not a web address; write https://...")
    scheme, target = match["scheme"], match["target"] or "/"
    port = int(match["port"]) if match["port"] else _PORTS[scheme]
    if not 0 < port < 65536:
        raise ValueError("not a web address; its port is from 1 to 65535")
    host = match["host"].lower()
    if host.startswith("["):
        host = str(_parsed(host[1:-1]))
    return WebUrl(scheme, host.rstrip("."), port, target if target.startswith("/") else f"/{target}")


def _parsed(address: str) -> IPv4Address | IPv6Address:
    try:
        return ip_address(address)
    except ValueError:
        raise ValueError("not a web address; write https://...") from None


def url_problem(url: WebUrl, *, is_private_allowed: bool) -> str | None:
    """Why nothing may be sent there, as far as the address itself tells; None: nothing is wrong with it."""
    reach = _literal_reach(url.host)
    if url.scheme != "https" and not (is_private_allowed and _is_loopback(url.host)):
        return "not https: what is sent could be read on its way (http only to this machine, with `allow_private: on`)"
    if reach is Reach.NEVER:
        return "an address to which nothing may be sent"
    if reach is Reach.PRIVATE and not is_private_allowed:
        return "a private address: needs `allow_private: on`"
    return None


def _literal_reach(host: str) -> Reach | None:
    if host == "localhost" or host.endswith(".localhost"):
        return Reach.PRIVATE
    try:
        return reach_of(str(ip_address(host)))
    except ValueError:
        return None


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def may_ask(address: str, *, is_private_allowed: bool) -> bool:
    """Whether something may be sent to an address that a name leads to."""
    reach = reach_of(address)
    return reach is Reach.PUBLIC or (reach is Reach.PRIVATE and is_private_allowed)


def reach_of(address: str) -> Reach:
    """How far away an address is; what is no address, or names a link, is never asked."""
    try:
        found = ip_address(address)
    except ValueError:
        return Reach.NEVER
    if isinstance(found, IPv6Address):
        if found.scope_id is not None:
            return Reach.NEVER
        inner = _inner(found)
        if inner is not None:
            return reach_of(str(inner))
    if any(found in network for network in _NEVER if network.version == found.version):
        return Reach.NEVER
    if found.is_multicast:
        return Reach.NEVER
    if found.is_global:
        return Reach.PUBLIC
    return Reach.PRIVATE if found.is_loopback or _is_ours(found) else Reach.NEVER


_OURS = (
    IPv4Network("10.0.0.0/8"),
    IPv4Network("172.16.0.0/12"),
    IPv4Network("192.168.0.0/16"),
    IPv4Network("100.64.0.0/10"),
    IPv6Network("fc00::/7"),
)
"""RFC 1918, RFC 6598, RFC 4193."""


def _is_ours(found: IPv4Address | IPv6Address) -> bool:
    return any(found in network for network in _OURS if network.version == found.version)


def _inner(found: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that is meant by an IPv6 one; what reaches it is what counts."""
    if found.ipv4_mapped is not None:
        return found.ipv4_mapped
    if found.sixtofour is not None:
        return found.sixtofour
    if int(found) <= 1 or not any(found in network for network in _TRANSLATED):
        return None
    return IPv4Address(int(found) & 0xFFFFFFFF)
