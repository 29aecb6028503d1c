"""Whether a client is who it says: its password is checked once and then remembered for some minutes.

Law: a password is hashed in the executor handed in, at most two at once, and never compared but in constant time; what
is remembered is a keyed hash, and nothing of it outlives the routing that it was checked against.
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

HASHES_AT_ONCE: int = 2
"""Each takes a core and 19 MB; delivery needs the rest."""

HASHES_WAITING_MOST: int = 64
"""More than this wait for a second and more: they are told to come again instead of filling memory."""

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
        self._hashing = asyncio.Semaphore(HASHES_AT_ONCE)
        self._checked_against: Routing | None = None
        self._remembered: dict[bytes, float] = {}
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
        if self._guesses.is_locked(login, peer.text, self._clock()):
            return Reason.LOGIN_TOO_OFTEN
        routing = self._checked_against
        reference = None if client is None else client.password
        is_verified = await self._check((digest, client is None), login, peer, reference=reference, password=password)
        if is_verified is None:
            return Reason.LOGIN_UNCHECKED
        now = self._clock()
        if client is None or not is_verified:
            return Reason.LOGIN_TOO_OFTEN if self._guesses.is_locked(login, peer.text, now) else Reason.LOGIN_WRONG
        self._guesses.right(login, peer.text)
        if routing is self._checked_against:
            self._remember(digest, now)
        return client

    async def _check(
        self, key: _CheckKey, login: str, peer: Peer, *, reference: SecretReference | None, password: bytes
    ) -> bool | None:
        """Whether the password is right; the same one asked for at the same time is checked once. None: cannot tell."""
        check = self._checks.get(key)
        if check is None:
            if len(self._checks) >= HASHES_WAITING_MOST:
                return None
            self._guesses.begin(login, peer.text, self._clock())
            check = asyncio.get_running_loop().create_task(self._hash(reference, password))
            self._checks[key] = check
            check.add_done_callback(lambda _: self._checks.pop(key))
            return await asyncio.shield(check)
        is_verified = await asyncio.shield(check)
        if is_verified is False:
            self._guesses.begin(login, peer.text, self._clock())
        return is_verified

    async def _hash(self, reference: SecretReference | None, password: bytes) -> bool | None:
        async with self._hashing:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._executor, self._is_right, reference, password)

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

    def _remember(self, digest: bytes, now: float) -> None:
        self._remembered.pop(digest, None)
        if len(self._remembered) >= REMEMBERED_MOST:
            del self._remembered[next(iter(self._remembered))]
        self._remembered[digest] = now + REMEMBERED_SECONDS
