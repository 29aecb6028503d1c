"""The sockets that others are handed: bound before anything says that it is ready.

Law: a port that is taken is a sentence with the address in it, and nothing was started for it.
"""

import errno
import socket

from relay.errors import PermanentError

BACKLOG: int = 1024
"""Connections that wait for accept: a Monday morning of all practices at once; the kernel may bound it lower."""


class CannotListen(PermanentError):
    """an address cannot be listened at"""


def bind(host: str, port: int) -> socket.socket:
    """A listening socket. CannotListen says which address, and why."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0 if host == "::" else 1)
        bound.bind((host, port))
        bound.listen(BACKLOG)
        bound.setblocking(False)
    except OSError as error:
        bound.close()
        raise CannotListen(f"cannot listen at {shown(host, port)}: {_why(error, port)}") from error
    return bound


def shown(host: str, port: int) -> str:
    """`host:port` as it is written in the configuration."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def address_of(bound: socket.socket) -> str:
    """Where a socket listens: with the port that the kernel chose, if it was to choose."""
    host, port = bound.getsockname()[:2]
    return shown(host, port)


def _why(error: OSError, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return "another process listens there"
    if error.errno == errno.EACCES and port < 1024:
        return "ports below 1024 need the right to bind them (CAP_NET_BIND_SERVICE)"
    return (error.strerror or str(error)).lower()
