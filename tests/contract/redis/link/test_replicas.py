"""With replicas, what has to be durable is done when all have it, and a missing one stops the mail for a minute."""

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from relay.errors import StoreSilent, StoreUnavailable
from relay.store.redis.durability import Durability
from relay.store.redis.facts import WAITAOF_SINCE
from relay.store.redis.link import Link
from relay.store.redis.patience import Patience
from relay.store.redis.replicas import GIVEN_UP
from tests.contract.redis.link.scene import BRIEF, COUNT, KEY, LONG, Clock, calls_of, link_to, rules
from tests.fakes.redisservers import Server, replicated, until


def test_durable_call_is_on_every_replica_when_it_returns(program: Path):
    with replicated(program, replicas=2) as (primary, *replicas), closing(link_to(primary)) as link:
        assert link.run(COUNT, [KEY], is_durable=True) == 1
        assert [_value(replica) for replica in replicas] == [b"1", b"1"]


def test_replicas_are_asked_for_their_disks_where_they_can_be(program: Path):
    """And by WAIT before that: without it they would answer a second later."""
    with replicated(program) as (primary, _), closing(link_to(primary)) as link:
        link.run(COUNT, [KEY], is_durable=True)
        assert link.joining.facts is not None
        is_new = link.joining.facts.version >= WAITAOF_SINCE
        assert (calls_of(primary, "waitaof"), calls_of(primary, "wait")) == ((1, 1) if is_new else (0, 1))


def test_relaxed_asks_no_disk_that_is_not_used(program: Path):
    relaxed = rules(Durability.RELAXED)
    with replicated(program, is_durable=False) as (primary, _), closing(link_to(primary, relaxed)) as link:
        assert link.run(COUNT, [KEY], is_durable=True) == 1
        assert calls_of(primary, "wait") == 1


def test_what_no_replica_confirms_is_unknown_then_refused_then_goes_on(program: Path):
    with replicated(program) as (primary, replica), closing(link_to(primary, patience=BRIEF)) as link:
        until(lambda: _goes_on(link), "the replica confirms")
        before = _value(primary)
        replica.pause()
        with pytest.raises(StoreSilent, match="did not confirm in time"):
            link.run(COUNT, [KEY], is_durable=True)
        for _ in range(2):
            with pytest.raises(StoreUnavailable, match="not all of the 1 replicas") as caught:
                link.run(COUNT, [KEY], is_durable=True)
            assert not caught.value.is_unknown
        assert int(_value(primary)) == int(before) + 1, "only what is unknown was done"
        assert "no mail is accepted" in _said(link)
        replica.go_on()
        until(lambda: _goes_on(link), "the replica confirms again")
        assert _said(link) == ""


def test_replica_that_is_gone_for_good_is_given_up_loudly(program: Path):
    clock = Clock()
    with replicated(program) as (primary, replica), closing(link_to(primary, patience=BRIEF, clock=clock)) as link:
        link.open()
        replica.kill9()
        with pytest.raises(StoreSilent):
            link.run(COUNT, [KEY], is_durable=True)
        with pytest.raises(StoreUnavailable):
            link.run(COUNT, [KEY], is_durable=True)
        clock.advance(GIVEN_UP)
        assert link.run(COUNT, [KEY], is_durable=True) == 2
        assert "confirmed by 0 replicas of the store, 1 fewer than before" in _said(link)
        replica.start()
        replica.follow(primary)
        until(lambda: _is_mended(link), "it counts again")
        until(lambda: _goes_on(link), "it confirms again")
        assert _value(replica) == _value(primary)


def test_primary_that_may_not_go_on_alone_takes_nothing_however_long_its_replica_is_away(program: Path):
    clock, guard = Clock(), "min-replicas-to-write 1"
    patience = replace(BRIEF, confirm=LONG // 300)
    with (
        replicated(program, guard) as (primary, replica),
        closing(link_to(primary, patience=patience, clock=clock)) as link,
    ):
        until(lambda: _goes_on(link), "the replica confirms")
        before = _value(primary)
        replica.kill9()
        with primary.client() as client:
            until(lambda: client.info("replication")["connected_slaves"] == 0, "the primary has lost it")
        for ahead in (0, GIVEN_UP, GIVEN_UP):
            clock.advance(ahead)
            with pytest.raises(StoreUnavailable):
                link.run(COUNT, [KEY], is_durable=True)
        facts = link.joining.facts
        at_most = 1 if facts is not None and facts.version < (7,) else 0  # 6.2 asks it of no script
        assert int(_value(primary)) - int(before) <= at_most, "one is unknown, and none after it"
        with closing(link_to(primary, patience=patience)) as other, pytest.raises(StoreUnavailable) as caught:
            other.run(COUNT, [KEY], is_durable=True)
        assert not caught.value.is_unknown, "a node that has seen no replica writes nothing"
        replica.start()
        replica.follow(primary)
        until(lambda: _goes_on(link), "mail is taken again")


def test_missing_replica_is_not_forgotten_by_a_restart_of_the_primary(program: Path):
    patience = Patience(connect=LONG, reply=LONG, whole=LONG, confirm=LONG // 300, replica=LONG, sentinel=LONG)
    with replicated(program) as (primary, replica), closing(link_to(primary, patience=patience)) as link:
        link.open()
        replica.kill9()
        primary.restart()
        with pytest.raises(StoreUnavailable, match="not all of the 1 replicas"):
            link.run(COUNT, [KEY], is_durable=True)
        assert _value(primary) == b""


def _value(server: Server) -> bytes:
    with server.client() as client:
        return bytes(client.get(KEY) or b"")


def _goes_on(link: Link) -> bool:
    try:
        link.run(COUNT, [KEY], is_durable=True)
    except StoreUnavailable:
        return False
    return True


def _is_mended(link: Link) -> bool:
    link.tend()
    return _said(link) == ""


def _said(link: Link) -> str:
    """What is said of replicas; these servers would go on alone, which is said beside it."""
    return "".join(flaw.text for flaw in link.problems() if flaw.what == "replica")
