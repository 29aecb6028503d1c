"""Beside the ledger, on real servers: numbers given to all nodes the same, what waits counted, old events trimmed."""

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any, cast

import msgpack
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from relay.core.words import AccountId, MailboxId
from relay.errors import RelayError
from relay.store.redis.answers import answer
from relay.store.redis.answers.store import pack_event
from relay.store.redis.asking import LinkAsking
from relay.store.redis.durability import Durability
from relay.store.redis.ledger import RedisLedger
from relay.store.redis.link import Link
from relay.store.redis.names import MISSES, RedisNames
from relay.store.redis.pending import AT_ONCE, RedisPending
from relay.store.redis.rowkeys import EVENTS, PENDING
from relay.store.redis.scripts import Source, assemble, libraries
from relay.store.sqlite.pending import Pending
from tests.contract.redis.link.scene import calls_of, link_to, rules
from tests.fakes.redisrows import RedisRows
from tests.fakes.redisservers import NAMES, Server, binary
from tests.unit.store.redis.mail import Mail, changed, mails, put
from tests.unit.store.redis.side import Sides

ROSSI, BIANCHI = AccountId("rossi@studio.test"), AccountId("bianchi@studio.test")
TWO_NAMES = MailboxId("p", "a"), MailboxId("pa", "")

RUN_VERBS = assemble(
    Source.of("tried", "-- Runs verbs.\n-- needs: verbs\nverbs.run(cmsgpack.unpack(ARGV[1]), 0)\n"), libraries()
)


@pytest.fixture(scope="module", params=NAMES)
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    made = Server(binary(request.param), is_durable=False).start()
    yield made
    made.close()


@pytest.fixture
def node(server: Server) -> Iterator[Callable[[], Link]]:
    """Connects one more node to an empty store."""
    with server.client() as client:
        client.flushall()
    links: list[Link] = []

    def connected() -> Link:
        links.append(link_to(server, rules(Durability.RELAXED)))
        return links[-1]

    yield connected
    for each in links:
        each.close()


def names(link: Link) -> RedisNames:
    return RedisNames(link, LinkAsking(link))


def ledger_over(link: Link) -> RedisLedger:
    return RedisLedger(LinkAsking(link), answer)


# numbers


def test_a_name_has_one_number_on_all_nodes_and_no_other_name_has_it(node: Callable[[], Link]) -> None:
    one, other = names(node()), names(node())
    numbers = [one.account(ROSSI), other.account(BIANCHI), other.account(ROSSI), one.account(BIANCHI)]
    assert numbers == [1, 2, 1, 2]
    assert [each.mailbox(mailbox) for each in (one, other) for mailbox in TWO_NAMES] == [1, 2, 1, 2]


def test_a_number_leads_back_to_its_name_on_a_node_that_did_not_give_it(node: Callable[[], Link]) -> None:
    one, other = names(node()), names(node())
    assert other.known_account(ROSSI) is other.known_mailbox(TWO_NAMES[0]) is None
    given_number, mailbox = one.account(ROSSI), one.mailbox(TWO_NAMES[1])
    assert (other.sender(given_number), other.mailbox_name(mailbox)) == (ROSSI, TWO_NAMES[1])
    other.forget()
    assert (other.known_account(ROSSI), other.known_mailbox(TWO_NAMES[1])) == (given_number, mailbox)
    assert other.known_mailbox(TWO_NAMES[0]) is None


def test_a_number_that_was_given_is_a_row_as_the_ledger_writes_it(node: Callable[[], Link]) -> None:
    link = node()
    known = names(link)
    known.account(ROSSI)
    known.mailbox(TWO_NAMES[0])
    ledger = ledger_over(link)
    assert (ledger.row("accounts", 1), ledger.row("mailboxes", 1)) == ([1, ROSSI], [1, "p", "a", None])
    assert answer("store.find_account")(ledger, ROSSI) == [(1,)]
    assert answer("store.find_mailbox")(ledger, *TWO_NAMES[0]) == [(1,)]
    assert answer("store.set_mailbox_health")(ledger, "{}", 1) == 1
    (write,) = ledger.intended.writes()
    assert write[0] == "HSET", "its name stays, so no index and no group moves"


def test_who_asks_for_very_many_without_a_number_asks_few_times_and_next_time_anew(
    server: Server, node: Callable[[], Link]
) -> None:
    one, other = names(node()), names(node())
    unknown = [AccountId(f"a{number}@studio.test") for number in range(10 * MISSES)]
    other.account(ROSSI)
    one.begin()
    before = calls_of(server, "hget")
    assert {one.known_account(each) for each in unknown} == {None}
    assert one.known_account(ROSSI) == 1
    assert calls_of(server, "hget") - before < 2 * MISSES, "scripts ask a little themselves"
    assert other.account(unknown[0]) == 2
    assert one.account(unknown[0]) == 2, "a number that is needed is never guessed"
    other.account(unknown[1])
    one.begin()
    assert one.known_account(unknown[1]) == 3


def test_without_an_operation_nobody_is_taken_for_unknown_by_what_was_read_before(node: Callable[[], Link]) -> None:
    one, other = names(node()), names(node())
    unknown = [AccountId(f"a{number}@studio.test") for number in range(2 * MISSES)]
    assert {one.known_account(each) for each in unknown} == {None}
    other.account(unknown[-1])
    assert one.known_account(unknown[-1]) == 1


@pytest.mark.parametrize(
    "key", ["relay:{relay}:t:accounts", "relay:{relay}:g:accounts:names", "relay:{relay}:n:accounts"]
)
def test_where_a_key_is_of_another_type_no_number_is_given_and_nothing_is_written(
    server: Server, node: Callable[[], Link], key: str
) -> None:
    link = node()
    link.open()
    with server.client() as client:
        client.rpush(key, "x")
        before = sorted(cast("list[bytes]", client.keys()))
        with pytest.raises(RelayError, match=r"name\.lua failed"):
            names(link).account(ROSSI)
        assert sorted(cast("list[bytes]", client.keys())) == before


# what waits


def copy(rows: RedisRows, server: Server) -> None:
    """The same rows on a real server."""
    with server.client() as client, client.pipeline() as pipe:
        pipe.flushall()
        for key, fields in rows.hashes.items():
            for name, value in fields.items():
                pipe.hset(key, name, cast("Any", value))
        for key, places in rows.sorted_sets.items():
            for member, score in places.items():
                pipe.zadd(key, {member: score})
        pipe.sadd(PENDING, 1, 2, 3)
        pipe.execute()


def pending_over(link: Link, ledger: RedisLedger) -> RedisPending:
    return RedisPending(cast("Any", SimpleNamespace(ledger=ledger)), link)


def own_too(ledger: RedisLedger, both: Sides) -> None:
    """What the operation at hand writes on the bench, it writes here."""
    for values in both.ledger.written("deliveries").values():
        assert values is not None
        ledger.put("deliveries", values)


@settings(max_examples=12, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(mail=mails(8), states=st.lists(st.integers(0, 5), max_size=10))
def test_what_waits_and_what_is_held_is_counted_as_sqlite_counts_it(
    server: Server, node: Callable[[], Link], mail: Mail, states: list[int]
) -> None:
    with server.client() as client:
        client.flushall()
    both, link = Sides(), node()
    link.open()
    put(both, mail)
    copy(both.redis, server)
    ledger = ledger_over(link)
    pending, expected = pending_over(link, ledger), Pending(both.sqlite)
    assert dict(pending) == dict(expected)
    with server.client() as client:
        listed = {int(each) for each in cast("set[bytes]", client.smembers(PENDING))}
    assert listed == dict(expected).keys(), "who has nothing left is not looked at again"
    changed(both, mail, states)
    own_too(ledger, both)
    expected = Pending(both.sqlite)
    assert {account: line for account in (1, 2) if (line := pending.line(account)) is not None} == dict(expected)
    assert dict(pending).keys() == dict(expected).keys()
    for accounts in ([1], [2], [1, 2]):
        known = [each for each in accounts if expected.line(each) is not None]
        assert pending.accepted_at(accounts) == expected.accepted_at(known)


def test_many_accounts_are_counted_in_few_round_trips(server: Server, node: Callable[[], Link]) -> None:
    link = node()
    pending, before = pending_over(link, ledger_over(link)), calls_of(server, "evalsha")
    pending.look(range(1, 4 * AT_ONCE + 1))
    asked = calls_of(server, "evalsha")
    assert asked - before == 4
    pending.look(range(1, 4 * AT_ONCE + 1))
    assert {pending.line(account) for account in range(1, 4 * AT_ONCE + 1)} == {None}
    assert calls_of(server, "evalsha") == asked


def test_an_account_whose_mail_was_final_is_counted_again_when_one_is_recalled(
    server: Server, node: Callable[[], Link]
) -> None:
    link = node()
    ledger = ledger_over(link)
    pending_over(link, ledger).recalled(7, 70)
    link.run(RUN_VERBS, (), (msgpack.packb(ledger.intended.verbs),))
    with server.client() as client:
        assert client.smembers(PENDING) == {b"7"}


def test_no_account_is_taken_out_where_a_key_is_of_another_type(server: Server, node: Callable[[], Link]) -> None:
    link = node()
    link.open()
    with server.client() as client:
        client.sadd(PENDING, 1, 2)
        client.set("relay:{relay}:i:deliveries:ready:1:2,1:0", "x")
        with pytest.raises(RelayError, match=r"pending\.lua failed"):
            pending_over(link, ledger_over(link)).look([1, 2])
        assert client.smembers(PENDING) == {b"1", b"2"}


# events


def test_events_older_than_a_moment_go_and_the_others_stay(server: Server, node: Callable[[], Link]) -> None:
    link = node()
    link.open()
    with server.client() as client:
        for at in (1, 2, 3, 4):
            client.xadd(EVENTS, {"e": pack_event((at, "accepted", *[None] * 5))}, id=f"50-{at}")
        ledger = ledger_over(link)
        assert answer("pruning.drop_events")(ledger, 3, 10) == 2
        link.run(RUN_VERBS, (), (msgpack.packb(ledger.intended.verbs),))
        kept = LinkAsking(link).xrange(EVENTS, 10)
    assert [msgpack.unpackb(packed, raw=True)[:2] for _, packed in kept] == [[3, b"accepted"], [4, b"accepted"]]
