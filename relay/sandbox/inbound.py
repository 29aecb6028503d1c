"""Turns the bytes of a client into command lines and messages.

Law: only CR LF ends a line and only CR LF . CR LF ends a message (RFC 5321 2.3.8, 4.1.1.4); whatever is too long is
read to its end and thrown away, so that the session stays usable and memory bounded.
"""

from enum import Enum

MAX_LINE = 12_288
"""The longest command: AUTH with a token (RFC 4954 section 4.5.3 asks for 12,288 octets); the others need less."""

_END = b"\r\n.\r\n"


class Bad(Enum):
    """Why something that arrived whole is not handed on."""

    TOO_LONG = "too long"
    BARE_LF = "a line ended with LF alone"
    TOO_BIG = "too big"


class Inbound:
    """The bytes that arrived and are not used yet."""

    __slots__ = ("_buffer", "_is_skipping", "_max_size", "_scanned", "_thrown_away")

    def __init__(self, max_size: int) -> None:
        self._buffer = bytearray()
        self._max_size = max_size
        self._scanned = 0
        self._is_skipping = False
        self._thrown_away = 0

    def feed(self, data: bytes) -> None:
        """Takes bytes from the wire."""
        self._buffer += data

    def clear(self) -> None:
        """Forgets what was not used: what came in clear behind STARTTLS must not be read as if it were encrypted."""
        self._buffer.clear()

    @property
    def has_message_bytes(self) -> bool:
        """Whether anything of a message has arrived."""
        return len(self._buffer) > 2

    def take_line(self) -> bytes | Bad | None:
        """The next line without its end; None: not yet whole."""
        buffer = self._buffer
        end = buffer.find(b"\n")
        if end < 0:
            if len(buffer) > MAX_LINE:
                self._is_skipping = True
                buffer.clear()
            return None
        line = bytes(buffer[: end + 1])
        del buffer[: end + 1]
        was_skipping, self._is_skipping = self._is_skipping, False
        if was_skipping or len(line) > MAX_LINE:
            return Bad.TOO_LONG
        return line[:-2] if line.endswith(b"\r\n") else Bad.BARE_LF

    def start_message(self) -> None:
        """A message begins: the line end before it belongs to the marker of its end, so that it may be empty."""
        self._buffer[:0] = b"\r\n"
        self._scanned = 0
        self._thrown_away = 0

    def take_message(self) -> bytes | Bad | None:
        """The message without its end and with its dots unstuffed; None: not yet whole."""
        buffer = self._buffer
        end = buffer.find(_END, max(0, self._scanned - len(_END) + 1))
        if end < 0:
            self._scanned = len(buffer)
            if len(buffer) > self._max_size + len(_END):
                self._throw_away()
            return None
        is_too_big = self._thrown_away > 0 or end > self._max_size
        message = Bad.TOO_BIG if is_too_big else _unstuffed(buffer, end + 2)
        del buffer[: end + len(_END)]
        return message

    def _throw_away(self) -> None:
        """Keeps only what may be the beginning of the marker."""
        gone = len(self._buffer) - len(_END) + 1
        self._thrown_away += gone
        del self._buffer[:gone]
        self._scanned = 0


def _unstuffed(buffer: bytearray, end: int) -> bytes:
    """The message between the line end that was put before it and `end`; most hold no dot to take away."""
    if buffer.find(b"\r\n.", 0, end) >= 0:
        return bytes(buffer[:end]).replace(b"\r\n.", b"\r\n")[2:]
    with memoryview(buffer) as view:
        return bytes(view[2:end])
