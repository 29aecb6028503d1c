"""The bytes of a submitted message: freed of the stuffing of SMTP, checked line by line, brought to wire form.

Law: a line ends with CRLF and with nothing else; a lone LF becomes CRLF or refuses the message, a lone CR and a NUL
always refuse it, because peers disagree on what they end (SMTP smuggling); no other byte changes.
"""

import re
from dataclasses import dataclass, field

from relay.core.refusal import Reason
from relay.core.routing import BareNewline

LINE_MOST: int = 65_536
"""Octets of a line; RFC 5322 asks for 998, but clients write whole attachments without a break."""

DOTS_TRIED: int = 64
"""Single dots looked at before lines are searched: headers have some, text has many, and attachments in base64, which
make a message large, have none."""

_DOT_LINE = b"\r\n."
_ORDINARY = bytes(octet for octet in range(256) if octet not in b"\0\r\n")
_LONE_LF = re.compile(rb"(?<!\r)\n(?:\.(?=\.))?")


@dataclass(frozen=True, slots=True)
class Lines:
    """Content of which every line ends with CRLF, and whether lone LFs had to be mended for it."""

    content: bytes = field(repr=False)
    is_mended: bool


def find_dot_line(octets: bytes | bytearray, start: int = 0) -> int:
    """Where the first CRLF and dot at or after `start` are; -1: nowhere."""
    at = start
    for _ in range(DOTS_TRIED):
        at = octets.find(b".", at)
        if at < 0:
            return -1
        if at - 2 >= start and octets[at - 2 : at] == b"\r\n":
            return at - 2
        at += 1
    return octets.find(_DOT_LINE, max(start, at - 2))


def unstuffed(raw: bytes) -> bytes:
    """The message without the dot that SMTP puts before a line's own first dot (RFC 5321, 4.5.2)."""
    if raw.startswith(b"."):
        raw = raw[1:]
    return raw if find_dot_line(raw) < 0 else raw.replace(_DOT_LINE, b"\r\n")


def stuffed(content: bytes) -> bytes:
    """The message with the dot that SMTP puts before a line's own first dot (RFC 5321, 4.5.2)."""
    if content.startswith(b"."):
        content = b"." + content
    return content if find_dot_line(content) < 0 else content.replace(_DOT_LINE, b"\r\n..")


def read_lines(content: bytes, bare_newline: BareNewline) -> Lines | Reason:
    """Content as lines, or why it cannot be taken as such.

    Of two dots after a lone LF one goes: who ends lines so also stuffs them so.
    """
    pairs = content.count(b"\r\n")
    is_right = 2 * pairs == len(content.translate(None, _ORDINARY))
    if not is_right:
        if b"\0" in content:
            return Reason.NUL
        if content.count(b"\r") != pairs:
            return Reason.BARE_CR
        if bare_newline is BareNewline.REJECT:
            return Reason.BARE_LF
        content = _LONE_LF.sub(b"\r\n", content)
    return Reason.LINE_TOO_LONG if _has_long_line(content) else Lines(content, is_mended=not is_right)


def _has_long_line(content: bytes) -> bool:
    """Whether a line without its end has more than `LINE_MOST` octets; looks at no more than each window's last LF."""
    at = 0
    while len(content) - at > LINE_MOST:
        newline = content.rfind(b"\n", at, at + LINE_MOST + 2)
        if newline < 0:
            return True
        at = newline + 1
    return False
