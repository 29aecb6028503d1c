"""Whatever key holds something else than it should: a script refuses with the key's name and writes nothing, or goes on
without that mailbox."""

from collections.abc import Iterator
from typing import Any

import pytest
import redis

from relay.core.limits import HOUR, Limit
from relay.core.terms import MailboxTerms, ProviderTerms, Standing
from relay.core.words import Lane
from relay.store.redis.packing import pack_kinship, pack_provider_terms, pack_standing, pack_terms
from tests.contract.redis.schedule.place import BOTH, MAILBOXES, PROVIDERS, ROME, Place
from tests.contract.redis.schedule.player import Player, player_of
from tests.contract.redis.schedule.twins import Twins
from tests.fakes.redisservers import Server, binary, server

A, B = MAILBOXES[:2]
KIN = MAILBOXES[3]
TERMS = MailboxTerms((Limit(9, HOUR), Limit(20, 0)))
HOST = ProviderTerms((Limit(30, HOUR),), zone=ROME)


@pytest.fixture(scope="module")
def started() -> Iterator[Server]:
    with server(binary("redis-7"), is_durable=False) as found:
        yield found


@pytest.fixture
def twins(started: Server) -> Twins:
    """A world in which every kind of key is there, and one mailbox has all of its own."""
    place = Place(terms=dict.fromkeys(MAILBOXES, TERMS), provider=dict.fromkeys(PROVIDERS, HOST), kinship=BOTH)
    twins = Twins(player_of(started), place)
    for mailbox in (A, B, KIN):
        for account, lane in enumerate(Lane):
            twins.mail_comes(mailbox, account, lane, 3)
    twins.a_node_works(50, 2, 0)
    twins.take(50, 50)
    twins.one_wants_a_session_by_hand(A)
    twins.a_login_ends(place.logging_in()[-1], "refused")
    twins.one_wants_a_session_by_hand(A)
    for what in ("accuse", "drop", "break", "tell"):
        twins.something_is_seen_of_a_mailbox(A, what)
    twins.stands(MAILBOXES[2], Standing(is_stopped=True, probe_at=place.now + HOUR))
    twins.stands(B, Standing(is_proven=False))
    for mailbox in MAILBOXES:
        twins.mail_comes(mailbox, 0, Lane.BULK, 3)
    return twins


def calls(now: int) -> list[tuple[str, list[Any]]]:
    """Each call that writes, about a mailbox of which every key is there."""
    own, idle = list(A), [[*A, 2], [*B, 1], [*KIN, 1]]
    return [
        ("grant", [idle, 50]),
        ("open", [50]),
        ("close", [idle]),
        ("wake", [idle]),
        ("schedule.add_ready", [*own, "new@x", "bulk", [900]]),
        ("schedule.add_ready", [None, None, "lost@x", "bulk", [901]]),
        ("schedule.remove_ready", [*own, "0@p.a", "express", 1]),
        ("schedule.move_account", ["0@p.a", own, list(B)]),
        ("schedule.start", [*own, "late"]),
        ("schedule.end_attempt", [*own, "late", now, now]),
        ("schedule.reserve_session", own),
        ("schedule.session_opened", own),
        ("schedule.session_refused", [*own, True, None, True]),
        ("schedule.session_closed", own),
        ("schedule.resume_sessions", [*own, 1, 1]),
        ("schedule.end_logins", [*own, now, True]),
        ("schedule.acquit_logins", [*own, 0]),
        ("schedule.crowded", [*own, now + 9, True]),
        ("schedule.accuse", ["p", ["a"]]),
        ("schedule.blame_drops", ["p", ["a"]]),
        ("schedule.tell", [*own, now, True]),
        ("schedule.break_line", [*own, now]),
        ("schedule.clear", own),
        ("schedule.set_standing", [*own, pack_standing(Standing())]),
        ("schedule.set_terms", [*own, pack_terms(TERMS)]),
        ("schedule.reload", own),
        ("schedule.set_provider_standing", ["p", pack_standing(Standing())]),
        ("schedule.set_provider_terms", ["p", pack_provider_terms(HOST), [1, 2]]),
        ("schedule.set_midnights", ["p", [1, 2]]),
        ("schedule.set_kinship", [pack_kinship(BOTH)]),
        ("schedule.set_civil_offset", [7]),
    ]


def contents(client: redis.Redis) -> dict[bytes, Any]:
    found: Any = sorted(client.scan_iter(count=1000))
    return {key: client.dump(key) for key in found}


def put_back(client: redis.Redis, known: dict[bytes, Any]) -> None:
    client.flushall()
    for key, value in known.items():
        client.restore(key, 0, value)


def test_every_key_is_there(twins: Twins) -> None:
    names = {key.decode().split(":", 2)[2] for key in contents(twins.player.client)}
    expected = {"round", "alarms", "wanted", "busy", "resting", "provider", "midnights", "running", "ends", "under_way"}
    expected |= {"accused", "droppers", "told", "broken", "broke", "line:a", "running:a", "ends:a", "logins:a"}
    expected |= {"logged:a", "refused:a", "accounts:express:a", "ready:express:1:a:0@p.a"}
    assert expected <= names
    assert names & {"wanting", "doubtful"}


def test_a_key_of_another_type_is_refused_by_name_and_nothing_is_written(twins: Twins) -> None:
    player, now = twins.player, twins.place.now + 10
    whole, refused = contents(player.client), set[str]()
    for key in filter(is_looked_at, whole):
        put_back(player.client, whole)
        player.client.delete(key)
        player.client.set(key, "something else")
        spoilt = contents(player.client)
        for name, args in calls(now):
            answer = ask(player, name, now, args)
            if answer is not None:
                assert answer.startswith("WRONGTYPE relay:{"), (name, key, answer)
                assert contents(player.client) == spoilt, (name, key)
                refused.add(name)
            elif contents(player.client) != spoilt:
                put_back(player.client, spoilt)
    assert refused == {name for name, _ in calls(now)}


def is_looked_at(key: bytes) -> bool:
    """Everything but the same again of other mailboxes."""
    return not key.startswith((b"relay:{r}", b"relay:{q}")) and not key.endswith((b":b", b":c", b".b", b".c"))


def ask(player: Player, name: str, now: int, args: list[Any]) -> str | None:
    """What the server refuses it with."""
    try:
        player.call(name, now, *args)
    except redis.ResponseError as error:
        return str(error)
    return None
