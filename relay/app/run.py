"""From a configuration to a process that runs until it is told to stop.

Law: the first SIGTERM, SIGINT or SIGHUP drains, the second one is in a hurry; SIGKILL at any time is safe. A service
that ends by itself has failed.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import uvloop

from relay import __version__
from relay.admin import Readiness
from relay.app.machine import MachineClock, Threads, children, keep_memory_private, lasting_memory, raise_open_files
from relay.app.means import Means
from relay.app.service import Service
from relay.app.settings import is_shared, shown
from relay.app.shelf import SecretShelf
from relay.app.supervision import Supervisor
from relay.app.systemd import READY, STOPPING, ServiceManager
from relay.config.coming import coming
from relay.config.part import Part
from relay.config.problems import Problem
from relay.config.references import References
from relay.config.routing import read_parts_here
from relay.config.service import ServiceConfig
from relay.config.watch import RoutingWatch, read_parts_in
from relay.errors import PermanentError
from relay.observe import LineSink, Log, Metrics, as_json, as_text, silence_libraries
from relay.store.ports.nodes import Role

STDERR: int = 2

LOG_EVERY: float = 0.05
"""Seconds that log lines are gathered: a reader sees them at once, and a burst costs one write."""

LAST_WORDS: float = 2.0
"""Seconds for the last log lines, and for threads to end."""

OPEN_FILES: int = 65_536
"""Wanted: two for each client and session, and room for a burst."""

SPARE_FILES: int = 1_500
"""Beyond the clients: sessions with providers, the store, the admin's side."""


class NotThereYet(PermanentError):
    """a part of the configuration is not there yet"""


class WrongRole(PermanentError):
    """a node on this store cannot have this role"""


READ_HERE: int = 500_000
"""Octets of routing that are read in this process; more would hold up the loop for too long."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be run; `say` tells whoever started it of a problem."""

    config: ServiceConfig
    source: Path
    environ: Mapping[str, str]
    say: Callable[[Problem], None]
    role: Role = Role.ALL


def run(order: Order) -> bool:
    """Runs the relay until a signal; whether it ended as it should. RelayError: it could not start."""
    refuse_roles(order)
    refuse_what_is_not_there(order.config)
    silence_libraries()
    keep_memory_private()
    os.umask(0o077)
    threads = Threads()
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            is_well = runner.run(_logged(order, threads))
    finally:
        threads.close()
    if not threads.are_done(LAST_WORDS):
        os._exit(0 if is_well else 1)  # a thread hangs in a call, and the interpreter would wait for it
    return is_well


def refuse_roles(order: Order) -> None:
    """A store that only one node can use leaves it everything to do."""
    if not is_shared(order.config) and order.role is not Role.ALL:
        raise WrongRole(f"with SQLite a node does all: --role {order.role} is for nodes that share a Redis (store:)")


def refuse_what_is_not_there(config: ServiceConfig) -> None:
    """Nothing that protects is left out silently."""
    for place, text in coming(config):
        raise NotThereYet(f"{place[0]}: {text}")


async def _logged(order: Order, threads: Threads) -> bool:
    loop = asyncio.get_running_loop()
    clock = MachineClock()
    sink = LineSink(write_all, threads.pool("log", 1), lambda flush: loop.call_later(LOG_EVERY, flush))
    log = Log(sink, clock.wall_seconds, form=as_text if sys.stderr.isatty() else as_json)
    loop.set_exception_handler(lambda _, context: _log_stray(log, context))
    try:
        return await _serve(order, clock, threads, log)
    finally:
        sink.close(LAST_WORDS)


async def _serve(order: Order, clock: MachineClock, threads: Threads, log: Log) -> bool:
    began = clock.monotonic()
    config = order.config
    log.starting(version=__version__, config=str(order.source), settings=shown(config))
    config = _within_files(config, log)
    shelf = SecretShelf()
    resolve = References(order.environ, shelf)
    means = Means(
        config=config,
        environ=order.environ,
        clock=clock,
        threads=threads,
        log=log,
        metrics=Metrics(__version__),
        readiness=Readiness(clock.wall_seconds),
        resolve=resolve,
        shelf=shelf,
        manager=ServiceManager(order.environ, pid=os.getpid()),
        role=order.role,
        started_at=clock.wall(),
    )
    supervisor = Supervisor(log)
    hurry = asyncio.Event()
    _on_signals(supervisor, hurry)
    service = Service(means, supervisor, hurry)
    watch = RoutingWatch(
        config.routing,
        References(order.environ, shelf.is_there),
        executor=threads.pool("files", 2),
        read_parts=read_parts,
    )
    try:
        with lasting_memory():
            loaded = await watch.load()
            for problem in loaded.problems:
                order.say(problem)
            is_up = await _start(service.start(loaded, watch), supervisor)
        if is_up:
            log.ready(seconds=clock.monotonic() - began)
            means.manager.tell(READY)
        cause = await supervisor.until_over()
        means.manager.tell(STOPPING)
        log.stopping(cause=cause)
    finally:
        supervisor.end("the start failed")
        began = clock.monotonic()
        cut_short = await service.stop()
        log.stopped(seconds=clock.monotonic() - began, cut_short=cut_short)
    return supervisor.failure is None


async def _start(work: Coroutine[Any, Any, None], supervisor: Supervisor) -> bool:
    """Whether the service came up before somebody asked for its end. RelayError: it could not."""
    starting, over = asyncio.create_task(work), asyncio.create_task(supervisor.until_over())
    await asyncio.wait({starting, over}, return_when=asyncio.FIRST_COMPLETED)
    over.cancel()
    if not starting.done():
        starting.cancel()
        await asyncio.wait({starting})
    if starting.cancelled():
        return False
    starting.result()
    return True


def _on_signals(supervisor: Supervisor, hurry: asyncio.Event) -> None:
    def heard(name: str) -> None:
        if supervisor.is_over:
            hurry.set()
        supervisor.end(name)

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):  # a terminal that closes is no reason to lose time
        asyncio.get_running_loop().add_signal_handler(number, heard, number.name)


def _within_files(config: ServiceConfig, log: Log) -> ServiceConfig:
    """The configuration with as many clients as open files allow: those of the store must not go to strangers."""
    submission = config.submission
    wanted = submission.max_connections + SPARE_FILES
    allowed = raise_open_files(max(OPEN_FILES, wanted))
    if allowed >= wanted:
        return config
    most = min(submission.max_connections, max(allowed - SPARE_FILES, allowed // 2))
    log.config_warned(
        f"only {allowed} open files are allowed; max_connections and sessions may need {wanted}: "
        f"at most {most} clients at once until the limit is raised (LimitNOFILE=, ulimit -n)"
    )
    return replace(config, submission=replace(submission, max_connections=most))


def _log_stray(log: Log, context: Mapping[str, Any]) -> None:
    """What nobody waited for failed: a defect, but not one that stops mail."""
    error = context.get("exception")
    if isinstance(error, BaseException):
        log.failed(what="loop", error=error)
    else:
        log.trouble(what="loop", text=str(context.get("message", "")))


def write_all(batch: bytes) -> None:
    """Writes to stderr, whatever it is."""
    while batch:
        batch = batch[os.write(STDERR, batch) :]


def read_parts(files: Sequence[tuple[str, bytes]]) -> Iterable[Part]:
    """Reads routing files: a few here, many in other processes."""
    if sum(len(content) for _, content in files) <= READ_HERE:
        return read_parts_here(files)
    with children() as processes:
        return read_parts_in(processes)(files)
