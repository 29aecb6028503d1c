"""A provider's replies out of a stream of bytes, without a socket: bytes in, whole replies out.

Law: whatever a peer sends, at most `REPLY_BYTES` of it are kept, and what is no reply is never taken for one.
"""

from aiosmtplib import SMTPResponse

REPLY_BYTES: int = 32 * 1024
"""One reply with all its lines: the longest answer to EHLO is a few kB, a banner of 10 MB must not be held."""

LINE_BYTES: int = 4 * 1024
"""One line of it: RFC 5321 (4.5.3.1.5) allows 512 octets, some providers write more."""

_FINAL = (b" ", b"\r", b"\n")
_DIGITS = frozenset(b"0123456789")
_FIRST_DIGITS = frozenset(b"2345")


class ReplyReader:
    """Takes bytes as they come and gives replies as they are whole (RFC 5321, 4.2); a bare LF ends a line too."""

    __slots__ = ("_code", "_kept", "_lines", "_size", "is_nonsense")

    def __init__(self) -> None:
        self.is_nonsense = False
        """What came last was no reply, or too long for one: nothing more is read."""
        self._kept = b""
        self._lines: list[bytes] = []
        self._code = b""
        """Of the reply that has begun."""
        self._size = 0

    @property
    def is_inside_reply(self) -> bool:
        """Whether a reply has begun and is not whole yet."""
        return bool(self._kept or self._lines)

    def feed(self, data: bytes) -> list[SMTPResponse]:
        """The replies that became whole, up to the first thing that is none (then `is_nonsense`)."""
        data = self._kept + data if self._kept else data
        replies: list[SMTPResponse] = []
        start = 0
        while not self.is_nonsense and (end := data.find(b"\n", start)) >= 0:
            reply = self._take_line(data[start : end + 1])
            if reply is not None:
                replies.append(reply)
            start = end + 1
        self._kept = data[start:]
        if self.is_nonsense or len(self._kept) > LINE_BYTES:
            self.is_nonsense, self._kept = True, b""
        return replies

    def _take_line(self, line: bytes) -> SMTPResponse | None:
        """Keeps a line that another one follows; all lines of a reply have one code (RFC 5321, 4.2.1)."""
        self._size += len(line)
        if len(line) > LINE_BYTES or self._size > REPLY_BYTES or not _has_code(line) or self._is_other_code(line):
            self.is_nonsense = True
            return None
        self._code = line[:3]
        self._lines.append(line[4:].strip())
        if line[3:4] == b"-":
            return None
        text = b"\n".join(self._lines).decode("utf-8", "replace")
        self._lines.clear()
        self._size = 0
        return SMTPResponse(int(line[:3]), text)

    def _is_other_code(self, line: bytes) -> bool:
        """Whether it goes on with another code: nobody knows which of them is meant."""
        return bool(self._lines) and line[:3] != self._code


def _has_code(line: bytes) -> bool:
    """Three digits, the first from 2 to 5, and then the end, a space or a hyphen."""
    if len(line) < 4 or line[0] not in _FIRST_DIGITS or line[1] not in _DIGITS or line[2] not in _DIGITS:
        return False
    return line[3:4] == b"-" or line[3:4] in _FINAL
