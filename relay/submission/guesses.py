"""How often logins were tried with wrong passwords, and who is not heard for a while because of it.

Law: an attempt counts from the moment it begins, so that a hundred at once are a hundred; only a right password takes
it back. Nobody is locked out by what comes from another address: each address has at least its first attempt.
"""

from hashlib import blake2b

GUESSES_MOST: int = 10
"""Wrong attempts for one login from one address within the window."""

SIEGE_GUESSES: int = 100
"""Wrong attempts for one login from all addresses that are no slips of people."""

SPRAY_GUESSES: int = 300
"""The same from one address for all logins: thirty practices behind one address may have a wrong password each."""

SIEGE_GUESSES_MOST: int = 1
"""Wrong attempts for one login from one address while the one or the other is besieged: a botnet gets no ten each."""

WINDOW_SECONDS: float = 600.0
"""A doctor who mistypes waits at most this long."""

KEYS_MOST: int = 100_000
"""What is remembered of each kind; each new one beyond costs a hash, and a window has no time for so many hashes."""


class Guesses:
    """The attempts that were wrong, or are not yet decided."""

    def __init__(self) -> None:
        self._here = _Attempts(GUESSES_MOST)
        self._for_login = _Attempts(SIEGE_GUESSES)
        self._from_address = _Attempts(SPRAY_GUESSES)

    def is_locked(self, login: str, address: str, now: float) -> bool:
        """Whether no more attempts are heard for now (seconds)."""
        here = self._here.count(_key(login, address), now)
        if here < SIEGE_GUESSES_MOST:
            return False
        return here >= GUESSES_MOST or self._is_besieged(login, address, now)

    def begin(self, login: str, address: str, now: float) -> None:
        """An attempt begins."""
        self._here.add(_key(login, address), now)
        self._for_login.add(_key(login), now)
        self._from_address.add(_key(address), now)

    def take_back(self, login: str, address: str) -> None:
        """The last attempt was right, or could not be checked: it counts for nothing."""
        self._here.take_back(_key(login, address))
        self._for_login.take_back(_key(login))
        self._from_address.take_back(_key(address))

    def right(self, login: str, address: str) -> None:
        """The password was right: what came before from here was a slip."""
        self._here.forget(_key(login, address))

    def _is_besieged(self, login: str, address: str, now: float) -> bool:
        is_sprayed = self._from_address.count(_key(address), now) >= SPRAY_GUESSES
        return is_sprayed or self._for_login.count(_key(login), now) >= SIEGE_GUESSES


class _Attempts:
    """When there were attempts, by key: the last `most` of each; the key that was quiet for longest comes first."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._times: dict[bytes, list[float]] = {}

    def count(self, key: bytes, now: float) -> int:
        return sum(time > now - WINDOW_SECONDS for time in self._times.get(key, ()))

    def add(self, key: bytes, now: float) -> None:
        times = self._times.pop(key, [])
        times.append(now)
        del times[: -self._most]
        self._times[key] = times
        self._forget_before(now - WINDOW_SECONDS)

    def take_back(self, key: bytes) -> None:
        if self._times.get(key):
            self._times[key].pop()

    def forget(self, key: bytes) -> None:
        self._times.pop(key, None)

    def _forget_before(self, then: float) -> None:
        while self._times:
            key, times = next(iter(self._times.items()))
            if times and times[-1] > then and len(self._times) <= KEYS_MOST:
                return
            del self._times[key]


def _key(*names: str) -> bytes:
    """Names of any length in 16 octets."""
    return blake2b("\0".join(names).encode(errors="replace"), digest_size=16).digest()
