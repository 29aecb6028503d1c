"""What a client has sent and the dialogue has not yet read: bytes in; command lines and messages out.

Law: a message ends with CRLF.CRLF and with nothing else, wherever the network cuts the bytes; each byte is looked at
a bounded number of times, however slowly they come.
"""

from relay.core.content import find_dot_line
from relay.core.refusal import Reason

BLOCK: int = 65_536
"""Octets of a message that are searched at once, and of a command line that is too long before it is thrown away."""

END_OF_DATA = b"\r\n.\r\n"
_AT_START = END_OF_DATA[2:]
_KEPT_BACK = len(END_OF_DATA) - 1


class Incoming:
    """The bytes of one connection; `line` and `data` return nothing until there is enough."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._searched = 0
        self._is_overlong = False
        self._is_at_start = False

    @property
    def size(self) -> int:
        """Octets not yet read."""
        return len(self._buffer)

    def feed(self, octets: bytes) -> None:
        """Takes what came in."""
        self._buffer += octets

    def clear(self) -> None:
        """Forgets what was not read: nothing sent before a change to TLS may count after it (RFC 3207, 4.2)."""
        self._buffer.clear()
        self._searched = 0
        self._is_overlong = False

    def take(self, most: int | None = None) -> bytes:
        """Hands over what was not read, or at most so many octets of it, to somebody else."""
        octets = bytes(self._buffer[:most])
        self._consume(len(octets))
        return octets

    def line(self, most: int) -> bytes | Reason | None:
        """The next line without its CRLF (or LF); None: not there yet; a reason: it had more than `most` octets."""
        buffer = self._buffer
        end = buffer.find(b"\n", self._searched)
        if end < 0:
            if len(buffer) > BLOCK:
                buffer.clear()
                self._is_overlong = True
            self._searched = len(buffer)
            return None
        line = bytes(buffer[: end - 1 if end and buffer[end - 1] == 13 else end])
        self._consume(end + 1)
        if self._is_overlong or len(line) > most:
            self._is_overlong = False
            return Reason.COMMAND_TOO_LONG
        return line

    def begin_data(self) -> None:
        """What comes next is a message: the CRLF of the command before it counts as the first of CRLF.CRLF."""
        self._is_at_start = True

    def data(self, blocks: list[bytes]) -> bool:
        """Moves what is sure to belong to the message to `blocks`; whether it has ended."""
        buffer = self._buffer
        if self._is_at_start:
            if buffer.startswith(_AT_START):
                self._consume(len(_AT_START))
                self._is_at_start = False
                return True
            if _AT_START.startswith(buffer):
                return False
            self._is_at_start = False
        end = self._end_of_data()
        if end >= 0:
            blocks.append(self._copied(end + 2))
            self._consume(end + len(END_OF_DATA))
            return True
        if len(buffer) > BLOCK:
            blocks.append(self._copied(len(buffer) - _KEPT_BACK))
            self._consume(len(buffer) - _KEPT_BACK)
        self._searched = len(buffer)
        return False

    def _end_of_data(self) -> int:
        """Where CRLF.CRLF is in what was not searched yet; -1: not there."""
        buffer = self._buffer
        at = find_dot_line(buffer, max(0, self._searched - _KEPT_BACK))
        return at if at < 0 or buffer.startswith(END_OF_DATA, at) else buffer.find(END_OF_DATA, at)

    def _copied(self, count: int) -> bytes:
        """The first octets, copied once."""
        with memoryview(self._buffer) as view:
            return bytes(view[:count])

    def _consume(self, count: int) -> None:
        del self._buffer[:count]
        self._searched = 0
