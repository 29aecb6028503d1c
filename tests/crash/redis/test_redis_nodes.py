"""Several nodes on one Redis: mail handed in at all of them arrives once, and the provider sees one relay.

The provider's log is the judge of limits, sessions and logins.
"""

from contextlib import ExitStack
from pathlib import Path

from relay.sandbox import judge
from tests.crash.redis.world import ACCOUNTS, LIMIT, World
from tests.fakes.redisservers import Server, binary

MAILS = 45
LOGINS = (4, 10.0)


def test_mail_through_two_nodes_and_then_four_arrives_once_and_never_over_a_limit(tmp_path: Path) -> None:
    with ExitStack() as stack:
        redis = Server(binary("redis-7"), is_tcp=True)
        stack.callback(redis.close)
        redis.start()
        limits = (f"{LIMIT}/1s", "20/3s")
        world = World(tmp_path, redis, stack, nodes=2, limits=limits, login_limit=f"{LOGINS[0]}/{LOGINS[1]:.0f}s")
        world.hand_in(MAILS, name="two")
        world.until_all_arrived()
        world.add(2)
        world.hand_in(MAILS, name="four")
        world.until_all_arrived()
        assert len(world.accepted.ids) == 2 * MAILS
        world.judge(limits=((LIMIT, 1.0), (20, 3.0)))
        records = world.seen()
        assert not judge.doubled(records)
        assert set(judge.sent(records)) == set(ACCOUNTS)
        assert max(judge.worst_windows(judge.logins(records), LOGINS[1]).values()) <= LOGINS[0]
        assert all(node.count("accepted") > 0 for node in world.nodes), "each took some"
        for node in world.nodes:
            assert node.stop() == 0
        assert world.failures() == ""
