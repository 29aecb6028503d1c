"""Values into header fields, and parts into a whole: how the texts of a report are encoded.

Law: no value can end the field that it stands in, and no part the whole; nothing of it steers a terminal.
"""

import re
from base64 import b64encode
from binascii import b2a_qp

LINE: int = 76
"""Where lines are folded (RFC 5322, 2.1.1 asks for 78)."""

WORD: int = 900
"""A longer word is cut, because a line may have 998 octets (RFC 5322, 2.1.1)."""

VALUE: int = 4096
"""A field is cut here: replies end at 2 kB, addresses far before."""

ENCODED: int = 42
"""Octets in one encoded word: in base64 they make 68 characters, so that `Subject:` has room on the same line."""

_XTEXT = re.compile(r"\+([0-9A-F]{2})")


def header_field(name: str, value: str) -> bytes:
    """One header field, folded; no value can end it."""
    lines, line = [], f"{name}:"
    for word in _words(cleaned(value)[:VALUE]):
        if len(line) + 1 + len(word) > LINE and line.strip() != f"{name}:":
            lines.append(line)
            line = ""
        line += f" {word}"
    return "".join(f"{each}\r\n" for each in (*lines, line)).encode()


def _words(value: str) -> list[str]:
    return [word[at : at + WORD] for word in value.split(" ") if word for at in range(0, len(word), WORD)]


def cleaned(value: str) -> str:
    """Without anything that could end a line or steer a terminal."""
    return "".join(char if char.isprintable() else " " for char in value).strip()


def as_ascii(value: str) -> str:
    """With `?` for what is not ASCII."""
    return cleaned(value).encode("ascii", "replace").decode()


def phrase(text: str) -> str:
    """A phrase of ours, as RFC 2047 writes it if it is not ASCII: in encoded words of at most 75 characters."""
    if text.isascii():
        return text
    words, word = [], ""
    for char in text:
        if len((word + char).encode()) > ENCODED:
            words.append(word)
            word = ""
        word += char
    return " ".join(f"=?utf-8?b?{b64encode(each.encode()).decode()}?=" for each in (*words, word))


def unxtext(value: str) -> str:
    """RFC 3461, 4: `+3D` is `=`."""
    return _XTEXT.sub(lambda match: chr(int(match[1], 16)), value)


def quoted(content: bytes) -> bytes:
    """Quoted-printable (RFC 2045, 6.7); each line ends in CRLF."""
    return b"\r\n".join(b2a_qp(line, istext=False).replace(b"=\n", b"=\r\n") for line in content.split(b"\r\n"))


def free_boundary(boundary: str, parts: list[bytes]) -> bytes:
    """The boundary, made longer until no part contains it (RFC 2046, 5.1.1)."""
    found = re.sub(r"[^0-9A-Za-z]", "", boundary)[:40].encode() or b"report"
    while any(b"--" + found in part for part in parts):
        found += b"x"
    return found
