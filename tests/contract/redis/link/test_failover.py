"""Under Sentinel the link goes where the primary is, and a replica that has become it is checked like the first."""

import re
from contextlib import closing

import pytest

from relay.errors import StoreUnavailable
from relay.store.redis.link import Link
from tests.contract.redis.link.scene import COUNT, KEY, PING, link_to
from tests.fakes.redisservers import binary, until, watched


def test_link_follows_a_failover():
    with watched(binary("redis-7")) as group, closing(link_to(group.address)) as link:
        assert link.run(COUNT, [KEY], is_durable=True) == 1
        old = group.primary()
        old.kill9()
        with pytest.raises(StoreUnavailable):
            link.run(PING)
        new = group.fail_over(old)
        until(lambda: _is_answered(link), "the link has found the new primary")
        assert link.run(COUNT, [KEY], is_durable=True) == 2, "what was confirmed is there"
        assert link.where == f"127.0.0.1:{new.port}"
        assert "1 fewer than before" in _said(link)
        old.start()
        old.follow(new)  # as the sentinels would have it do in ten seconds
        until(lambda: _has_two(link), "the old primary counts as a replica")


GUARDED = ("min-replicas-to-write 1", "min-replicas-max-lag 10")


def test_three_servers_that_refuse_alone_go_on_without_one_of_them():
    with watched(binary("redis-7"), *GUARDED, replicas=2) as group, closing(link_to(group.address)) as link:
        assert link.run(COUNT, [KEY], is_durable=True) == 1
        assert link.problems() == ()
        old = group.primary()
        old.kill9()
        group.fail_over(old)
        until(lambda: _is_counted(link), "mail is taken by the new primary, which the third follows")


def test_two_servers_that_refuse_alone_stop_without_one_of_them():
    with watched(binary("redis-7"), *GUARDED) as group, closing(link_to(group.address)) as link:
        assert link.run(COUNT, [KEY], is_durable=True) == 1
        old = group.primary()
        old.kill9()
        new = group.fail_over(old)
        until(lambda: _is_answered(link), "the link has found the new primary")
        with pytest.raises(StoreUnavailable, match=r"too few replicas|replicas of .* answer"):
            link.run(COUNT, [KEY], is_durable=True)
        old.start()
        old.follow(new)
        until(lambda: _is_counted(link), "mail is taken again")


def test_sentinels_that_do_not_answer_are_named():
    told = r"no sentinel names a primary for relay: 127.0.0.1:1 does not answer; 127.0.0.1:2 does not answer"
    assert re.fullmatch(told, _why("redis+sentinel://127.0.0.1:1,127.0.0.1:2/relay"))


def test_sentinels_that_name_none_are_told_with_what_they_say_instead():
    with watched(binary("redis-7"), sentinels=1) as group:
        (watcher,), primary = group.watchers, group.primary()
        at = f"redis+sentinel://127.0.0.1:{watcher.port}"
        assert "knows no primary of this name (it knows relay:" in _why(f"{at}/posta")
        assert "is no sentinel (a server of Redis?" in _why(f"redis+sentinel://127.0.0.1:{primary.port}/relay")
        with watcher.client() as client:
            client.execute_command("ACL", "SETUSER", "default", "resetpass", ">geheim")
        told = _why(f"{at.replace('//', '//:geheim@')}/relay")
        assert "wants a password, and the relay has none for sentinels" in told
        assert "geheim" not in told


def _why(address: str) -> str:
    with closing(link_to(address)) as link, pytest.raises(StoreUnavailable) as caught:
        link.open()
    return str(caught.value)


def _is_answered(link: Link) -> bool:
    try:
        return bool(link.run(PING) == b"pong")
    except StoreUnavailable:
        return False


def _is_counted(link: Link) -> bool:
    try:
        return bool(link.run(COUNT, [KEY], is_durable=True))
    except StoreUnavailable:
        return False


def _has_two(link: Link) -> bool:
    try:
        link.tend()
    except StoreUnavailable:
        return False
    return _said(link) == ""


def _said(link: Link) -> str:
    """What is said of replicas; these servers would go on alone, which is said beside it."""
    return "".join(flaw.text for flaw in link.problems() if flaw.what == "replica")
