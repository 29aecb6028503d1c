"""Calls of scripts as a store made them in ordinary scenes, each with all keys as they were before it.

Law: what is recorded can be run again on the same keys, and does the same; of many calls that do the same, one is kept.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import msgpack
import redis

from relay.errors import RelayError
from relay.store.redis.keys import CLOCK
from relay.store.redis.link import Call, Link
from tests.contract.harness import run
from tests.contract.redis.harness import RedisHarness, shared_server
from tests.contract.scene import Scene
from tests.contract.suites import Check

Contents = dict[bytes, bytes]
"""Every key, as DUMP has it."""

HOT = ("put", "take", "gate", "settle")


@dataclass(frozen=True, slots=True)
class Recorded:
    """One call; `does` are the verbs of an act, or what a hot script answered."""

    call: Call
    before: Contents
    does: frozenset[str]

    @property
    def name(self) -> str:
        return f"{self.call.script.name} {' '.join(sorted(self.does))}".strip()


@contextmanager
def plainly_kept(client: redis.Redis) -> Iterator[None]:
    """Hashes and sorted sets of any size are kept as they were written: in a hash table their order changes."""
    names = [f"{kind}-max-ziplist-{what}" for kind in ("hash", "zset") for what in ("entries", "value")]
    known: dict[str, Any] = {name: client.config_get(name)[name] for name in names}
    for name in names:
        client.config_set(name, 1 << 20)
    yield
    for name, value in known.items():
        client.config_set(name, value)


def contents(client: redis.Redis) -> Contents:
    """All keys of a database."""
    keys: list[Any] = sorted(client.scan_iter(count=10_000))
    with client.pipeline(transaction=False) as pipe:
        for key in keys:
            pipe.dump(key)
        return dict(zip(keys, pipe.execute(), strict=True))


def but_clock(known: Contents) -> Contents:
    """The clock goes on, whatever becomes of an operation."""
    return {key: value for key, value in known.items() if key != CLOCK.encode()}


def put_back(client: redis.Redis, known: Contents) -> None:
    """A database has these keys, and no other."""
    with client.pipeline(transaction=False) as pipe:
        pipe.flushdb()
        for key, value in known.items():
            pipe.restore(key, 0, value)
        pipe.execute()


@cache
def recorded(checks: tuple[Check, ...], program: str) -> list[Recorded]:
    """What was called in these checks of the suites, on a server of this kind."""
    with shared_server(program).client() as client, plainly_kept(client):
        return list(_recorded(checks, program))


def _recorded(checks: Iterable[Check], program: str) -> list[Recorded]:
    found: list[Recorded] = []

    class Recording(Link):
        def run_many(self, calls: Sequence[Call], **options: Any) -> list[Any]:
            with shared_server(program).client(db=self.address.db) as client:
                return [self._one(client, call, options) for call in calls]

        def _one(self, client: redis.Redis, call: Call, options: dict[str, Any]) -> Any:
            before = contents(client)
            (reply,) = super().run_many([call], **options)
            does = frozenset(_does(call, reply))
            known = {each for other in found if other.call.script.name == call.script.name for each in other.does}
            if not isinstance(reply, RelayError) and not does <= known:
                found.append(Recorded(call, before, does))
            return reply

    class Harness(RedisHarness):
        link_type = Recording

    Harness.program = program
    for check in checks:
        run(partial(_played, check, Harness))
    return found


async def _played(check: Check, harness: type[RedisHarness]) -> None:
    scene = Scene(harness)
    await check(scene)
    await scene.harness.close()


def _does(call: Call, reply: Any) -> Iterator[str]:
    if call.script.name == "act":
        work = msgpack.unpackb(call.args[1], raw=True, strict_map_key=False)
        yield from (each[0].decode() for part in (work[2], work[3]) for each in part)
        return
    yield "done"
    if call.script.name in HOT and not isinstance(reply, RelayError):
        answer = msgpack.unpackb(reply, raw=True)
        yield answer[0].decode()
        if call.script.name == "take" and answer[0] == b"DONE":
            yield from (word for word, given in zip(("claims", "opens", "closes"), answer[2:5], strict=True) if given)


def run_again(client: redis.Redis, call: Call) -> Any:
    """What the server answers; redis.ResponseError."""
    script = call.script
    arguments: Any = (*call.keys, *call.args)
    try:
        return client.evalsha(script.sha, len(call.keys), *arguments)
    except redis.exceptions.NoScriptError:
        client.script_load(script.text)
        return client.evalsha(script.sha, len(call.keys), *arguments)


@contextmanager
def monitored(client: redis.Redis) -> Iterator[Callable[[], list[list[str]]]]:
    """The commands that scripts run meanwhile, asked for at the end."""
    with client.monitor() as monitor:

        def heard() -> list[list[str]]:
            client.echo("that is all")
            commands: list[list[str]] = []
            while not (command := monitor.next_command())["command"].startswith("ECHO"):
                if command["client_type"] == "lua":
                    commands.append(command["command"].split(" "))
            return commands

        yield heard


def touched(client: redis.Redis, one: Recorded) -> set[str]:
    """The keys that a call reads or writes."""
    put_back(client, one.before)
    with monitored(client) as heard:
        run_again(client, one.call)
        commands = heard()
    keys = (word for command in commands if command[0].upper() != "PUBLISH" for word in command)
    return {key for key in keys if key.startswith("relay:{")}
