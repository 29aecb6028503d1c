"""Limits are closed rolling windows per user, in recipients, exact to the instant."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.sandbox import judge
from relay.sandbox.settings import CountAt, Window
from relay.sandbox.windows import Windows
from tests.unit.sandbox.peer import FakeWorld, Peer, provider_of, records

OVER = "450 4.7.1 rate limit exceeded\r\n"


def logged_in(world: FakeWorld, **settings: object) -> Peer:
    peer = Peer(provider_of(world, **settings))
    peer.login()
    return peer


def test_the_sixth_within_the_window_is_refused_at_mail(world: FakeWorld) -> None:
    peer = logged_in(world, limits=("5/1s",))
    assert [peer.mail()[:3] for _ in range(5)] == ["250"] * 5
    assert peer.say("MAIL FROM:<d@x.test>") == OVER
    over = records(peer.provider, "over-limit")
    assert [(r["user"], r["from"], r["stage"], r["reply"]) for r in over] == [
        ("mario", "d@x.test", "mail", OVER.strip())
    ]


def test_the_window_is_closed_one_second_later_it_still_counts_and_a_moment_after_no_more(world: FakeWorld) -> None:
    peer = logged_in(world, limits=("1/1s",))
    assert peer.mail().startswith("250")
    world.advance(1.0)
    assert peer.mail() == OVER
    world.advance(0.001)
    assert peer.mail().startswith("250")


def test_what_is_refused_is_not_counted(world: FakeWorld) -> None:
    peer = logged_in(world, limits=("1/1s",))
    peer.mail()
    for _ in range(9):
        world.advance(0.1)
        assert peer.mail() == OVER
    world.advance(0.2)
    assert peer.mail().startswith("250")


def test_all_limits_hold_together(world: FakeWorld) -> None:
    peer = logged_in(world, limits=("2/1s", "3/10s"))
    codes = []
    for pause in (0, 0, 0, 1.5, 1.5, 7.1):
        world.advance(pause)
        codes.append(peer.mail()[:3])
    assert codes == ["250", "250", "450", "250", "450", "250"]


def test_every_user_has_his_own_window(world: FakeWorld) -> None:
    provider = provider_of(world, limits=("1/1s",))
    for user in ("mario", "anna"):
        peer = Peer(provider)
        peer.login(user)
        assert peer.mail().startswith("250")
        assert peer.mail() == OVER


def test_sessions_of_one_user_share_the_window(world: FakeWorld) -> None:
    provider = provider_of(world, limits=("1/1s",))
    first, second = Peer(provider, 1), Peer(provider, 2)
    first.login()
    second.login()
    assert first.mail().startswith("250")
    assert second.mail() == OVER


def test_recipients_beyond_the_one_that_mail_paid_for_are_counted_too(world: FakeWorld) -> None:
    peer = logged_in(world, limits=("2/1s",))
    assert peer.codes("MAIL FROM:<a@x>", "RCPT TO:<1@x>", "RCPT TO:<2@x>", "RCPT TO:<3@x>") == ["250"] * 3 + ["450"]
    assert [(r["stage"], r["rcpt"]) for r in records(peer.provider, "over-limit")] == [("rcpt", "3@x")]


@pytest.mark.parametrize(
    ("count_at", "counting_line"), [(CountAt.MAIL, 0), (CountAt.RCPT, 1), (CountAt.EOD, 3)], ids=str
)
def test_the_moment_of_counting_can_be_chosen(world: FakeWorld, count_at: CountAt, counting_line: int) -> None:
    peer = logged_in(world, limits=("1/1s",), count_at=count_at)
    for at, line in enumerate([b"MAIL FROM:<a@x>\r\n", b"RCPT TO:<b@x>\r\n", b"DATA\r\n", b"x\r\n.\r\n"]):
        peer.send(line)
        has_room = peer.provider.has_room("mario", 1, now=peer.provider.world.now())
        assert has_room == (at < counting_line), f"after {line!r}"
    assert [r.get("counted") for r in peer.provider.journal.records if r.get("counted")] == [1]
    assert peer.say("MAIL FROM:<a@x>") == OVER


def test_over_the_limit_at_the_final_dot_the_message_is_not_taken(world: FakeWorld) -> None:
    peer = logged_in(world, limits=("1/1s",), count_at=CountAt.EOD)
    other = Peer(peer.provider, 2)
    other.login()
    for each in (peer, other):
        each.codes("MAIL FROM:<a@x>", "RCPT TO:<b@x>", "DATA")
    assert peer.send(b"x\r\n.\r\n").startswith("250")
    assert other.send(b"x\r\n.\r\n") == OVER
    assert len(records(peer.provider, "delivered")) == 1


def test_a_restarted_provider_has_not_forgotten(world: FakeWorld) -> None:
    peer = logged_in(world, limits=("2/10s",))
    peer.mail()
    peer.mail()
    again = logged_in(world, limits=("2/10s",))
    again.provider.recall(peer.provider.journal.records, now=again.provider.world.now())
    assert again.mail() == OVER
    world.advance(10.1)
    assert again.mail().startswith("250")


def test_records_of_another_boot_are_not_recalled(world: FakeWorld) -> None:
    peer = logged_in(world, limits=("1/10s",))
    peer.mail()
    world.seconds = 5.0
    again = logged_in(world, limits=("1/10s",))
    again.provider.recall(peer.provider.journal.records, now=again.provider.world.now())
    assert again.mail().startswith("250")


@given(pauses=st.lists(st.integers(0, 12), max_size=60), count=st.integers(1, 4), width=st.integers(1, 10))
def test_windows_grant_all_that_the_judge_allows_and_nothing_more(pauses: list[int], count: int, width: int) -> None:
    windows, granted, now = Windows([Window(count, width)]), list[float](), 0
    for pause in pauses:
        now += pause
        allowed = judge.worst_window([*granted, float(now)], width) <= count
        assert windows.has_room("mario", 1, now=now) == allowed
        if allowed:
            windows.count("mario", 1, now=now)
            granted.append(float(now))
