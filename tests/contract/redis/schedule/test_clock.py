"""Relay time on Redis: TIME, without its steps; and the names of keys, which both sides make alike."""

from collections.abc import Callable, Iterator

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

    def now(said: int | str, node: str = "one", gone: int | str = "") -> tuple[int, int]:
        relay, civil = script(args=[said, node, gone])
        return relay, civil

    return now


def test_without_steps_relay_time_is_what_the_server_says(clock: Clock) -> None:
    assert clock(MIDDAY) == (MIDDAY, MIDDAY)
    assert clock(MIDDAY + SECOND, gone=SECOND) == (MIDDAY + SECOND, MIDDAY + SECOND)


def test_the_server_says_it_itself_where_no_test_does(clock: Clock, client: redis.Redis) -> None:
    seconds, _ = client.time()
    relay, civil = clock("")
    assert relay == civil
    assert seconds * SECOND <= relay < (seconds + 3600) * SECOND


def test_a_step_back_is_absorbed_at_once(clock: Clock) -> None:
    clock(MIDDAY)
    assert clock(MIDDAY - HOUR, gone=1) == (MIDDAY, MIDDAY - HOUR)
    assert clock(MIDDAY - HOUR + MINUTE, gone=MINUTE) == (MIDDAY + MINUTE, MIDDAY - HOUR + MINUTE)


def test_a_leap_forward_is_absorbed_by_how_much_time_went_by_at_the_node(clock: Clock) -> None:
    clock(MIDDAY)
    assert clock(MIDDAY + HOUR, gone=MINUTE) == (MIDDAY + MINUTE, MIDDAY + HOUR)
    assert clock(MIDDAY + HOUR + MINUTE, gone=MINUTE)[0] == MIDDAY + 2 * MINUTE


def test_a_node_that_was_silent_for_long_brings_no_leap(clock: Clock) -> None:
    clock(MIDDAY)
    assert clock(MIDDAY + HOUR, gone=HOUR)[0] == MIDDAY + HOUR


def test_time_never_goes_back_for_anybody(clock: Clock) -> None:
    clock(MIDDAY, "one")
    clock(MIDDAY + MINUTE, "two")
    assert clock(MIDDAY + 2 * HOUR, "one", SECOND)[0] == MIDDAY + MINUTE, "what others saw is not unseen"
    assert clock(MIDDAY + 2 * HOUR, "two", 2 * SECOND)[0] >= MIDDAY + MINUTE


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
