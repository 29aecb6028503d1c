"""Names of providers' hosts, looked up without holding up anybody else.

Law: each provider has its own bounded executor, so that a name server that hangs stops only the provider it serves; the
same name is never looked up twice at once, and a name that was known lately outlives its name server for an hour.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass

FRESH: float = 60.0
"""Seconds for which an answer is not asked for again: a burst of logins is one question."""

STALE: float = 3600.0
"""Seconds for which the last answer serves while there is no new one; whoever answers there has to prove his name."""

PATIENCE: float = 5.0
"""Seconds that a look-up gets where an older answer could serve; else the caller's time to connect bounds it."""

Resolve = Callable[[str, str], Awaitable[Sequence[str]]]
"""Provider and host name to addresses, the best first; OSError when there are none."""


class ExecutorResolver:
    """Looks up in the executor of the provider, which the caller made and bounds."""

    def __init__(self, executor_of: Callable[[str], Executor]) -> None:
        self._executor_of = executor_of
        self._under_way: dict[tuple[str, str], asyncio.Future[Sequence[str]]] = {}

    async def __call__(self, provider: str, host: str) -> Sequence[str]:
        """The addresses of a host; OSError when the name is unknown or the name server does not answer."""
        key = provider, host
        lookup = self._under_way.get(key)
        if lookup is None:
            loop = asyncio.get_running_loop()
            lookup = loop.run_in_executor(self._executor_of(provider), _addresses, host)
            self._under_way[key] = lookup
            lookup.add_done_callback(lambda done: self._forget(key, done))
        return await asyncio.shield(lookup)

    def _forget(self, key: tuple[str, str], lookup: "asyncio.Future[Sequence[str]]") -> None:
        """Looks at the error too, because everybody who waited for it may have given up."""
        del self._under_way[key]
        if not lookup.cancelled():
            lookup.exception()


@dataclass(frozen=True, slots=True)
class _Answer:
    at: float
    addresses: Sequence[str]


class RememberingResolver:
    """Asks another resolver, seldom, and goes on for a while without it; it knows as many names as providers had."""

    def __init__(self, resolve: Resolve) -> None:
        self._resolve = resolve
        self._answers: dict[tuple[str, str], _Answer] = {}

    async def __call__(self, provider: str, host: str) -> Sequence[str]:
        """The addresses of a host, perhaps those of an hour ago; OSError when there are none."""
        now = asyncio.get_running_loop().time()
        known = self._answers.get((provider, host))
        if known is not None and now - known.at < FRESH:
            return known.addresses
        if known is None or now - known.at > STALE:
            return await self._ask(provider, host)
        try:
            async with asyncio.timeout(PATIENCE):
                return await self._ask(provider, host)
        except OSError:  # a time-out is one too
            return known.addresses

    async def _ask(self, provider: str, host: str) -> Sequence[str]:
        addresses = await self._resolve(provider, host)
        if addresses:
            self._answers[provider, host] = _Answer(asyncio.get_running_loop().time(), addresses)
        return addresses


def _addresses(host: str) -> Sequence[str]:
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))
