"""One connection to one server of Redis, used by one thread: commands go out together, replies come back in order.

Law: after a time-out or anything else that leaves a reply unread it is closed for good; a late reply is never read as
another command's.
"""

import errno
import socket
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import redis
from redis import exceptions

from relay.core.limits import SECOND
from relay.errors import RelayError, StoreUnavailable
from relay.store.redis.address import Host, Login
from relay.store.redis.causes import TLS, cause_over_tls, flaw_of_anchors
from relay.store.redis.failures import MOVED, Deed, code_of, deed_of, is_answer, translated

Reply = Any
"""What Redis answers: bytes, an int, None, or a list of them."""

Command = tuple[bytes | str | int, ...]

NOBODY = frozenset({errno.ECONNREFUSED, errno.EHOSTUNREACH, errno.ENETUNREACH})
"""Numbers of errors with which a connection does not come about at all."""

LEAST = SECOND // 100
"""A wait is never shorter: zero would mean not to wait at all, and the reply may be there already."""


@dataclass(frozen=True, slots=True)
class Way:
    """How a server is reached: all that its hosts have in common."""

    login: Login = Login()
    db: int = 0
    is_tls: bool = False
    ca: str | None = None
    is_proven: bool = False
    """Whether it has led to the store before: then nobody is told to write another one."""


class Wire:
    """Opened once, and closed for good by whatever goes wrong; instants in microseconds of the clock it is given."""

    def __init__(self, host: Host, way: Way, boottime: Callable[[], int]) -> None:
        self.host = host
        self._way = way
        self._boottime = boottime
        self._connection = _connection_to(host, way)
        self._is_open = False
        self._has_answered = False
        self._has_moved = False
        self._cut_by: exceptions.RedisError = exceptions.ConnectionError("closed")

    @property
    def is_open(self) -> bool:
        """Whether it can carry a command, as far as this end can know."""
        return self._is_open

    def open(self, until: int) -> None:
        """Connects and logs in. StoreUnavailable: not until then, or refused."""
        if self._way.ca is not None and (flaw := flaw_of_anchors(self._way.ca)) is not None:
            raise StoreUnavailable(f"{self.host} is not reached: {flaw}")
        self._connection.socket_connect_timeout = self._connection.socket_timeout = self._left(until)
        try:
            self._connection.connect()
        except exceptions.RedisError as error:
            self.close()
            cause = self._cause(error)
            raise translated(error, str(self.host), Deed("login"), is_sent=False, cause=cause) from None
        except OSError as error:
            self.close()
            raise StoreUnavailable(f"{self.host} is not reached: {error.strerror or 'no TLS'}") from None
        self._is_open = True

    def is_cut(self) -> bool:
        """Whether the other end has closed it meanwhile, as a server does that ends; then it is closed here too."""
        try:
            if not (self._is_open and self._connection.can_read(timeout=0)):
                return not self._is_open
        except (exceptions.RedisError, OSError):
            pass  # cannot be read because it was cut
        self.close()
        return True

    def ask(self, *command: bytes | str | int, until: int) -> Reply:
        """The reply to one command. StoreSilent: none came; other errors of the store: it was refused."""
        [reply] = self.ask_all([command], until=until)
        if isinstance(reply, RelayError):
            raise reply
        return reply

    def ask_all(
        self, commands: Sequence[Command], *, until: int, deeds: Sequence[Deed] = ()
    ) -> list[Reply | RelayError]:
        """Sends all at once; each one's reply, or the error that it met: one refused does not hide the others."""
        deeds = deeds or [deed_of(command) for command in commands]
        if not self._is_open:  # redis-py would connect again by itself, past all checks
            raise StoreUnavailable(f"{self.host} is not connected")
        try:
            self._connection.socket_timeout = self._left(until)
            self._connection.send_packed_command(self._connection.pack_commands(commands), check_health=False)
        except exceptions.RedisError as error:
            self.close()
            cause = self._cause(error)
            return [translated(error, str(self.host), deed, is_sent=True, cause=cause) for deed in deeds]
        replies = [self._read(deed, until) for deed in deeds]
        if self._has_moved:
            self.close()
        return replies

    def _read(self, deed: Deed, until: int) -> Reply | RelayError:
        if not self._is_open:
            return translated(self._cut_by, str(self.host), deed, is_sent=True, cause=self._cause(self._cut_by))
        try:
            reply = self._connection.read_response(timeout=self._left(until))
            self._has_answered = True
            return reply
        except exceptions.RedisError as error:
            self._has_answered = self._has_answered or is_answer(error)
            if code_of(error) == "NOSCRIPT":
                return NotLoaded()
            self._has_moved = self._has_moved or code_of(error) in MOVED
            if not is_answer(error) or not self._connection.is_connected:
                self.close()
            if not is_answer(error):
                self._cut_by = error  # what comes after it in this pipeline fails as it does
            return translated(error, str(self.host), deed, is_sent=True, cause=self._cause(error))

    def _cause(self, error: exceptions.RedisError) -> str:
        """What may be wrong with the way, where it has led to nothing yet; empty: nothing that could be told."""
        if self._has_answered or is_answer(error) or not self.host.port or _is_refused(error):
            return ""
        if self._way.is_tls:
            return cause_over_tls(error, self._way.ca, is_proven=self._way.is_proven)
        return "" if self._way.is_proven or isinstance(error, exceptions.TimeoutError) else TLS

    def close(self) -> None:
        """Harmless when called twice."""
        self._is_open = False
        self._connection.disconnect()

    def _left(self, until: int) -> float:
        return max(until - self._boottime(), LEAST) / SECOND


def _is_refused(error: BaseException) -> bool:
    """Whether nobody listens there, or the way is cut: then nothing was said, with TLS or without."""
    below: BaseException | None = error
    while below is not None:
        if isinstance(below, socket.gaierror) or (isinstance(below, OSError) and below.errno in NOBODY):
            return True
        below = below.__cause__ or below.__context__
    return False


class NotLoaded(RelayError):
    """the server does not know this script yet"""


# Typed by nobody: redis-py's classes of connections have no annotations.
_PLAIN: Any = redis.Connection
_SOCKET: Any = redis.UnixDomainSocketConnection
_TLS: Any = redis.SSLConnection


def _connection_to(host: Host, way: Way) -> Any:
    options: dict[str, Any] = {
        "db": way.db, "username": way.login.user, "password": way.login.password,
        "protocol": 2, "driver_info": None,  # nothing is sent at connect but AUTH and SELECT
    }  # fmt: skip
    if not host.port:
        return _SOCKET(path=host.name, **options)
    if not way.is_tls:
        return _PLAIN(host=host.name, port=host.port, **options)
    return _TLS(
        host=host.name, port=host.port, ssl_cert_reqs="required", ssl_check_hostname=True, ssl_ca_certs=way.ca,
        ssl_min_version=ssl.TLSVersion.TLSv1_2, **options,
    )  # fmt: skip
