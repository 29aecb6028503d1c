"""Each row for Redis of docs/crash-table.md by `kill -9` of a real node, beside another one that lives.

Nothing that was answered 250 is lost, nothing is over a limit, and what came twice was in doubt.
"""

import re
import signal
from contextlib import ExitStack
from pathlib import Path

from tests.crash.redis.world import World
from tests.fakes.redisservers import Server, binary, until

ROOT = Path(__file__).parents[3]
TIME = 4
"""At which of its passings of the point a node dies: it has passed all the others by then."""


def rows() -> list[str]:
    """The points of the second table of the page."""
    text = (ROOT / "docs" / "crash-table.md").read_text().partition("\n## On Redis\n")[2]
    return re.findall(r"^\| `([a-z-]+)` \|", text, re.MULTILINE)


def scripts() -> set[str]:
    """Those that the store on Redis runs so that they are durable."""
    folder = ROOT / "relay" / "store" / "redis"
    hot = re.findall(r"_call\(self\._ground, \"([a-z]+)\"", (folder / "hot.py").read_text())
    assert (
        "self._link.run(self._act, (), (self._token, packed), is_durable=True" in (folder / "operations.py").read_text()
    )
    return {*hot, "act"}


def test_the_table_names_both_sides_of_every_script() -> None:
    assert sorted(rows()) == sorted(f"{script}-{what}" for script in scripts() for what in ("asked", "answered"))


def test_nodes_killed_at_each_step_have_lost_nothing_and_exceeded_nothing(tmp_path: Path) -> None:
    """Two nodes on one Redis; the next life of each, which dies as well, cleans up, and the last ones stay."""
    with ExitStack() as stack:
        redis = Server(binary("redis-7"), is_tcp=True)
        stack.callback(redis.close)
        redis.start()
        world, waiting = World(tmp_path, redis, stack, nodes=0), rows()
        nodes = [world.join(RELAY_CRASH_AT=f"{waiting.pop()}:{TIME}") for _ in range(2)]
        with world.load(clients=2, is_again=True):
            while nodes:
                until(lambda: any(node.process.poll() is not None for node in nodes), "a node has died")
                for node in [each for each in nodes if each.process.poll() is not None]:
                    assert node.wait() == -signal.SIGKILL, "".join(node.lines)
                    nodes.remove(node)
                    number = world.nodes.index(node)
                    world.past.append(node)
                    if waiting:
                        nodes.append(world.start(number, RELAY_CRASH_AT=f"{waiting.pop()}:{TIME}"))
                    else:
                        world.start(number)
            for node in world.nodes:
                node.wait_until_ready()
        world.until_all_arrived()
        world.judge()
        assert world.failures() == ""
