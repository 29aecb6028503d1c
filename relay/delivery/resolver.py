"""Names of providers' hosts, looked up without holding up anybody else.

Law: each provider has its own bounded executor, so that a name server that hangs stops only the provider it serves; the
same name is never looked up twice at once.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Executor

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


def _addresses(host: str) -> Sequence[str]:
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))
