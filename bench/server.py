"""A Redis under measurement: a real server as production has it, with its own account of CPU, memory and commands.

Law: every figure about the server is read from the server or from /proc, never worked out.
"""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import redis

from bench.processes import cpu_seconds
from tests.fakes.redisservers import Server, binaries

QUIET = ("auto-aof-rewrite-percentage 0", "io-threads 1")
"""No rewriting of the append-only file in the middle of a measurement; one thread, as Redis ships."""


@dataclass(frozen=True, slots=True)
class Ran:
    """Counts of a server since it was started; two of them make what happened between."""

    cpu: float
    scripts: int
    script_seconds: float
    commands: int
    reads: int

    def since(self, before: "Ran") -> "Ran":
        """What happened between the two."""
        return Ran(
            self.cpu - before.cpu,
            self.scripts - before.scripts,
            self.script_seconds - before.script_seconds,
            self.commands - before.commands,
            self.reads - before.reads,
        )


class Measured:
    """One running server."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.client: redis.Redis = server.client()

    @property
    def address(self) -> str:
        """As relay.yaml has it."""
        return f"{self.server.address}/0"

    def ran(self) -> Ran:
        """CPU, scripts and commands so far; commands inside scripts are counted too."""
        commands: Any = self.client.info("commandstats")
        stats: Any = self.client.info("stats")
        script = commands.get("cmdstat_evalsha", {"calls": 0, "usec": 0})
        reads = stats.get("total_reads_processed", 0)
        return Ran(
            cpu_seconds(self.server.pid),
            script["calls"],
            script["usec"] / 1e6,
            sum(each["calls"] for each in commands.values()),
            reads,
        )

    def memory(self) -> int:
        """Octets that it uses for data, without what clients' buffers take."""
        found: Any = self.client.info("memory")
        return int(found["used_memory_dataset"])

    def slowest_ms(self) -> float:
        """The longest that one command kept it since `forget_slow`."""
        found: Any = self.client.slowlog_get(128)
        return max((each["duration"] / 1000 for each in found), default=0.0)

    def forget_slow(self) -> None:
        """Begins anew."""
        self.client.config_set("slowlog-log-slower-than", 1000)
        self.client.slowlog_reset()


@contextmanager
def redis_server(*config: str, replicas: int = 0) -> Iterator[Measured]:
    """The system's redis-server, durable, on a port of 127.0.0.1; BENCH_REDIS names another of the tests' servers."""
    program = binaries()[os.environ.get("BENCH_REDIS", "redis-7")]
    with ExitStack() as stack:
        servers = [Server(program, *QUIET, *config, is_tcp=True) for _ in range(1 + replicas)]
        for server in servers:
            stack.callback(server.close)
            server.start()
        for server in servers[1:]:
            server.follow(servers[0])
        yield Measured(servers[0])
