"""Places for sessions: bounded, shared fairly between providers, given back exactly."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.core.words import MailboxId
from relay.delivery.pool import OpenSession, Pool
from tests.fakes.upstream import FakeSession, FakeUpstream


def box(provider: str, name: str = "a") -> MailboxId:
    return MailboxId(provider, name)


def session(mailbox: MailboxId) -> OpenSession:
    return OpenSession(mailbox, FakeSession(FakeUpstream(), mailbox))


def opened(pool: Pool) -> list[MailboxId]:
    found = []
    while (mailbox := pool.next_to_open()) is not None:
        found.append(mailbox)
    return found


def test_the_session_used_last_is_used_next() -> None:
    pool = Pool(10)
    old, new = session(box("p")), session(box("p"))
    pool.offer(old)
    pool.offer(new)
    assert pool.idle_counts() == {box("p"): 2}
    assert pool.pick(box("p")) is new
    assert pool.pick(box("p")) is old
    assert pool.pick(box("p")) is None
    assert pool.idle_counts() == {}


def test_a_session_of_another_mailbox_is_never_picked() -> None:
    pool = Pool(10)
    pool.offer(session(box("p", "a")))
    assert pool.pick(box("p", "b")) is None
    assert pool.pick(box("q", "a")) is None


def test_no_provider_takes_more_than_half_of_what_the_others_leave() -> None:
    pool = Pool(8)
    pool.want(box("big"), 20)
    assert len(opened(pool)) == 4
    pool.want(box("small"), 20)
    assert opened(pool) == [box("small")] * 2
    pool.want(box("third"), 20)
    assert opened(pool) == [box("third")]


def test_even_one_place_is_given() -> None:
    pool = Pool(1)
    pool.want(box("p"))
    assert opened(pool) == [box("p")]


def test_who_waits_gets_the_place_that_comes_back_in_order() -> None:
    pool = Pool(2)
    for name in "abc":
        pool.want(box("p", name))
    assert opened(pool) == [box("p", "a")]
    pool.free(box("p", "a"))
    assert opened(pool) == [box("p", "b")]
    assert pool.give_up_waiting() == [box("p", "c")]
    assert pool.give_up_waiting() == []


def test_one_provider_at_its_share_does_not_keep_another_waiting() -> None:
    pool = Pool(4)
    pool.want(box("p"), 3)
    pool.want(box("q"), 1)
    assert opened(pool) == [box("p"), box("p"), box("q")]


def test_an_idle_session_gives_way_to_one_that_is_wanted() -> None:
    pool = Pool(2)
    idle = session(box("p", "idle"))
    pool.want(box("p", "idle"))
    opened(pool)
    pool.offer(idle)
    pool.want(box("p", "wanted"))
    assert opened(pool) == []
    assert pool.in_the_way() == [idle]
    assert pool.leave(idle)
    assert pool.in_the_way() == [], "it is leaving already"
    pool.free(box("p", "idle"), idle)
    assert opened(pool) == [box("p", "wanted")]


def test_a_session_of_another_provider_gives_way_only_when_all_places_are_taken() -> None:
    pool = Pool(4)
    pool.want(box("p"), 2)
    pool.want(box("q"), 1)
    opened(pool)
    idle = session(box("q"))
    pool.offer(idle)
    pool.want(box("p"))
    assert opened(pool) == []
    assert pool.in_the_way() == []
    pool.want(box("r"))
    opened(pool)
    assert pool.in_the_way() == [idle]


def test_leaving_twice_counts_once() -> None:
    pool = Pool(4)
    idle = session(box("p"))
    pool.offer(idle)
    assert pool.leave(idle)
    assert not pool.leave(idle)


@pytest.mark.parametrize("most", [1, 2, 3, 7, 20])
@given(st.lists(st.tuples(st.sampled_from("pqr"), st.booleans()), max_size=60))
def test_the_bound_of_the_node_holds_whatever_happens(most: int, moves: list[tuple[str, bool]]) -> None:
    pool, held = Pool(most), dict.fromkeys("pqr", 0)
    for provider, is_wanted in moves:
        if is_wanted:
            pool.want(box(provider))
        elif held[provider]:
            held[provider] -= 1
            pool.free(box(provider))
        for mailbox in opened(pool):
            others = sum(held.values()) - held[mailbox.provider]
            held[mailbox.provider] += 1
            assert held[mailbox.provider] <= max(1, (most - others) // 2)
        assert sum(held.values()) <= most
