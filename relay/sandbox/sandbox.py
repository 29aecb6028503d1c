"""The sandbox: a provider emulator that counts, enforces limits and can lie.

Law: it starts once, tolerates a second stop, and stops in this order: the listener closes, connections break, the log
is written, temporary certificates go.
"""

import asyncio
import ssl
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType

from relay.errors import PermanentError
from relay.sandbox.certificates import CertificateFiles, make_certificates
from relay.sandbox.connection import Connection
from relay.sandbox.journal import Record, read_log
from relay.sandbox.provider import Provider
from relay.sandbox.script import Script, parse_reply
from relay.sandbox.session import Session
from relay.sandbox.settings import SandboxSettings, Tls, parse_faults, parse_window
from relay.sandbox.users import Users
from relay.sandbox.windows import Windows
from relay.sandbox.world import World, real_world


def _any(_: Record) -> bool:
    return True


class Sandbox:
    """One emulated provider on one port; use it as an async context manager, or `start` and `stop` it."""

    def __init__(self, settings: SandboxSettings, *, world: World | None = None) -> None:
        self._settings = settings
        self._world = world or real_world(settings.seed)
        self._provider = Provider(settings, self._world)
        self._connections: set[Connection] = set()
        self._is_deserted = asyncio.Event()
        self._is_deserted.set()
        self._serial = 0
        self._server: asyncio.Server | None = None
        self._tls: ssl.SSLContext | None = None
        self._folder: TemporaryDirectory[str] | None = None
        self._files: CertificateFiles | None = None

    # ------------------------------------------------------------------------------------------------ its life
    async def __aenter__(self) -> "Sandbox":
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        """Listens; raises OSError if the port is taken, CertificateTrouble if TLS cannot be had."""
        try:
            await self._start()
        except BaseException:
            await self.stop()
            raise

    async def _start(self) -> None:
        settings = self._settings
        if settings.log and settings.limits:
            self._provider.recall(read_log(settings.log), now=self._world.now())
        if settings.tls is not Tls.NONE:
            self._tls = await self._make_tls()
        implicit = self._tls if settings.tls is Tls.IMPLICIT else None
        self._server = await asyncio.get_running_loop().create_server(
            self._connect, settings.host, settings.port, ssl=implicit, backlog=1024, reuse_address=True
        )

    async def stop(self) -> None:
        """Breaks everything off; a second call does nothing."""
        server, self._server = self._server, None
        if server is not None:
            server.close()
            self.break_connections()
            await server.wait_closed()
        await self._is_deserted.wait()
        self._provider.journal.close()
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None

    @property
    def port(self) -> int:
        """The port that it listens on."""
        if self._server is None:
            raise SandboxStopped
        port = self._server.sockets[0].getsockname()[1]
        assert isinstance(port, int)
        return port

    @property
    def authority(self) -> Path | None:
        """The certificate that a client has to trust, if the sandbox made its own."""
        return self._files.authority if self._files else None

    # ------------------------------------------------------------------------------------------------ what it saw
    @property
    def log(self) -> list[Record]:
        """All records so far (none with `remember=False`)."""
        return self._provider.journal.records

    @property
    def delivered(self) -> list[Record]:
        """The records of messages taken, one for each recipient."""
        return [record for record in self.log if record["event"] == "delivered"]

    async def wait_for(
        self,
        event: str,
        *,
        count: int = 1,
        where: Callable[[Record], bool] = _any,
        timeout: float = 30.0,
    ) -> list[Record]:
        """Waits for `count` records of `event` that fulfil `where`, earlier ones included; raises TimeoutError."""
        async with asyncio.timeout(timeout):
            await self._provider.journal.wait_for(event, count, where)
        return [record for record in self.log if record["event"] == event and where(record)]

    # ------------------------------------------------------------------------------------------- what can be changed
    def set_users(self, users: Mapping[str, str] | None) -> None:
        """From now on these may log in; None: everybody."""
        self._provider.users = Users(users)

    def set_limits(self, *limits: str) -> None:
        """From now on these limits hold; what was sent before is counted in them."""
        windows = Windows(parse_window(text) for text in limits)
        self._provider.windows = windows
        self._provider.recall(self.log, now=self._world.now())

    def set_faults(self, *faults: str) -> None:
        """From now on these faults are drawn; none: no fault."""
        self._provider.rates = parse_faults(faults)

    def set_replies(self, *replies: str) -> None:
        """From now on these replies are given; none: the usual ones."""
        self._provider.script = Script(parse_reply(text) for text in replies)

    def add_reply(self, reply: str) -> None:
        """Puts a scripted reply behind those of its stage."""
        self._provider.script.add(parse_reply(reply))

    def show(self, certificate: Path, key: Path) -> None:
        """From now on this certificate is shown, as by a provider that renewed its own."""
        if self._tls is None:
            raise SandboxStopped
        self._tls.load_cert_chain(certificate, key)

    def break_connections(self) -> None:
        """Breaks every connection, as a provider that dies does."""
        for connection in list(self._connections):
            connection.abort()

    # --------------------------------------------------------------------------------------------------- connections
    def _connect(self) -> Connection:
        self._serial += 1
        settings = self._settings
        session = Session(self._provider, self._serial, can_upgrade=settings.tls is Tls.STARTTLS)
        return Connection(session, self._provider.journal, self, idle_seconds=settings.idle_seconds)

    def admit(self, connection: Connection) -> bool:
        """Counts a connection; False from `max_sessions` on, though it still has to be told so."""
        self._connections.add(connection)
        self._is_deserted.clear()
        return len(self._connections) <= self._settings.max_sessions

    def release(self, connection: Connection) -> None:
        """Forgets a connection that is gone."""
        self._connections.discard(connection)
        if not self._connections:
            self._is_deserted.set()

    async def upgrade(self, connection: Connection, transport: asyncio.Transport) -> asyncio.Transport | None:
        """TLS under an existing connection; None if the client does not manage it."""
        assert self._tls is not None
        loop = asyncio.get_running_loop()
        try:
            return await loop.start_tls(transport, connection, self._tls, server_side=True)
        except OSError:
            return None

    async def _make_tls(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        certificate, key = self._settings.certificate, self._settings.key
        if certificate is None:
            self._folder = TemporaryDirectory(prefix="sandbox-")
            self._files = await make_certificates(Path(self._folder.name))
            certificate, key = self._files.certificate, self._files.key
        context.load_cert_chain(certificate, key)
        return context


class SandboxStopped(PermanentError):
    """the sandbox is not running"""
