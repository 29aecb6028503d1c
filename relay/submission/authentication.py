"""Whether a client is who it says: its password is checked once and then remembered for some minutes.

Law: a password is hashed in the executor handed in, at most two at once, and never compared but in constant time; what
is remembered is a keyed hash, and nothing of it lets anybody in under another routing than it was checked against. Who
has been let in before is never locked out by others, be they at the same address: his password is heard all the same.
"""

import asyncio
import hmac
from collections.abc import Callable
from concurrent.futures import Executor

from relay.core.refusal import Reason
from relay.core.routing import Client, Routing, SecretReference
from relay.errors import RelayError
from relay.submission.guesses import Guesses
from relay.submission.passwords import is_right, waste
from relay.submission.peer import Peer
from relay.submission.turns import Turns

HASHES_AT_ONCE: int = 2
"""Each takes a core and 19 MB; delivery needs the rest."""

HASHES_WAITING_MOST: int = 64
"""More than this wait for a second and more: they are told to come again instead of filling memory."""

PROVED_MOST: int = 20_000
"""Passwords that were once right: twice as many as are remembered, for a day on which many are changed."""

REMEMBERED_SECONDS: float = 300.0
"""A hash costs more than all the rest of a submission; a secret changed in its place is noticed after this."""

REMEMBERED_MOST: int = 10_000
"""Twice the practices of the largest installation foreseen."""

_CheckKey = tuple[bytes, bool]


class Authenticator:
    """Checks logins against the routing in force; one for all connections."""

    def __init__(
        self,
        routing: Callable[[], Routing],
        resolve: Callable[[SecretReference], str | None],
        *,
        executor: Executor,
        key: bytes,
        clock: Callable[[], float],
    ) -> None:
        """`resolve` gives a secret or None and runs in `executor`; `key` is chance of this process; `clock` counts
        seconds and is never set back.
        """
        self._routing = routing
        self._resolve = resolve
        self._executor = executor
        self._key = key
        self._clock = clock
        self._guesses = Guesses()
        self._turns = Turns(HASHES_AT_ONCE, waiting_most=HASHES_WAITING_MOST)
        self._checked_against: Routing | None = None
        self._remembered: dict[bytes, float] = {}
        self._proved: dict[bytes, None] = {}
        """Logins with a password that was right, whatever the routing; heard again, never believed."""
        self._checks: dict[_CheckKey, asyncio.Task[bool | None]] = {}

    async def verify(self, login: str, password: bytes, peer: Peer) -> Client | Reason:
        """The client that logs in, or why it does not: wrong, wrong too often, or it cannot be checked now."""
        routing = self._routing()
        if routing is not self._checked_against:
            self.forget()
            self._checked_against = routing
        client = routing.clients.get(login)
        if client is not None and (client.password is None or not peer.is_in(client)):
            client = None
        digest = hmac.digest(self._key, login.encode() + b"\0" + password, "sha256")
        if client is not None and self._remembered.get(digest, 0.0) > self._clock():
            return client
        return await self._decided(login, password, peer, client=client, digest=digest)

    def forget(self) -> None:
        """Every password is checked again; called when secrets may have changed."""
        self._remembered.clear()

    async def _decided(
        self, login: str, password: bytes, peer: Peer, *, client: Client | None, digest: bytes
    ) -> Client | Reason:
        routing, key = self._checked_against, (digest, client is None)
        check = self._checks.get(key)
        if check is not None:
            is_verified = await asyncio.shield(check)
            if is_verified is False:
                self._guesses.begin(login, peer.text, self._clock())
        elif digest not in self._proved and self._guesses.is_locked(login, peer.text, self._clock()):
            return Reason.LOGIN_TOO_OFTEN
        else:
            is_verified = await self._check(key, login, peer, client=client, password=password)
        if is_verified is None:
            return Reason.LOGIN_UNCHECKED
        now = self._clock()
        if client is None or not is_verified:
            self._proved.pop(digest, None)
            return Reason.LOGIN_TOO_OFTEN if self._guesses.is_locked(login, peer.text, now) else Reason.LOGIN_WRONG
        self._guesses.right(login, peer.text)
        self._prove(digest)
        if routing is self._checked_against:
            self._remember(digest, now)
        return client

    async def _check(
        self, key: _CheckKey, login: str, peer: Peer, *, client: Client | None, password: bytes
    ) -> bool | None:
        """Whether the password is right; who asks for the same meanwhile waits for this check. None: cannot tell."""
        self._guesses.begin(login, peer.text, self._clock())
        reference = None if client is None else client.password
        hashing = self._hash(reference, password, peer.text, is_proved=key[0] in self._proved)
        check = asyncio.get_running_loop().create_task(hashing)
        self._checks[key] = check
        check.add_done_callback(lambda _: self._checks.pop(key))
        is_verified = await asyncio.shield(check)
        if is_verified is not False:
            self._guesses.take_back(login, peer.text)
        return is_verified

    async def _hash(
        self, reference: SecretReference | None, password: bytes, address: str, *, is_proved: bool
    ) -> bool | None:
        if not await self._turns.take(address, is_first=is_proved):
            return None
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._executor, self._is_right, reference, password)
        finally:
            self._turns.give_back()

    def _is_right(self, reference: SecretReference | None, password: bytes) -> bool | None:
        """Runs in the executor. None: the secret is not there or cannot be read."""
        if reference is None:
            waste(password)
            return False
        try:
            kept = self._resolve(reference)
            return None if kept is None else is_right(kept, password)
        except RelayError:
            return None

    def _prove(self, digest: bytes) -> None:
        self._proved.pop(digest, None)
        if len(self._proved) >= PROVED_MOST:
            del self._proved[next(iter(self._proved))]
        self._proved[digest] = None

    def _remember(self, digest: bytes, now: float) -> None:
        self._remembered.pop(digest, None)
        if len(self._remembered) >= REMEMBERED_MOST:
            del self._remembered[next(iter(self._remembered))]
        self._remembered[digest] = now + REMEMBERED_SECONDS
