"""Relay time on Redis: what nodes witness, whatever TIME steps; and the names of keys, which both sides make alike."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis

from relay.core.limits import HOUR, MINUTE, SECOND, Limit
from relay.core.terms import MailboxTerms, ProviderTerms
from relay.core.words import Lane, MailboxId
from relay.store.redis import keys
from relay.store.redis.scripts import Source, assemble, libraries
from tests.contract.redis.schedule.place import MAILBOXES, PROVIDERS, ROME, Place
from tests.contract.redis.schedule.player import Player, play_script
from tests.contract.redis.schedule.twins import Twins
from tests.fakes.redisservers import binary, server

Clock = Callable[..., tuple[int, int]]
MIDDAY = 1_800_000_000 * SECOND


@pytest.fixture(scope="module")
def client() -> Iterator[redis.Redis]:
    with server(binary("redis-7"), is_durable=False) as started:
        yield started.client()


@pytest.fixture
def clock(client: redis.Redis) -> Clock:
    client.flushall()
    text = "-- Says the time.\n-- needs: clock\nreturn { clock.now(ARGV[1], ARGV[2], ARGV[3]) }\n"
    script = client.register_script(assemble(Source.of("say", text), libraries()).text)

    def now(said: int | str, node: str = "one", read: int | str = "") -> tuple[int, int]:
        relay, civil = script(args=[said, node, read])
        return relay, civil

    return now


def test_a_life_that_has_heard_of_no_time_is_told_what_the_server_says(clock: Clock) -> None:
    assert clock(MIDDAY) == (MIDDAY, MIDDAY)
    assert clock(MIDDAY + HOUR) == (MIDDAY + HOUR, MIDDAY + HOUR), "it was away, and nobody else lives"


def test_the_server_says_it_itself_where_no_test_does(clock: Clock, client: redis.Redis) -> None:
    seconds, _ = client.time()
    relay, civil = clock("")
    assert relay == civil
    assert seconds * SECOND <= relay < (seconds + 3600) * SECOND


@pytest.mark.parametrize("step", [-HOUR, -SECOND // 2, SECOND // 10, SECOND // 2, HOUR])
def test_no_step_of_the_servers_clock_moves_relay_time(clock: Clock, step: int) -> None:
    clock(MIDDAY)
    for number in range(1, 20):
        said = MIDDAY + number * (SECOND + step)
        assert clock(said, read=MIDDAY + number * SECOND) == (MIDDAY + number * SECOND, said)


def test_a_node_that_stood_still_brings_the_time_that_went_by(clock: Clock) -> None:
    clock(MIDDAY)
    assert clock(MIDDAY + HOUR, read=MIDDAY + HOUR)[0] == MIDDAY + HOUR


def test_time_never_goes_back_for_anybody(clock: Clock) -> None:
    clock(MIDDAY, "one")
    clock(MIDDAY + MINUTE, "one", MIDDAY + MINUTE)
    clock(MIDDAY + MINUTE, "two")
    assert clock(MIDDAY + 2 * HOUR, "two", MIDDAY + SECOND)[0] == MIDDAY + MINUTE, "what others saw is not unseen"


def test_the_first_word_of_a_life_is_not_believed_while_another_node_lives(clock: Clock) -> None:
    clock(MIDDAY, "one")
    assert clock(MIDDAY + HOUR, "two")[0] == MIDDAY, "it may be a step"
    assert clock(MIDDAY + HOUR + SECOND, "two", MIDDAY + SECOND)[0] == MIDDAY + SECOND
    assert clock(MIDDAY + HOUR + MINUTE, "one", MIDDAY + MINUTE)[0] == MIDDAY + MINUTE, "the one that was there knows"
    assert clock(MIDDAY + 3 * HOUR, "two", MIDDAY + 3 * MINUTE)[0] == MIDDAY + 3 * MINUTE, "and it is settled"


def test_where_all_nodes_were_away_the_gap_is_believed_when_none_spoke_that_was_there_before(clock: Clock) -> None:
    clock(MIDDAY, "one")
    clock(MIDDAY, "two")
    assert clock(MIDDAY + HOUR, "one")[0] == MIDDAY
    assert clock(MIDDAY + HOUR + SECOND, "two")[0] == MIDDAY, "this one was away too, and knows no more"
    assert clock(MIDDAY + HOUR + 59 * SECOND, "one", MIDDAY + 59 * SECOND)[0] == MIDDAY + 59 * SECOND
    assert clock(MIDDAY + HOUR + MINUTE, "one", MIDDAY + MINUTE)[0] == MIDDAY + HOUR + MINUTE
    assert clock(MIDDAY + HOUR + MINUTE + SECOND, "two", MIDDAY + MINUTE)[0] == MIDDAY + HOUR + MINUTE
    assert clock(0, "one", MIDDAY + HOUR + 3 * MINUTE)[0] == MIDDAY + HOUR + 3 * MINUTE, "and it is settled"


def test_a_gap_is_added_once_though_a_server_takes_over_that_is_still_in_doubt(
    clock: Clock, client: redis.Redis
) -> None:
    clock(MIDDAY, "one")
    clock(MIDDAY, "two")
    clock(MIDDAY + HOUR, "one")
    behind: Any = client.hgetall(keys.CLOCK)
    now, _ = clock(MIDDAY + HOUR + MINUTE, "one", MIDDAY + MINUTE)
    assert now == MIDDAY + HOUR + MINUTE
    client.hset(keys.CLOCK, mapping=behind)
    assert clock(MIDDAY + HOUR + 2 * MINUTE, "one", now + MINUTE)[0] == now + MINUTE


def test_nodes_that_died_long_ago_do_not_live(clock: Clock) -> None:
    clock(MIDDAY, "dead")
    clock(MIDDAY, "one")
    clock(MIDDAY + HOUR, "one", MIDDAY + HOUR)
    assert clock(MIDDAY + 2 * HOUR, "one")[0] == MIDDAY + 2 * HOUR


def test_an_older_doubt_makes_nobody_unsure_of_a_newer_one(clock: Clock) -> None:
    clock(MIDDAY, "one")
    clock(MIDDAY + HOUR, "two")
    clock(MIDDAY + HOUR, "one", MIDDAY + SECOND)
    assert clock(MIDDAY + 2 * HOUR, "three")[0] == MIDDAY + SECOND, "another gap in doubt"
    late = MIDDAY + 3 * MINUTE
    assert clock(MIDDAY + 2 * HOUR, "two", late)[0] == late, "it was there before this gap"
    assert clock(MIDDAY + 2 * HOUR, "three", late + 3 * MINUTE)[0] == late + 3 * MINUTE


def test_days_follow_the_clock_on_the_wall(client: redis.Redis) -> None:
    """Relay time has parted from it by what it absorbed; a mailbox that waits for midnight waits for the right one."""
    own, host = MailboxTerms((Limit(1, 0),)), ProviderTerms(zone=ROME)
    place = Place(terms=dict.fromkeys(MAILBOXES, own), provider=dict.fromkeys(PROVIDERS, host))
    twins = Twins(Player(client, play_script()), place)
    twins.mail_comes(MAILBOXES[0], 0, Lane.BULK, 2)
    twins.a_node_works(1, 1, 0)
    before = twins.player.wake_at(place.now, {})
    client.hset(keys.CLOCK, "offset", 3 * HOUR - place.offset)
    twins.player.grant(place.now, {}, 0)
    after = twins.player.wake_at(place.now, {})
    assert before is not None
    assert after == before + 3 * HOUR


def test_both_sides_make_the_same_keys(client: redis.Redis) -> None:
    text = (
        "-- Makes keys.\n-- needs: keys\nreturn { "
        "keys.ROUND, keys.ALARMS, keys.WANTED, keys.BUSY, keys.RESTING, keys.CLOCK, "
        'keys.of("p", "ends"), keys.at("p", "ends", "ü"), keys.ready("p", "ü", "x@y", "bulk"), '
        'keys.ready(nil, nil, "x@y", "express"), keys.mailbox("p", "a b") }\n'
    )
    made = client.eval(assemble(Source.of("make", text), libraries()).text, 0)
    mailbox = MailboxId("p", "ü")
    assert [key.decode() for key in made] == [
        keys.ROUND, keys.ALARMS, keys.WANTED, keys.BUSY, keys.RESTING, keys.CLOCK,
        keys.of_provider("p", "ends"), keys.of_mailbox(mailbox, "ends"), keys.ready(mailbox, "x@y", Lane.BULK),
        keys.ready(None, "x@y", Lane.EXPRESS), keys.member(MailboxId("p", "a b")),
    ]  # fmt: skip
    assert keys.mailbox_of("p a b") == MailboxId("p", "a b")


def test_no_two_mailboxes_share_a_queue() -> None:
    one = keys.ready(MailboxId("p", "a:b"), "c", Lane.BULK)
    assert one != keys.ready(MailboxId("p", "a"), "b:c", Lane.BULK)
