"""The ways to log in, each as what it says to which challenge: PLAIN, LOGIN, CRAM-MD5 and XOAUTH2.

Law: of what a provider offers exactly one mechanism is chosen, once; none of them does input or output, and no secret
shows in `repr` or in an error.
"""

import hmac
from base64 import b64decode, b64encode
from collections.abc import Callable, Collection, Generator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from relay.core.routing import Auth
from relay.errors import PermanentError, TemporaryError


@dataclass(frozen=True, slots=True)
class Credentials:
    """A login: `secret` is the mailbox's password, or an access token."""

    username: str
    secret: str = field(repr=False)


class BadCredentials(PermanentError):
    """this login holds characters that no mechanism can carry"""


class BadChallenge(TemporaryError):
    """the provider asked for something that this mechanism does not know"""


class Mechanism(StrEnum):
    """By their names in the answer to EHLO, lower case."""

    PLAIN = "plain"
    LOGIN = "login"
    CRAM_MD5 = "cram-md5"
    XOAUTH2 = "xoauth2"


PREFERENCE: Mapping[Auth, tuple[Mechanism, ...]] = MappingProxyType(
    {
        Auth.PASSWORD: (Mechanism.PLAIN, Mechanism.LOGIN, Mechanism.CRAM_MD5),
        Auth.OAUTH2: (Mechanism.XOAUTH2,),
        Auth.NONE: (),
    }
)
"""The surest first: encryption is always verified, so CRAM-MD5 hides nothing more; and many hosts that offer it cannot
do it, because they keep no password that they could read."""

SECRET_LEAST: int = 4
"""Characters from which on a secret is looked for in answers: a shorter one is found in any sentence."""

_Steps = Generator[bytes, str, None]
_FORBIDDEN = frozenset("\0\r\n\x01")
"""What separates the parts of PLAIN and XOAUTH2, and what ends a line."""


def choose(auth: Auth, offered: Collection[str]) -> Mechanism | None:
    """The one mechanism to use; `offered` in lower case. None: there is none that both sides know."""
    return next((mechanism for mechanism in PREFERENCE[auth] if mechanism in offered), None)


class Exchange:
    """One login in one mechanism (RFC 4954, 4): lines to send, in the order of the challenges."""

    def __init__(self, mechanism: Mechanism, credentials: Credentials) -> None:
        if _FORBIDDEN.intersection(credentials.username + credentials.secret):
            raise BadCredentials
        self._steps = _CONVERSATIONS[mechanism](credentials)
        initial = next(self._steps)
        self._spoken = [credentials.secret]
        self._spoken += [b64encode(said).decode() for said in (initial, credentials.secret.encode()) if said]
        command = f"AUTH {mechanism.upper()}".encode()
        self.command = command + b" " + b64encode(initial) if initial else command
        """The first line, with the initial response where the mechanism has one."""

    def answer(self, challenge: str) -> bytes:
        """The line that answers a 334; BadChallenge when there is nothing more to say."""
        try:
            line = b64encode(self._steps.send(challenge))
        except (StopIteration, ValueError):
            raise BadChallenge from None
        self._spoken.append(line.decode())
        return line

    def censored(self, text: str) -> str:
        """A provider's answer without what we said to it: some quote the line that they refuse."""
        return _without(self._spoken, text)


def without_secret(text: str, credentials: Credentials) -> str:
    """A provider's answer, at whichever stage, without the secret, in clear and in the forms in which it is sent."""
    secret = credentials.secret
    spoken = [secret, b64encode(secret.encode()).decode()]
    if not _FORBIDDEN.intersection(credentials.username + secret):
        spoken += [b64encode(next(mechanism(credentials))).decode() for mechanism in (_plain, _xoauth2)]
    return _without(spoken, text)


def _without(spoken: Collection[str], text: str) -> str:
    for said in sorted(spoken, key=len, reverse=True):
        text = text.replace(said, "<secret>") if len(said) >= SECRET_LEAST else text
    return text


def _plain(credentials: Credentials) -> _Steps:
    """RFC 4616, 2; without an identity to act as."""
    yield f"\0{credentials.username}\0{credentials.secret}".encode()


def _login(credentials: Credentials) -> _Steps:
    """Never standardised: name and password are asked for, whatever the challenges say."""
    yield b""
    yield credentials.username.encode()
    yield credentials.secret.encode()


def _cram_md5(credentials: Credentials) -> _Steps:
    """RFC 2195, 2: the challenge, keyed with the password."""
    challenge = yield b""
    digest = hmac.digest(credentials.secret.encode(), b64decode(challenge, validate=True), "md5")
    yield f"{credentials.username} {digest.hex()}".encode()


def _xoauth2(credentials: Credentials) -> _Steps:
    """As Google and Microsoft document it; a refusal comes as a challenge first, which an empty line answers."""
    yield f"user={credentials.username}\1auth=Bearer {credentials.secret}\1\1".encode()
    yield b""


_CONVERSATIONS: Mapping[Mechanism, Callable[[Credentials], _Steps]] = MappingProxyType(
    {
        Mechanism.PLAIN: _plain,
        Mechanism.LOGIN: _login,
        Mechanism.CRAM_MD5: _cram_md5,
        Mechanism.XOAUTH2: _xoauth2,
    }
)
