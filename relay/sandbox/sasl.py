"""The ways to log in: PLAIN (RFC 4616), LOGIN (never standardised), CRAM-MD5 (RFC 2195) and XOAUTH2.

Law: an exchange ends in a proof or in a refusal, after at most two challenges; whose proof it is decides the caller.
"""

import hmac
import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Generator, Mapping
from typing import Final, NamedTuple

from relay.sandbox.replies import Refusal, Say

MECHANISMS = ("PLAIN", "LOGIN", "CRAM-MD5", "XOAUTH2")
"""What it knows."""

REFUSED_TOKEN = b64encode(b'{"status":"400","schemes":"Bearer","scope":"https://mail.sandbox.test/"}').decode()
"""What Google says instead of a refusal: the client has to answer it with an empty line to hear the 535."""

_XOAUTH2 = re.compile("user=([^\x01]*)\x01auth=Bearer ([^\x01]*)\x01\x01")


class Proof(NamedTuple):
    """Who logs in, and whether what he showed proves that he knows a password."""

    user: str
    is_of: Callable[[str], bool]
    refusal: str | None = None
    """The challenge that comes before the refusal."""


Steps = Generator[str, str, Proof]
"""Challenges out, responses in, both without base64; the proof at the end."""


class Exchange:
    """One AUTH command with its challenges."""

    def __init__(
        self, mechanism: str, *, offered: tuple[str, ...] = MECHANISMS, nonce: str = "<1@sandbox.test>"
    ) -> None:
        if mechanism not in offered or mechanism not in _CONVERSATIONS:
            raise Refusal(Say.MECHANISM)
        self._takes_initial = mechanism != "CRAM-MD5"
        self._steps = _CONVERSATIONS[mechanism](nonce)

    def start(self, initial: str | None) -> str | Proof:
        """The first challenge, or already the proof; `=` is an empty initial response (RFC 4954 section 4)."""
        challenge = next(self._steps)
        if initial is None:
            return _asking(challenge)
        if not self._takes_initial:
            raise Refusal(Say.SYNTAX)
        return self.answer("" if initial == "=" else initial)

    def answer(self, line: str) -> str | Proof:
        """Takes a response in base64; returns the next challenge or the proof."""
        if line == "*":
            raise Refusal(Say.CANCELLED)
        try:
            text = b64decode(line, validate=True).decode("utf-8")
        except ValueError:
            raise Refusal(Say.BASE64) from None
        try:
            return _asking(self._steps.send(text))
        except StopIteration as done:
            proof: Proof = done.value
            return proof


def _asking(challenge: str) -> str:
    return f"334 {b64encode(challenge.encode()).decode()}"


def _knows(password: str) -> Callable[[str], bool]:
    return lambda right: hmac.compare_digest(right.encode(), password.encode())


def _plain(_: str) -> Steps:
    parts = (yield "").split("\0")
    if len(parts) != 3:
        raise Refusal(Say.SYNTAX)
    return Proof(parts[1], _knows(parts[2]))


def _login(_: str) -> Steps:
    user = yield "Username:"
    password = yield "Password:"
    return Proof(user, _knows(password))


def _cram_md5(nonce: str) -> Steps:
    user, _, digest = (yield nonce).rpartition(" ")
    if not user:
        raise Refusal(Say.SYNTAX)
    return Proof(user, lambda right: hmac.digest(right.encode(), nonce.encode(), "md5").hex() == digest)


def _xoauth2(_: str) -> Steps:
    match = _XOAUTH2.fullmatch((yield ""))
    if match is None:
        raise Refusal(Say.SYNTAX)
    return Proof(match[1], _knows(match[2]), refusal=f"334 {REFUSED_TOKEN}")


_CONVERSATIONS: Final[Mapping[str, Callable[[str], Steps]]] = {
    "PLAIN": _plain,
    "LOGIN": _login,
    "CRAM-MD5": _cram_md5,
    "XOAUTH2": _xoauth2,
}
