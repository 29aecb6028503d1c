"""The small languages of a configuration: durations, sizes, shares, addresses, networks, dates, patterns, references.

Law: each `read_` raises ValueError with a text that says what to write instead; what a `print_` prints, its `read_`
reads back as the same value.
"""

import re
from datetime import date, datetime
from fractions import Fraction
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import NamedTuple

from relay.core.limits import HOUR, MINUTE, SECOND
from relay.core.routing import SecretKind, SecretReference

MILLISECOND: int = 1_000
LONGEST: int = 10 * 366 * 24 * HOUR
"""Ten years: longer is a slip of the unit."""

_DURATION_UNITS = {
    "w": 7 * 24 * HOUR, "d": 24 * HOUR, "h": HOUR, "m": MINUTE, "s": SECOND, "ms": MILLISECOND,
}  # fmt: skip
_SIZE_UNITS = {
    "GB": 10**9, "MB": 10**6, "kB": 10**3, "GiB": 2**30, "MiB": 2**20, "KiB": 2**10, "B": 1,
}  # fmt: skip
_SIZES_BY_CASE = {unit.lower(): size for unit, size in _SIZE_UNITS.items()}
_QUANTITY = re.compile(r"(\d{1,12})\s*([A-Za-z]*)", re.ASCII)
_SHARE = re.compile(r"(\d{1,3}(?:\.\d{1,6})?)\s*%", re.ASCII)
_HOST = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)(\.(?!-)[A-Za-z0-9_-]{1,63}(?<!-))*\.?", re.ASCII)
_MAIL_ADDRESS = re.compile(r"[^@\s<>,;:\"()\\\x00-\x1f\x7f]{1,64}@[^@\s<>,;:\"()\\\[\]\x00-\x1f\x7f]{1,255}")
_REFERENCE = re.compile(r"(env|file|secret):(.*)", re.DOTALL)


class Address(NamedTuple):
    """Where to listen or connect."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def read_duration(text: str | int) -> int:
    """Microseconds; `90s`, `5m`, `3d`; a bare number is seconds, a day is 24 h."""
    match = _QUANTITY.fullmatch(str(text).strip())
    if match is None or (match[2] and match[2] not in _DURATION_UNITS):
        raise ValueError(f"not a duration: {text!r}; write a number and ms, s, m, h, d or w, such as 90s or 4h")
    duration = int(match[1]) * _DURATION_UNITS[match[2] or "s"]
    if duration > LONGEST:
        raise ValueError(f"longer than ten years: {text!r}")
    return duration


def print_duration(duration: int) -> str:
    """In the greatest unit that holds it whole."""
    for unit, size in _DURATION_UNITS.items():
        if duration and duration % size == 0:
            return f"{duration // size}{unit}"
    return "0s"


def read_size(text: str | int) -> int:
    """Bytes; `25MB` is 25,000,000, `25MiB` is 25 x 2^20, a bare number is bytes."""
    match = _QUANTITY.fullmatch(str(text).strip())
    if match is None or (match[2] and match[2].lower() not in _SIZES_BY_CASE):
        raise ValueError(f"not a size: {text!r}; write a number and kB, MB, GB, KiB, MiB or GiB, such as 25MB")
    return int(match[1]) * _SIZES_BY_CASE[match[2].lower() or "b"]


def print_size(size: int) -> str:
    """In the greatest unit that holds it whole; decimal units first."""
    for unit, many in _SIZE_UNITS.items():
        if size and size % many == 0 and unit != "B":
            return f"{size // many}{unit}"
    return f"{size}B"


def read_share(text: str | int) -> Fraction:
    """A part of a whole as `25%`: from 0% to less than 100%."""
    match = _SHARE.fullmatch(str(text).strip())
    share = Fraction(match[1]) / 100 if match else Fraction(1)
    if share >= 1:
        raise ValueError(f"not a share: {text!r}; write a percentage from 0% to 99%")
    return share


def print_share(share: Fraction) -> str:
    """As a percentage, exact to a millionth."""
    millionths = round(share * 100 * 1_000_000)
    return f"{millionths / 1_000_000:.6f}".rstrip("0").rstrip(".") + "%"


def read_listen_address(text: str) -> Address:
    """`127.0.0.1:2525`, `[::1]:25`, `0.0.0.0:587`; port 0 lets the kernel choose."""
    host, colon, port = str(text).rpartition(":")
    if not colon or not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise ValueError(f"not an address to listen at: {text!r}; write ADDRESS:PORT, such as 127.0.0.1:2525")
    if host == "localhost":
        host = "127.0.0.1"
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    try:
        known = ip_address(bare)
    except ValueError:
        hint = f"0.0.0.0:{port} or [::]:{port} listens everywhere" if host in ("", "*") else "names are not looked up"
        raise ValueError(f"not an IP address: {host!r}; {hint}") from None
    if known.version == 6 and bare == host:
        raise ValueError(f"an IPv6 address needs brackets: [{host}]:{port}")
    return Address(str(known), int(port))


def read_host(text: str) -> str:
    """A host name or an IP address, without port."""
    host = str(text).strip()
    try:
        return str(ip_address(host.removeprefix("[").removesuffix("]")))
    except ValueError:
        if len(host) > 253 or not _HOST.fullmatch(host):
            raise ValueError(
                f"not a host: {text!r}; write a name or an IP address; the port is a key of its own"
            ) from None
    return host


def is_loopback(host: str) -> bool:
    """Whether what is sent there never leaves this machine."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower().rstrip(".") == "localhost"


def read_network(text: str) -> IPv4Network | IPv6Network:
    """`10.0.0.0/8`, `fd00::/8`, or one address."""
    try:
        network = ip_network(str(text).strip(), strict=False)
    except ValueError:
        raise ValueError(f"not a network: {text!r}; write it as 10.0.0.0/8, or one address") from None
    if "/" in str(text) and ip_address(str(text).partition("/")[0].strip()) != network.network_address:
        raise ValueError(f"{text!r} has bits beyond its mask; did you mean {network}?")
    return network


def read_date(text: str) -> date:
    """`2027-10-31`."""
    try:
        if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", str(text), re.ASCII):
            raise ValueError
        return date.fromisoformat(str(text))
    except ValueError:
        raise ValueError(f"not a date: {text!r}; write YYYY-MM-DD, such as 2027-10-31") from None


def read_moment(text: str) -> str:
    """`2027-10-31 22:00`, in the provider's time zone unless an offset is written; printed in one form."""
    try:
        return datetime.fromisoformat(str(text).strip()).isoformat(" ", "minutes")
    except ValueError:
        raise ValueError(f"not a date and time: {text!r}; write YYYY-MM-DD HH:MM") from None


def read_mail_address(text: str) -> str:
    """`name@domain`, as written."""
    if not _MAIL_ADDRESS.fullmatch(str(text)):
        raise ValueError(f"not a mail address: {text!r}; write name@domain")
    return str(text)


def read_pattern(text: str) -> str:
    """A glob over a whole address: `*@studiorossi.it`."""
    pattern = str(text)
    if "@" not in pattern and "*" not in pattern:
        raise ValueError(
            f"matches no address: {text!r}; a pattern covers the whole address, such as *@{pattern or 'x.it'}"
        )
    return pattern


def read_reference(text: str) -> SecretReference:
    """`env:NAME`, `file:PATH`, `secret:NAME`, else the secret itself; no error repeats it."""
    match = _REFERENCE.fullmatch(str(text))
    if match is None:
        if not text:
            raise ValueError("an empty secret; write env:NAME, file:PATH or secret:NAME")
        return SecretReference(SecretKind.LITERAL, str(text))
    if not match[2].strip():
        raise ValueError(f"nothing after {match[1]}:; write env:NAME, file:PATH or secret:NAME")
    return SecretReference(SecretKind(match[1]), match[2].strip())
