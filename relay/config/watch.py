"""Watches the routing and the files that its secrets are in: `RoutingWatch(...).changes()` yields what was edited.

Law: an edit is read only when it has stood still for one look, whole, and away from the loop; one that does not fit
yields its problems and no routing, so that the running one stays; what is the same as before yields nothing.
Looking means stat: an edit in place, a rename over the file and a swapped symbolic link all show there, on every file
system, without a limit on watches and without an event that gets lost.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from concurrent.futures import BrokenExecutor, Executor
from pathlib import Path
from typing import Any, TypeVar

from relay.config.part import Part, read_part
from relay.config.problems import Loaded
from relay.config.references import Resolve
from relay.config.routing import ReadParts, RoutingLoader, read_parts_here, routing_files
from relay.core.routing import Routing, SecretKind, SecretReference

Result = TypeVar("Result")

LOOK_EVERY: float = 0.15
"""Seconds. An edit is seen after one look, known to stand still after two: well within the second that is promised."""

LOOKS_UNTIL_READ: int = 5
"""A file that never stands still is read all the same, after so many looks."""

SECRETS_PER_LOOK: int = 1_000
"""More files of secrets than this are looked at in turns; a stat takes microseconds, a hundred thousand do not."""

_Stamp = tuple[int, int, int, int, int] | None
_Stamps = tuple[tuple[str, _Stamp], ...]


def read_parts_in(processes: Executor) -> ReadParts:
    """Reads files in other processes, and here if those have died."""

    def read_parts(files: Sequence[tuple[str, bytes]]) -> Iterable[Part]:
        try:
            return list(processes.map(read_part, *zip(*files, strict=True))) if files else []
        except BrokenExecutor:
            return read_parts_here(files)

    return read_parts


class RoutingWatch:
    """One routing on disk. `executor` has the threads that look and read, `read_parts` may use processes."""

    def __init__(
        self,
        path: Path,
        resolve: Resolve,
        *,
        executor: Executor,
        read_parts: ReadParts = read_parts_here,
        look_every: float = LOOK_EVERY,
    ) -> None:
        self._path = path
        self._resolve = resolve
        self._executor = executor
        self._loader = RoutingLoader(path, read_parts)
        self._look_every = look_every
        self._lock = asyncio.Lock()
        self._seen: _Stamps = ()
        self._secrets = SecretFiles(())
        self._last: Loaded[Routing] | None = None

    async def load(self) -> Loaded[Routing]:
        """The routing as it stands on disk now; None with its problems where an error refuses it."""
        async with self._lock:
            return await self._away(self._load)

    @property
    def digest(self) -> str:
        """Of the bytes of all files as they were loaded last; another one as soon as any of them is edited."""
        return self._loader.digest

    async def changes(self) -> AsyncIterator[Loaded[Routing]]:
        """What was edited since `load`, each time that it was; ends only by being cancelled."""
        before, restless = self._seen, 0
        while True:
            await asyncio.sleep(self._look_every)
            stamps, has_new_secret = await self._away(self._look)
            restless = restless + 1 if stamps != before else 0
            stands_still, before = stamps == before or restless >= LOOKS_UNTIL_READ, stamps
            if not has_new_secret and (stamps == self._seen or not stands_still):
                continue
            async with self._lock:
                last = self._last
                loaded = await self._away(self._load)
                is_new = has_new_secret or await self._away(_differ, last, loaded)
            if is_new:
                yield loaded

    def _load(self) -> Loaded[Routing]:
        self._seen = _stamps(self._path)  # before reading: an edit that comes meanwhile is seen by the next look
        self._last = self._loader.load(self._resolve)
        if self._last.value is not None:
            self._secrets = SecretFiles(secret_files(self._last.value))
        return self._last

    def _look(self) -> tuple[_Stamps, bool]:
        return _stamps(self._path), self._secrets.have_changed()

    async def _away(self, work: Callable[..., Result], *arguments: Any) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._executor, work, *arguments)


class SecretFiles:
    """Files of secrets; a change counts when it has stood still from one look to the next."""

    def __init__(self, paths: Iterable[str]) -> None:
        self._known = {path: _stamp(path) for path in paths}
        self._order = list(self._known)
        self._moving: dict[str, _Stamp] = {}
        self._next = 0

    def have_changed(self) -> bool:
        """Whether any has, among those whose turn it is."""
        turn = self._order[self._next : self._next + SECRETS_PER_LOOK]
        self._next = self._next + SECRETS_PER_LOOK if self._next + SECRETS_PER_LOOK < len(self._order) else 0
        has_changed = False
        for path in dict.fromkeys((*self._moving, *turn)):
            stamp = _stamp(path)
            if stamp == self._known[path]:
                self._moving.pop(path, None)
            elif self._moving.get(path, self) == stamp:
                del self._moving[path]
                self._known[path] = stamp
                has_changed = True
            else:
                self._moving[path] = stamp
        return has_changed


def secret_files(routing: Routing) -> frozenset[str]:
    """The files that `file:` references of a routing name."""
    secrets: list[SecretReference | None] = [account.password for account in routing.accounts.values()]
    secrets += [client.password for client in routing.clients.values()]
    secrets += [provider.oauth.client_secret for provider in routing.providers.values() if provider.oauth]
    return frozenset(secret.value for secret in secrets if secret is not None and secret.kind is SecretKind.FILE)


def _differ(before: Loaded[Routing] | None, after: Loaded[Routing]) -> bool:
    return before != after


def _stamps(path: Path) -> _Stamps:
    try:
        files = routing_files(path)
    except OSError:
        files = [path]
    return tuple((str(file), _stamp(file)) for file in files)


def _stamp(path: str | Path) -> _Stamp:
    try:
        found = Path(path).stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
