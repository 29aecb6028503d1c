"""A machine that is copied with its data_dir while it runs: two processes of one node on one Redis.

Law: one of them goes on, the newer; the other one ends and says why, and does not come back beside it. Nothing is lost,
and the provider sees the sessions of one relay.
"""

from collections import Counter
from contextlib import ExitStack
from pathlib import Path

import pytest

from relay.sandbox.journal import Record
from tests.crash.redis.world import SESSIONS, World
from tests.fakes.redisservers import Server, binary
from tests.integration.relay_process import RelayProcess

MAILS = 18
SLOW = ("--fault", "slow:1", "--slow", "0.1")
"""Every reply takes a while: wherever it is copied, a node has mail under way."""


@pytest.mark.timeout(600)
def test_of_two_processes_of_one_node_the_newer_one_goes_on_and_the_other_one_says_why_not(tmp_path: Path) -> None:
    with ExitStack() as stack:
        redis = Server(binary("redis-7"), is_tcp=True)
        stack.callback(redis.close)
        redis.start()
        world = World(tmp_path, redis, stack, nodes=1, provider=SLOW)
        original = world.nodes[0]
        world.hand_in(MAILS, name="before")
        original.wait_for("delivered", times=2)
        copy = world.copy(0).wait_until_ready()
        assert original.wait() == 1
        assert says_why(original), "".join(original.lines)
        world.past.append(original)
        again = world.start(0)
        assert again.wait() == 1
        assert says_why(again), "".join(again.lines)
        ended = len(world.seen())
        world.nodes[0] = copy
        world.hand_in(MAILS, name="after", is_again=True)
        world.until_all_arrived()
        assert not says_why(copy)
        world.judge(sessions=2 * SESSIONS)
        assert max(most_sessions_after(world.seen(), ended).values()) <= SESSIONS
        assert copy.stop() == 0


def says_why(node: RelayProcess) -> bool:
    return any("another process runs as this node" in line for line in node.lines)


def most_sessions_after(records: list[Record], first: int) -> Counter[str]:
    """The most that each mailbox had open at once, from a record on."""
    owner: dict[int, str] = {}
    now, most = Counter[str](), Counter[str]()
    for number, record in enumerate(records):
        user = record["user"]
        if record["event"] == "auth" and (record["reply"] or "").startswith("2") and user is not None:
            owner[record["session"]] = user
            now[user] += 1
        elif record["event"] == "disconnect" and record["session"] in owner:
            now[owner.pop(record["session"])] -= 1
        if number >= first:
            most |= now
    return most
