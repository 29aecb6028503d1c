"""Redis stands still, restarts, is gone, is slow, or the way to it breaks, under load: clients are told at once,
delivery starts nothing that the store does not know of, no process ends, and mail goes on by itself after that.

The provider's log is the judge. How long Redis is away is a few seconds; longer by RELAY_REDIS_AWAY.
"""

import json
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
import redis

from relay.sandbox import judge
from tests.crash.redis.world import ACCOUNTS, PATIENT, World, pause
from tests.fakes.redisservers import Server, binary, until
from tests.fakes.wires import Wire
from tests.integration.relay_process import RelayProcess

AWAY = float(os.environ.get("RELAY_REDIS_AWAY", "1"))
"""Seconds."""

LIMIT = 4
"""Of each mailbox in a second."""

QUEUED = 45
"""Mails before each trouble: more than can have left by then, so that delivery wants to go on all the time."""

TOLD = 20.0
"""Seconds in which a client hears that the store is away: about one, on a machine that has nothing else to do."""


@dataclass
class Wired:
    """A Redis, the wire to it, and what may become of both."""

    server: Server
    wire: Wire

    @property
    def address(self) -> str:
        return self.wire.address

    def client(self) -> redis.Redis:
        return self.server.client()

    def begin(self, how: str) -> None:
        match how:
            case "stopped":
                self.server.pause()
            case "killed":
                self.server.kill9()
            case "stopping":
                self.server.stop()
            case "unplugged":
                self.wire.hold()
            case "cut":
                self.wire.cut(is_up=False)
            case "slow":
                self.wire.slow(1.5)

    def end(self, how: str) -> None:
        match how:
            case "stopped":
                self.server.go_on()
            case "killed" | "stopping":
                self.server.start()
            case "unplugged":
                self.wire.go_on()
            case "cut":
                self.wire.mend()
            case "slow":
                self.wire.slow(0)


@pytest.fixture
def wired() -> Iterator[Wired]:
    redis = Server(binary("redis-7"), is_tcp=True)
    try:
        wire = Wire(redis.start().port)
        try:
            yield Wired(redis, wire)
        finally:
            wire.close()
    finally:
        redis.close()


def test_a_redis_that_is_away_costs_time_and_nothing_else(tmp_path: Path, wired: Wired) -> None:
    """One trouble after the other in the same life of two nodes: a start costs more than a trouble."""
    with ExitStack() as stack:
        world = World(tmp_path, wired, stack, nodes=2, limits=(f"{LIMIT}/1s",))
        for how in ("stopped", "killed", "stopping", "unplugged", "cut", "slow"):
            world.hand_in(QUEUED, name=how)
            with world.load(is_again=True, name=f"{how}-load"):
                wired.begin(how)
                told = [tell_client(world, number) for number in range(2)]
                until(lambda: {store_of(node) for node in world.nodes} == {"trouble"}, "both say it")
                begun = len(begun_at(world))
                pause(AWAY)
                assert len(begun_at(world)) == begun, "something was begun that the store does not know of"
                assert judge.lost(world.seen(), [(name, PATIENT) for name in world.accepted.ids]), "nothing waited"
                told += [tell_client(world, number) for number in range(2)]
                back = time.time()
                wired.end(how)
            world.until_all_arrived()
            again = min(line["t"] for line in world.seen() if line["event"] == "delivered" and line["t"] > back)
            print(f"{how}: 451 after {max(told):.2f} s at most, delivering {again - back:.2f} s after its return")
            until(lambda: {store_of(node) for node in world.nodes} == {"well"}, "both are ready again")
        world.judge(limits=((LIMIT, 1.0),))
        assert all(node.process.poll() is None and node.count("ready") == 1 for node in world.nodes)
        assert world.failures() == ""


def tell_client(world: World, number: int) -> float:
    """How many seconds a client of a node waits for its 451."""
    begun = time.monotonic()
    code, reply = world.submit(world.nodes[number], f"<told-{begun}@d.test>", ACCOUNTS[0])
    assert (code, reply[:5]) == (451, b"4.3.0")
    waited = time.monotonic() - begun
    assert waited < TOLD
    return waited


def store_of(node: RelayProcess) -> str:
    """What a node says of its store to whom asks whether it is ready."""
    status, text = node.get("/readyz")
    problems = {each["what"] for each in json.loads(text)["problems"]}
    assert (status == 503) >= ("store" in problems)
    return "trouble" if "store" in problems else "well" if status == 200 else "other"


def begun_at(world: World) -> list[float]:
    """Each mail that was begun at the provider."""
    return [each for own in judge.sent(world.seen()).values() for each in own]
