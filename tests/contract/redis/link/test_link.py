"""What the link promises whatever befalls the server: answers are its own, and what may have been done says so."""

import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import redis

from relay.errors import RelayError, StoreBroken, StoreFull, StoreSilent, StoreUnavailable
from relay.store.redis.failures import RIGHTS, NotAllowed
from relay.store.redis.link import FIRST_PAUSE, LONGEST_PAUSE, Call
from relay.store.redis.scripts import Source, assemble, libraries
from tests.contract.redis.link.scene import (
    BRIEF,
    COUNT,
    KEY,
    MINUTE,
    PING,
    Clock,
    calls_of,
    link_to,
    script,
)
from tests.fakes.redisservers import CLUSTER, Server, binary, server, until

RINGING = f"""-- Tells of a change, and writes after it.
-- needs: told
told.changed()
redis.call("SET", "{KEY}", "after")
return "done"
"""

SECRET = "m.rossi-and-a-patient"


def test_script_is_sent_once_and_named_ever_after(redis_server: Server):
    with closing(link_to(redis_server)) as link:
        assert [link.run(COUNT, [KEY]) for _ in range(3)] == [1, 2, 3]
        assert calls_of(redis_server, "script") + calls_of(redis_server, "script|load") == 1


@pytest.mark.parametrize("what", ["flushed", "restarted"])
def test_script_that_the_server_forgot_is_brought_again(redis_server: Server, what: str):
    with closing(link_to(redis_server)) as link:
        assert link.run(COUNT, [KEY]) == 1
        if what == "flushed":
            with redis_server.client() as client:
                client.script_flush()
        else:
            redis_server.restart()
        assert link.run(COUNT, [KEY]) == 2


def test_one_refused_call_hides_no_other(redis_server: Server):
    bad = script("return redis.call('HGET', KEYS[1], 'x')", "reader")
    with closing(link_to(redis_server)) as link:
        first, second, third = link.run_many([Call(COUNT, [KEY]), Call(bad, [KEY]), Call(COUNT, [KEY])])
        assert (first, third) == (1, 2)
        assert isinstance(second, StoreBroken)
        assert f"reader.lua failed: WRONGTYPE at line 1, at {KEY}" in str(second)


@pytest.mark.parametrize(
    "text", ["error(ARGV[1])", "return redis.error_reply('ERR ' .. ARGV[1])", "return redis.call('INCR', KEYS[1])"]
)
def test_no_value_gets_into_the_text_of_an_error(redis_server: Server, text: str):
    with closing(link_to(redis_server)) as link:
        link.ask("SET", KEY, SECRET)
        with pytest.raises(StoreBroken, match=r"broken\.lua failed") as caught:
            link.run(script(text, "broken"), [KEY], [SECRET])
        assert SECRET not in str(caught.value)
        assert KEY in str(caught.value)


def test_key_that_a_script_names_itself_is_the_one_in_the_text(redis_server: Server):
    named = script("return redis.error_reply('WRONGTYPE relay:{aruba}:limits is no hash')", "checker")
    with closing(link_to(redis_server)) as link, pytest.raises(StoreBroken, match=r"relay:\{aruba\}:limits$"):
        link.run(named, [KEY])


def test_full_memory_is_said_and_nothing_is_written(program: Path):
    two = script("redis.call('SET', KEYS[1], ARGV[1]); redis.call('SET', KEYS[2], ARGV[1]); return 'ok'", "put")
    with server(program) as made, closing(link_to(made)) as link, made.client() as client:
        link.open()
        client.config_set("maxmemory", "1")
        with pytest.raises(StoreFull, match="no memory left for mail"):
            link.run(two, [KEY, KEY + "2"], [b"x" * 1000], is_durable=True)
        assert client.exists(KEY, KEY + "2") == 0
        assert link.run(PING) == b"pong"
        client.config_set("maxmemory", "0")
        assert link.run(two, [KEY, KEY + "2"], ["x"]) == b"ok"


def test_paused_server_is_silent_and_its_late_reply_nobody_elses(redis_server: Server):
    late = script("redis.call('INCR', KEYS[1]); return 'late'", "late")
    with closing(link_to(redis_server, patience=BRIEF)) as link:
        link.open()
        redis_server.pause()
        with pytest.raises(StoreSilent, match="did not answer in time") as caught:
            link.run(late, [KEY])
        assert caught.value.is_unknown
        redis_server.go_on()
        assert _patiently(link, PING) == b"pong"
        with redis_server.client() as client:
            until(lambda: client.get(KEY) == b"1", "what was unknown was done all the same")


def test_killed_between_command_and_reply_is_unknown(program: Path):
    endless = script("while true do end", "endless")
    with server(program, "lua-time-limit 1") as made, closing(link_to(made)) as link, made.client() as client:
        link.open()
        met: list[RelayError | None] = []
        asking = threading.Thread(target=lambda: met.append(_error_of(link, endless)))
        asking.start()
        until(lambda: "BUSY" in _said(client), "the script runs")
        made.kill9()
        asking.join(60)
        assert [type(error) for error in met] == [StoreSilent]
        made.start()
        assert _patiently(link, PING) == b"pong"


def test_server_that_was_restarted_meanwhile_leaves_nothing_in_doubt(redis_server: Server):
    with closing(link_to(redis_server)) as link:
        assert link.run(COUNT, [KEY]) == 1
        redis_server.kill9()
        redis_server.start()
        assert link.run(COUNT, [KEY]) == 2


def test_away_is_certain_and_tried_again_after_a_growing_pause(one_server: Server):
    clock = Clock()
    with closing(link_to(one_server, clock=clock)) as link:
        link.open()
        one_server.stop()
        for _ in range(12):
            with pytest.raises(StoreUnavailable) as caught:
                link.run(PING)
            assert not caught.value.is_unknown
            assert link.is_away
            clock.advance(LONGEST_PAUSE)
        one_server.start()
        assert link.run(PING) == b"pong"
        assert not link.is_away


def test_within_the_pause_nothing_is_tried(one_server: Server):
    clock = Clock()
    with closing(link_to(one_server, clock=clock)) as link:
        one_server.stop()
        with pytest.raises(StoreUnavailable):
            link.run(PING)
        clock.ahead -= MINUTE  # the pause does not end while the test runs
        one_server.start()
        with pytest.raises(StoreUnavailable, match="is not reached"):
            link.run(PING)
        clock.ahead += MINUTE + FIRST_PAUSE
        assert link.run(PING) == b"pong"


def test_login_is_used_and_shown_nowhere(program: Path):
    def with_login(text: str) -> Any:
        return lambda address: address.replace("://", f"://{text}@", 1)

    with server(program, "requirepass geheim") as made:
        with closing(link_to(made, change=with_login(":geheim"))) as link:
            assert link.run(PING) == b"pong"
            assert "geheim" not in f"{link.address} {link.address!r} {link!r}"
        with closing(link_to(made, change=with_login(":falsch"))) as link:
            with pytest.raises(StoreUnavailable, match="refuses the login") as caught:
                link.open()
            assert "falsch" not in str(caught.value)
        with closing(link_to(made)) as link, pytest.raises(StoreUnavailable, match="wants a login"):
            link.open()


def test_database_that_there_is_not_is_said(redis_server: Server):
    link = link_to(redis_server, change=lambda address: f"{address}?db=99")
    with closing(link), pytest.raises(StoreBroken, match="has no database of the number at the end of `store`"):
        link.open()


def test_user_who_may_not_is_told_what_the_acl_lacks(program: Path):
    with server(program, f"user relay on >geheim {RIGHTS} -evalsha") as made:
        link = link_to(made, change=lambda address: address.replace("://", "://relay:geheim@", 1))
        with closing(link), pytest.raises(StoreUnavailable, match=r"ACL SETUSER .* \(ping\.lua\)"):
            link.run(PING)


@pytest.mark.parametrize("lacks", ["resetchannels", "-publish", "-subscribe"])
def test_user_without_the_channel_is_refused_before_anything_is_written(program: Path, lacks: str):
    """Redis 7 gives no channel to a user who is not given one; the text has what gives it."""
    with server(program, f"user relay on >geheim {RIGHTS} {lacks}") as made, made.client() as client:
        link = link_to(made, change=lambda address: address.replace("://", "://relay:geheim@", 1))
        with closing(link):
            with pytest.raises(NotAllowed, match=r"channel relay:\{relay\}:bell") as caught:
                link.open()
            assert client.dbsize() == 0
            assert RIGHTS in str(caught.value)
            client.execute_command("ACL", "SETUSER", "relay", *RIGHTS.split())
            until(lambda: not link.is_pausing, "the pause is over")
            assert link.run(PING) == b"pong"


def test_script_that_its_user_may_not_end_says_what_he_must_be_allowed(program: Path):
    foreign = script("redis.call('SET', 'elsewhere', 1)", "foreign")
    with server(program, f"user relay on >geheim {RIGHTS}") as made:
        link = link_to(made, change=lambda address: address.replace("://", "://relay:geheim@", 1))
        with (
            closing(link),
            pytest.raises(StoreBroken, match=r"ACL SETUSER .* \(foreign\.lua did not come to its end\)"),
        ):
            link.run(foreign)


def test_bell_that_may_no_longer_be_rung_leaves_no_script_half_done(program: Path):
    ringing = Source.of("ringing", RINGING)
    with server(program, f"user relay on >geheim {RIGHTS}") as made, made.client() as client:
        link = link_to(made, change=lambda address: address.replace("://", "://relay:geheim@", 1))
        with closing(link):
            link.open()
            client.execute_command("ACL", "SETUSER", "relay", "resetchannels")
            assert link.run(assemble(ringing, libraries())) == b"done"
            assert client.get(KEY) == b"after"


def test_loading_server_is_away_until_it_has_loaded():
    with server(binary("redis-7"), "rdbcompression no") as made, closing(link_to(made, patience=BRIEF)) as link:
        link.open()
        with made.client() as client, client.pipeline(transaction=False) as pipe:
            for number in range(500):
                pipe.set(f"relay:{number}", "x" * 10_000)
            pipe.execute()
            client.bgrewriteaof()  # it takes its time, when it is told to, only over what was written anew
            until(lambda: not client.info("persistence")["aof_rewrite_in_progress"], "the file is written anew")
        made.stop()
        made.config += ["key-load-delay 500"]
        made.start(is_awaited=False)
        until(lambda: "loading" in str(_error_of(link, PING)), "it says that it is loading")
        assert _patiently(link, PING) == b"pong"


def test_replica_is_not_written_to(program: Path):
    with server(program, is_tcp=True) as primary, server(program) as replica:
        replica.follow(primary)
        with closing(link_to(replica)) as link, pytest.raises(StoreUnavailable, match="is a replica"):
            link.open()


def test_primary_that_becomes_a_replica_is_left(program: Path):
    with server(program, is_tcp=True) as other, server(program) as made, closing(link_to(made)) as link:
        link.open()
        with made.client() as client:
            client.config_set("replica-serve-stale-data", "yes")
        made.follow(other)
        refused = link.run_many([Call(COUNT, [KEY]), Call(COUNT, [KEY])])
        assert [type(error) for error in refused] == [StoreUnavailable] * 2, "nothing of it is in doubt"
        with pytest.raises(StoreUnavailable, match="is a replica"):
            link.run(PING)


def test_cluster_is_refused(program: Path):
    refused = pytest.raises(StoreBroken, match="is a node of a cluster")
    with server(program, CLUSTER, is_tcp=True) as made, closing(link_to(made)) as link, refused:
        link.open()


def test_answer_that_may_take_longer_is_waited_for(one_server: Server):
    with closing(link_to(one_server, patience=BRIEF)) as link:
        link.open()
        one_server.pause()
        waking = threading.Timer(1.2 * BRIEF.reply / 1_000_000, one_server.go_on)
        waking.start()
        assert link.run(COUNT, [KEY], within=MINUTE) == 1
        waking.join()


def _said(client: redis.Redis) -> str:
    """What a server says to PING: that it is busy, for one."""
    try:
        return str(client.ping())
    except redis.exceptions.RedisError as error:
        return str(error)


def _error_of(link: Any, script: Any, keys: Any = ()) -> RelayError | None:
    try:
        link.run(script, keys)
    except RelayError as error:
        return error
    return None


def _patiently(link: Any, script: Any) -> Any:
    """Its answer, once the pause after what went wrong is over."""
    answers: list[Any] = []

    def answered() -> bool:
        try:
            answers.append(link.run(script))
        except StoreUnavailable:
            return False
        return True

    until(answered, "the link is back")
    return answers[0]
