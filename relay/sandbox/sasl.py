"""The two ways to log in: PLAIN (RFC 4616) and LOGIN (never standardised; every client knows it).

Law: an exchange ends in credentials or in a refusal, after at most two challenges.
"""

from base64 import b64decode
from typing import NamedTuple

from relay.sandbox.replies import Refusal, Say

MECHANISMS = ("PLAIN", "LOGIN")
_ASK_PLAIN = "334 "
_ASK_USER = "334 VXNlcm5hbWU6"
_ASK_PASSWORD = "334 UGFzc3dvcmQ6"


class Credentials(NamedTuple):
    """What a client logs in with."""

    user: str
    password: str


class Exchange:
    """One AUTH command with its challenges."""

    def __init__(self, mechanism: str) -> None:
        if mechanism not in MECHANISMS:
            raise Refusal(Say.MECHANISM)
        self._is_plain = mechanism == "PLAIN"
        self._user: str | None = None

    def start(self, initial: str | None) -> str | Credentials:
        """The first challenge, or already the credentials; `=` is an empty initial response (RFC 4954 section 4)."""
        if initial is not None:
            return self.answer("" if initial == "=" else initial)
        return _ASK_PLAIN if self._is_plain else _ASK_USER

    def answer(self, line: str) -> str | Credentials:
        """Takes a response in base64; returns the next challenge or the credentials."""
        if line == "*":
            raise Refusal(Say.CANCELLED)
        try:
            text = b64decode(line, validate=True).decode("utf-8")
        except ValueError:
            raise Refusal(Say.BASE64) from None
        return self._plain(text) if self._is_plain else self._login(text)

    def _plain(self, text: str) -> Credentials:
        parts = text.split("\0")
        if len(parts) != 3:
            raise Refusal(Say.SYNTAX)
        return Credentials(parts[1], parts[2])

    def _login(self, text: str) -> str | Credentials:
        if self._user is None:
            self._user = text
            return _ASK_PASSWORD
        return Credentials(self._user, text)
