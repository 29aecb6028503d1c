"""Whatever key holds something else than it should: no script stops half-way and keeps what it wrote.

Each call that stores made in ordinary scenes is made again, with each key that it touches of another type: it is
refused with the key's name, or does without the key, and nothing else of the store is changed.
"""

import asyncio
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgpack
import pytest
import redis

from relay.errors import StoreBroken
from relay.store import redis as package
from relay.store.ports.nodes import NodeView, Role
from relay.store.redis.layout import LAYOUT
from relay.store.redis.link import Call
from relay.store.redis.rowkeys import META, STATE, body_key, index_key, number_key, table_key
from relay.store.redis.scripts import load_script, script_names
from relay.store.redis.store import RedisStore
from tests.contract.books import healths, trials
from tests.contract.harness import run
from tests.contract.redis.harness import RedisHarness, shared_server
from tests.contract.redis.recording import (
    Recorded,
    but_clock,
    contents,
    plainly_kept,
    put_back,
    recorded,
    run_again,
    touched,
)
from tests.contract.scene import BOUNCED, DEFERRED, MAIL_REFUSED, A, Scene, account
from tests.contract.suites import about, leases, outbox, queue, reading, recovery, routing, sessions
from tests.fakes.redisservers import NAMES

LUA = Path(package.__file__).parents[1] / "lua"


async def nodes_say_how_they_are(scene: Scene) -> None:
    store = scene.store
    assert isinstance(store, RedisStore)
    await store.nodes().announce(NodeView("node-1", "one", Role.ALL, "1.0", 1))
    assert len(await store.nodes().nodes()) == 1


HOT_SCENES = (
    queue.the_same_id_again_changes_nothing,
    queue.a_message_to_two_patients_is_two_deliveries,
    leases.what_passed_the_gate_is_kept_until_nothing_can_come_of_it,
    sessions.an_idle_session_makes_place_for_who_needs_it,
    nodes_say_how_they_are,
)
SCENES = (
    *HOT_SCENES,
    about.who_drops_again_while_others_are_served_is_alone_with_it,
    about.three_that_worked_and_are_refused_are_not_paused_and_others_do_not_wait,
    about.a_block_that_one_mailbox_is_told_of_is_its_own,
    outbox.who_asks_for_success_hears_of_it_unless_the_provider_tells_him,
    sessions.a_session_that_is_left_is_used_although_there_are_too_many,
    healths.history_outlives_a_crash_and_ends_after_a_quarter_of_a_year,
    trials.a_trial_counts_from_its_mail_until_the_window_after_its_end,
    recovery.sessions_die_with_their_process,
    routing.an_older_node_is_told_to_load_the_routing,
    reading.a_closed_total_is_a_limit_too,
)
"""Together they run every script, and every verb of a judged operation."""

MOVED_ROW = [table_key("accounts"), "1", b"row", [["ZADD", index_key("accounts", "all", ()), 1, "1"]]]
MOVED_PAGE = [[MOVED_ROW], [[body_key(1), b"sealed"]], [b"an event"]]
MOVES = {
    "moved_away": ("it was moved", "0", "0", "barred_by", "move"),
    "moved_begin": ("moving", "the move", "the move", "next run", "it is being moved here"),
    "moved_out": ("moving", "run", body_key(1)),
    "moved_in": ("moving", "run", "moving:accounts", "1", msgpack.packb(MOVED_PAGE, use_bin_type=False)),
    "moved_here": ("moving", "run", "7"),
}
"""What the scripts of a move are told."""

HALF: dict[Any, Any] = {"moving": "the move", "moving:run": "run", "barred": "not all here yet"}
"""What a place says of itself that is being filled."""

ELSEWHERE = {"layout", "stage", "owed", *MOVES}
"""Scripts that are run before a store is open, while it is moved, or in edits of many (test_large_edits.py)."""

LISTS = re.compile(r":(recent:.*|pen:free|owed)$")
REPLACED = re.compile(r"relay:\{relay\}:(body:\d+|lost:.*|taken:.*|nothing)$")
"""Keys that are written or deleted whole, whatever they hold."""


@dataclass(frozen=True, slots=True)
class Played:
    """What was recorded on a server, and the test's own way into a database of it."""

    client: redis.Redis
    calls: list[Recorded]


def played(program: str, scenes: tuple) -> Iterator[Played]:
    client = shared_server(program).client(db=15)
    with plainly_kept(client):
        yield Played(client, recorded(scenes, program))
    client.flushdb()


@pytest.fixture(scope="module")
def whole() -> Iterator[Played]:
    yield from played("redis-7", SCENES)


def test_every_script_and_every_verb_is_tried(whole: Played) -> None:
    assert {one.call.script.name for one in whole.calls} >= set(script_names()) - ELSEWHERE
    verbs = set(re.findall(r'^OWN\["([a-z._]+)"\]', (LUA / "lib" / "verbs.lua").read_text(), re.MULTILINE))
    assert verbs <= {each for one in whole.calls for each in one.does}
    hot = [one.does for one in whole.calls if one.call.script.name == "take"]
    assert {each for does in hot for each in does} >= {"claims", "opens", "closes", "JUDGE", "STALE"}


def test_a_key_of_another_type_is_named_or_not_needed_and_nothing_is_changed(whole: Played) -> None:
    for one in whole.calls:
        for key in sorted(touched(whole.client, one)):
            try_with(whole.client, one, key)


@pytest.mark.parametrize("program", [name for name in NAMES if name != "redis-7"])
def test_so_it_is_on_the_other_servers(program: str) -> None:
    tried = set[tuple[str, str]]()
    for on in played(program, HOT_SCENES):
        for one in on.calls:
            for key in sorted(touched(on.client, one)):
                if (one.call.script.name, key) not in tried:
                    tried.add((one.call.script.name, key))
                    try_with(on.client, one, key)
    assert {name for name, _ in tried} >= {"put", "take", "gate", "settle", "begin", "act", "name", "nodes", "announce"}


def try_with(client: redis.Redis, one: Recorded, key: str) -> None:
    put_back(client, one.before)
    spoil(client, key)
    spoilt = but_clock(contents(client))
    refused = refusal(client, one.call)
    is_changed = but_clock(contents(client)) != spoilt
    if refused is not None:
        assert not is_changed, (one.name, key, refused)
        assert f"WRONGTYPE {key} is " in refused or only_looks(one), (one.name, key, refused)
    elif is_changed:
        assert goes_without(one, key), (one.name, key)
    else:
        assert one.call.script.name == "settle" or only_looks(one), (one.name, key, "a settle is judged then")


def spoil(client: redis.Redis, key: str) -> None:
    is_list = LISTS.search(key) is not None
    client.delete(key)
    if is_list:
        client.set(key, "something else")
    else:
        client.rpush(key, "something else")


def refusal(client: redis.Redis, call: Call) -> str | None:
    """What the server refuses it with."""
    try:
        run_again(client, call)
    except redis.ResponseError as error:
        return str(error)
    return None


def only_looks(one: Recorded) -> bool:
    """Nothing hangs on it that is written: Redis says itself that it cannot."""
    return one.call.script.name.startswith("schedule_")


def goes_without(one: Recorded, key: str) -> bool:
    """A take hands out nothing of a mailbox or provider that is spoilt, and goes on with the others."""
    return REPLACED.match(key) is not None or (one.call.script.name == "take" and "{relay}" not in key)


@pytest.mark.parametrize("script", MOVES)
def test_a_move_stops_at_a_key_of_another_type_and_nothing_is_changed(whole: Played, script: str) -> None:
    client, call = whole.client, Call(load_script(script), (), MOVES[script])
    client.flushdb()
    client.hset(META, mapping={"layout": LAYOUT} | (HALF if script != "moved_away" else {}))
    client.set(body_key(1), b"of an earlier run")
    one = Recorded(call, contents(client), frozenset())
    keys = touched(client, one)
    assert META in keys
    assert contents(client) != one.before, "it did something"
    for key in sorted(keys):
        try_with(client, one, key)


@pytest.mark.parametrize("key", [table_key("outbox"), number_key("healths"), table_key("mailboxes")])
def test_who_decides_is_told_the_key_and_goes_on_when_it_is_mended(key: str) -> None:
    async def scenario() -> None:
        scene = Scene(Lent)
        assert isinstance(scene.harness, Lent)
        client = scene.harness.client
        await scene.route(account(A))
        await scene.mail(A, 1, 2)
        first, second = await scene.work()
        await scene.send(first, BOUNCED)
        whole = contents(client)
        spoil(client, key)
        assert await scene.store.gate(second)
        refused = await asyncio.gather(scene.end(second, MAIL_REFUSED), scene.store.outbox(9), return_exceptions=True)
        assert [str(each) for each in refused if isinstance(each, StoreBroken) and key in str(each)]
        assert client.hget(STATE, "pen") == b"", "nobody waits for it"
        put_back(client, whole)
        assert await scene.end(second, DEFERRED)
        assert [entry.message for entry in await scene.store.outbox(9)] == [first.message]
        await scene.harness.close()

    run(scenario)


class Lent(RedisHarness):
    """A harness that lends its server."""

    @property
    def client(self) -> redis.Redis:
        return self._server.client(db=self._db)


def test_the_mark_of_a_store_that_is_of_another_type_is_left_alone(whole: Played) -> None:
    whole.client.flushdb()
    whole.client.rpush(META, "something else")
    refused = refusal(whole.client, Call(load_script("layout"), (META,), (LAYOUT, "s1", "5e" * 16, "", 0)))
    assert META in str(refused)
    assert whole.client.lrange(META, 0, -1) == [b"something else"]
