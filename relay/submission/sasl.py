"""What a client says when it logs in: PLAIN (RFC 4616) and LOGIN, as RFC 4954 carries them.

Law: what cannot be decoded is refused and never guessed; nothing of it is kept.
"""

import binascii
from base64 import b64decode
from typing import NamedTuple

LINE_MOST: int = 12_288
"""Octets of a line of an exchange (RFC 4954, 4 names this size)."""

ASK_LOGIN = b"334 VXNlcm5hbWU6\r\n"
ASK_PASSWORD = b"334 UGFzc3dvcmQ6\r\n"
ASK = b"334 \r\n"

ABORT = b"*"


class Credentials(NamedTuple):
    """A login and its password; the password is compared as octets."""

    login: str
    password: bytes

    def __repr__(self) -> str:
        return "Credentials(...)"


def decoded(line: bytes) -> bytes | None:
    """The octets of a base64 line; `=` alone is an empty initial response (RFC 4954, 4). None: it is not base64."""
    if line == b"=":
        return b""
    try:
        return b64decode(line, validate=True)
    except binascii.Error:
        return None


def credentials(login: bytes, password: bytes) -> Credentials | None:
    """What LOGIN gave; None: no name can be written so."""
    try:
        return Credentials(login.decode(), password)
    except UnicodeDecodeError:
        return None


def plain_credentials(response: bytes) -> Credentials | None:
    """What PLAIN gave; None: it is none, or asks to act as somebody else."""
    parts = response.split(b"\0")
    if len(parts) != 3 or parts[0] not in (b"", parts[1]):
        return None
    return credentials(parts[1], parts[2])
