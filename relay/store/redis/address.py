"""Where the store is: `redis://`, `rediss://`, `unix://` and `redis+sentinel://` addresses, parsed.

Law: user and password are in no text that it gives.
"""

from dataclasses import dataclass, field
from enum import Enum
from typing import NoReturn
from urllib.parse import parse_qsl, unquote, urlsplit

from relay.errors import ConfigError

REDIS_PORT = 6379
SENTINEL_PORT = 26379
DIGITS = 9
"""Of the number of a database: no server has as many."""

FORMS = "redis://HOST:PORT/NUMBER, rediss://..., unix:///PATH or redis+sentinel://HOST:PORT,HOST:PORT/SERVICE/NUMBER"
_OPTIONS = {"rediss": {"ca"}, "unix": {"db"}, "redis": set[str](), "redis+sentinel": set[str]()}


class Scheme(Enum):
    """How the server is reached."""

    PLAIN = "redis"
    TLS = "rediss"
    UNIX = "unix"
    SENTINEL = "redis+sentinel"


@dataclass(frozen=True, slots=True)
class Host:
    """One server or sentinel on the network, or by the path of its socket."""

    name: str
    port: int = 0

    def __str__(self) -> str:
        if not self.port:
            return self.name
        return f"[{self.name}]:{self.port}" if ":" in self.name else f"{self.name}:{self.port}"


@dataclass(frozen=True, slots=True)
class Login:
    """Who the relay is to the server; shows nothing of itself."""

    user: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Address:
    """`hosts` are the server itself or, with `service`, the sentinels that know it; `ca` is a file of trust anchors."""

    scheme: Scheme
    hosts: tuple[Host, ...]
    login: Login = Login()
    db: int = 0
    service: str | None = None
    ca: str | None = None

    def __str__(self) -> str:
        hosts = ",".join(map(str, self.hosts))
        service = f"/{self.service}" if self.service else ""
        return f"{self.scheme.value}://{hosts}{service}" + (f"/{self.db}" if self.db else "")


def parse_address(text: str) -> Address:
    """The address that `store:` names. ConfigError: it is none; the text says what is wrong, and no password."""
    scheme_text, found, _ = text.partition("://")
    try:
        scheme = Scheme(scheme_text)
    except ValueError:
        scheme = None
    if scheme is None or not found:
        raise ConfigError(f"store: unknown kind of address; write {FORMS}")
    try:
        parts = urlsplit(text)
    except ValueError:
        _refuse(scheme, "the host is not one")
    if "%00" in text or "\0" in text:
        _refuse(scheme, "it has a NUL")
    if parts.fragment or "@" in parts.path:
        _refuse(scheme, "write %23 for #, %2F for /, %40 for @ in user and password")
    login, _, places = parts.netloc.rpartition("@")
    options = _options_of(scheme, parts.query)
    if "ca" in options and not options["ca"].startswith("/"):
        _refuse(scheme, "after ?ca= comes the path of a file, beginning with /")
    if scheme is Scheme.UNIX:
        if places or len(parts.path) < 2:
            _refuse(scheme, "after unix:// comes the path of the socket, beginning with /")
        return Address(scheme, (Host(unquote(parts.path)),), _login_of(login), _number(scheme, options.get("db", "0")))
    hosts = tuple(_host(scheme, each) for each in places.split(","))
    if scheme is not Scheme.SENTINEL and len(hosts) > 1:
        _refuse(scheme, "only redis+sentinel:// takes several hosts")
    service, db = _path_of(scheme, parts.path)
    return Address(scheme, hosts, _login_of(login), db, service, options.get("ca"))


def _refuse(scheme: Scheme, why: str) -> NoReturn:
    raise ConfigError(f"store: {scheme.value}://...: {why}; write {FORMS}")


def _options_of(scheme: Scheme, query: str) -> dict[str, str]:
    options = dict(parse_qsl(query, keep_blank_values=True))
    for name in options:
        if name not in _OPTIONS[scheme.value]:
            known = " or ".join(sorted(_OPTIONS[scheme.value])) or "none"
            _refuse(scheme, f"after ? an option that is not known (known: {known})")
    return options


def _login_of(text: str) -> Login:
    user, _, password = text.partition(":")
    if text and ":" not in text:  # redis-cli and others read a lone word as user; without password it logs in nobody
        raise ConfigError("store: before @ comes user:password, or :password")
    return Login(unquote(user) or None, unquote(password) or None)


def _host(scheme: Scheme, text: str) -> Host:
    default = SENTINEL_PORT if scheme is Scheme.SENTINEL else REDIS_PORT
    if text.startswith("["):
        name, _, rest = text[1:].partition("]")
        if rest and not rest.startswith(":"):
            _refuse(scheme, f"after [{name}] comes : and the port")
        port = rest.removeprefix(":")
    else:
        name, _, port = text.partition(":")
    if not name:
        _refuse(scheme, "a host is missing")
    if any(not letter.isprintable() or letter.isspace() for letter in name) or not _can_be_asked_for(name):
        _refuse(scheme, "a host is not one")
    if port and not (_is_number(port, 5) and 0 < int(port) < 65536):
        _refuse(scheme, f"the port of {name} is not a number from 1 to 65535")
    return Host(name, int(port) if port else default)


def _path_of(scheme: Scheme, path: str) -> tuple[str | None, int]:
    parts = [unquote(each) for each in path.split("/")[1:] if each]
    service = None
    if scheme is Scheme.SENTINEL:
        if not parts:
            _refuse(scheme, "after the sentinels comes the name by which they know the primary")
        service = parts.pop(0)
    if len(parts) > 1:
        _refuse(scheme, "the path is too long")
    return service, _number(scheme, parts[0] if parts else "0")


def _number(scheme: Scheme, text: str) -> int:
    if not _is_number(text, DIGITS):
        _refuse(scheme, "the database is not a number")
    return int(text)


def _is_number(text: str, digits: int) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= digits


def _can_be_asked_for(name: str) -> bool:
    """Whether a resolver takes it: no part of it is empty or longer than 63 octets (RFC 1035 section 2.3.4)."""
    try:
        return bool(name.encode("idna"))
    except UnicodeError:
        return False
