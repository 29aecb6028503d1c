"""Whether what a client was told has reached it, as far as the kernel knows.

Law: only what the other end has acknowledged while it was there counts as read; what nobody can tell was not.
"""

import array
import asyncio
import fcntl
import os
import socket
import termios

TCP_CLOSE: int = 7
"""Of the states in linux/tcp_states.h: nothing goes in or out any more."""


class Receipt:
    """Of one connection."""

    __slots__ = ("_is_ended", "_is_judged", "_is_unread")

    def __init__(self) -> None:
        self._is_ended = False
        self._is_judged = False
        self._is_unread = True

    def said(self) -> None:
        """Something more was said: of what is said to who has ended, nobody knows whether it arrives."""
        if self._is_ended and not self._is_judged:
            self._is_unread = True

    def sent_away(self, transport: asyncio.Transport | None) -> None:
        """The relay ends it; whether the farewell arrives is nobody's matter."""
        self.ended(transport)
        self._is_judged = True

    def ended(self, transport: asyncio.Transport | None) -> None:
        """The connection ends in good order; the first time tells what had arrived by then."""
        if not self._is_ended:
            self._is_ended = True
            self._is_unread = transport is None or has_outstanding(transport)

    def broke(self) -> None:
        """The connection broke: the other end was not there, or threw away what it had not read."""
        if not self._is_judged:
            self._is_ended, self._is_unread = True, True

    @property
    def is_all_read(self) -> bool:
        """Whether everything that was said arrived while the client was there."""
        return not self._is_unread


def has_outstanding(transport: asyncio.Transport) -> bool:
    """Whether something was said that the other end has not acknowledged, or never will; yes where nobody can tell."""
    if transport.get_write_buffer_size() > 0:
        return True
    known = transport.get_extra_info("socket")
    if known is None:
        return True
    unsent = array.array("i", [0])
    try:
        fcntl.ioctl(known.fileno(), termios.TIOCOUTQ, unsent)  # SIOCOUTQ of tcp(7): octets not yet acknowledged
        return unsent[0] > 0 or _is_reset(known.fileno())
    except (OSError, ValueError):
        return True


def _is_reset(descriptor: int) -> bool:
    """Whether the other end threw the connection away: after its FIN that reads like any end (TCP_INFO of tcp(7))."""
    with socket.socket(fileno=os.dup(descriptor)) as same:  # uvloop's own has no options
        return same.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] == TCP_CLOSE
