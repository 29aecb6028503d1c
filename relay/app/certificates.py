"""The certificate in force: read at the start, and read again when its files change.

Law: a pair that cannot be used never replaces one that works: the running one stays, loudly, and the trouble ends by
itself with the next pair that fits; no connection is dropped for any of it.
"""

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from relay.admin import Readiness
from relay.observe import Log
from relay.store.needs import Runner
from relay.submission import Certificate, CertificateTrouble

LOOK_EVERY: float = 1.0
"""Seconds between two looks. A pair is read when it has stood still for one, because its files change one by one."""

EDIT = "tls-certificate"
"""What readiness calls a pair that was refused: the running one works on, so the node stays ready."""

_Stamp = tuple[int, int, int, int, int] | None


@dataclass(frozen=True, slots=True)
class CertificateFiles:
    """Where the pair is, and for which listeners."""

    certificate: Path
    key: Path
    listeners: tuple[str, ...]


class CertificateKeeper:
    """Keeps the certificate of all listeners with TLS."""

    def __init__(
        self,
        files: CertificateFiles,
        read: Callable[[Path, Path], Certificate],
        *,
        run: Runner,
        log: Log,
        readiness: Readiness,
    ) -> None:
        """`read` reads a pair and raises CertificateTrouble; `run` runs blocking work."""
        self._files = files
        self._read = read
        self._run = run
        self._log = log
        self._readiness = readiness
        self._certificate: Certificate | None = None
        self._seen: tuple[_Stamp, ...] = ()
        self._refused: str | None = None

    def context(self) -> ssl.SSLContext:
        """What the next handshake shows."""
        assert self._certificate is not None
        return self._certificate.context

    def expiries(self) -> dict[str, float]:
        """When the certificate of each listener ends, in seconds since 1970."""
        if self._certificate is None:
            return {}
        return dict.fromkeys(self._files.listeners, self._certificate.expires_at)

    async def start(self) -> None:
        """Reads the pair. CertificateTrouble: it cannot be used, and there is no other."""
        self._seen = await self._run(self._stamps)
        self._take(await self._run(self._load))

    async def follow(self) -> None:
        """Takes or refuses each new pair; runs until it is cancelled."""
        before = self._seen
        while True:
            await asyncio.sleep(LOOK_EVERY)
            stamps = await self._run(self._stamps)
            stands_still, before = stamps == before, stamps
            if stands_still and (stamps != self._seen or self._refused is not None):
                await self._look_again(stamps)

    async def _look_again(self, stamps: tuple[_Stamp, ...]) -> None:
        try:
            self._take(await self._run(self._load))
        except CertificateTrouble as trouble:
            self._refuse(str(trouble))
        self._seen = stamps

    def _take(self, certificate: Certificate) -> None:
        self._certificate = certificate
        self._log.certificate_applied(expires_at=certificate.expires_at)
        self._refused = None
        self._readiness.clear(EDIT)

    def _refuse(self, trouble: str) -> None:
        """Said once for each trouble, though it is looked at again and again."""
        if trouble != self._refused:
            self._log.certificate_refused(problem=trouble)
        self._refused = trouble
        self._readiness.set(EDIT, f"the new certificate is refused, the one before is still shown: {trouble}")

    def _load(self) -> Certificate:
        return self._read(self._files.certificate, self._files.key)

    def _stamps(self) -> tuple[_Stamp, ...]:
        return tuple(_stamp(path) for path in (self._files.certificate, self._files.key))


def _stamp(path: Path) -> _Stamp:
    """What changes with an edit in place, a rename over the file, and a swapped symbolic link."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
