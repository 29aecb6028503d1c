"""The exchange of one AUTH command (RFC 4954): PLAIN and LOGIN, with or without an initial response.

Law: three wrong answers end the connection; what the client said is handed on and kept nowhere.
"""

from typing import Protocol

from relay.core.refusal import Reason
from relay.core.routing import Client
from relay.submission.peer import Peer
from relay.submission.sasl import (
    ABORT,
    ASK,
    ASK_LOGIN,
    ASK_PASSWORD,
    LINE_MOST,
    Credentials,
    credentials,
    decoded,
    plain_credentials,
)
from relay.submission.wire import Wire

WRONG_MOST: int = 3
"""Wrong logins in one connection; a doctor's software sends the same password again and again."""


class Verifier(Protocol):
    """Who knows the clients."""

    async def verify(self, login: str, password: bytes, peer: Peer) -> Client | Reason:
        """The client that logs in, or why it does not: wrong, wrong too often, or it cannot be checked now."""


class LoginExchange:
    """The logins of one connection."""

    def __init__(self, wire: Wire, authenticator: Verifier, peer: Peer) -> None:
        self._wire = wire
        self._authenticator = authenticator
        self._peer = peer
        self._wrong = 0

    async def run(self, argument: bytes) -> Client | Reason:
        """What `AUTH argument` leads to. ClientGone."""
        mechanism, _, initial = argument.strip().partition(b" ")
        match mechanism.upper():
            case b"PLAIN":
                said = await self._plain(initial.strip())
            case b"LOGIN":
                said = await self._login(initial.strip())
            case _:
                return Reason.MECHANISM_UNKNOWN
        if isinstance(said, Reason):
            return said
        found = Reason.LOGIN_WRONG if said is None else await self._authenticator.verify(*said, self._peer)
        if found is Reason.LOGIN_WRONG:
            self._wrong += 1
            return Reason.LOGIN_TOO_OFTEN if self._wrong >= WRONG_MOST else found
        return found

    async def _plain(self, initial: bytes) -> Credentials | Reason | None:
        response = await self._response(initial, ASK)
        return response if isinstance(response, Reason) else plain_credentials(response)

    async def _login(self, initial: bytes) -> Credentials | Reason | None:
        login = await self._response(initial, ASK_LOGIN)
        if isinstance(login, Reason):
            return login
        password = await self._response(b"", ASK_PASSWORD)
        return password if isinstance(password, Reason) else credentials(login, password)

    async def _response(self, initial: bytes, prompt: bytes) -> bytes | Reason:
        """What the client says to this, in clear; asked for unless it was said with the command."""
        line: bytes | Reason = initial
        if not initial:
            self._wire.say(prompt)
            line = await self._wire.line(LINE_MOST)
        if isinstance(line, Reason):
            return line
        if line == ABORT:
            return Reason.LOGIN_ABORTED
        response = decoded(line)
        return Reason.LOGIN_GARBLED if response is None else response
