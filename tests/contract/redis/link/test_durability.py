"""A server that could lose accepted mail is refused with the line to change, unless relay.yaml says otherwise."""

from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import redis

from relay.errors import StoreNotDurable
from relay.store.redis.durability import LONGEST_LAG, Durability
from relay.store.redis.link import Link
from relay.store.redis.replicas import GIVEN_UP
from tests.contract.redis.link.scene import COUNT, KEY, PING, SECOND, link_to, rules
from tests.fakes.redisservers import Server, binary, replicated, server, until

GUARDED = "min-replicas-to-write 1"

WRONG = [
    ("appendonly no", "appendonly yes"),
    ("appendfsync everysec", "appendfsync always"),
    ("no-appendfsync-on-rewrite yes", "no-appendfsync-on-rewrite no"),
    ("maxmemory-policy allkeys-lru", "maxmemory-policy noeviction"),
]


@pytest.mark.parametrize(("line", "right"), WRONG)
def test_wrong_setting_is_refused_with_the_line_to_change(program: Path, line: str, right: str):
    with server(program, line) as made, closing(link_to(made)) as link:
        with pytest.raises(StoreNotDurable) as caught:
            link.open()
        [told] = str(caught.value).splitlines()
        assert told.startswith(f"primary {made.socket}: {right.split(maxsplit=1)[0]} is {line.split()[1]}: ")
        assert f"`{right}` in its redis.conf" in told
        assert f"CONFIG SET {right}" in told
        with made.client() as client:
            assert client.dbsize() == 0, "nothing was written"
            client.config_set(*right.split())
        _reopen(link)


def test_each_wrong_setting_has_its_line(program: Path):
    with server(program, *(line for line, _ in WRONG)) as made, closing(link_to(made)) as link:
        with pytest.raises(StoreNotDurable) as caught:
            link.open()
        assert len(str(caught.value).splitlines()) == len(WRONG)


def test_shipped_settings_are_taken_by_every_server(program: Path):
    """deploy/redis/redis.conf as it is, but for where it listens and where its files are."""
    shipped = Path("deploy/redis/redis.conf").read_text().splitlines()
    lines = [line for line in shipped if line.split(" ")[0] not in {"", "#", "dir", "bind", "port", "protected-mode"}]
    with server(program, *lines) as made, closing(link_to(made)) as link:
        assert link.run(COUNT, [KEY], is_durable=True) == 1
        assert link.problems() == ()


def test_relaxed_goes_on_and_goes_on_saying_so(program: Path):
    relaxed = rules(Durability.RELAXED)
    with server(program, is_durable=False) as made, closing(link_to(made, relaxed)) as link:
        assert link.run(COUNT, [KEY], is_durable=True) == 1
        assert [flaw.what for flaw in link.problems()] == ["durability"] * 2
        assert "appendonly is no" in link.problems()[0].text
        with made.client() as client:
            client.config_set("appendonly", "yes")
            client.config_set("appendfsync", "always")
        link.tend()
        assert link.problems() == ()


def test_forbidden_config_is_told_how_to_assert(program: Path):
    with server(program, 'rename-command CONFIG ""') as made:
        with closing(link_to(made)) as link, pytest.raises(StoreNotDurable, match="`durability: asserted`"):
            link.open()
        with closing(link_to(made, rules(Durability.RELAXED))) as link:
            assert link.run(PING) == b"pong"
            assert "nobody can see" in link.problems()[0].text
        with closing(link_to(made, rules(Durability.ASSERTED))) as link:
            assert link.run(PING) == b"pong"
            assert link.problems() == ()


def test_user_who_may_not_ask_is_told_how_to_assert(program: Path):
    with server(program, "user relay on >geheim ~relay:* +@all -config") as made:
        link = link_to(made, change=lambda address: address.replace("://", "://relay:geheim@", 1))
        with closing(link), pytest.raises(StoreNotDurable, match="`durability: asserted`"):
            link.open()


def test_assertion_that_the_server_contradicts_is_told(program: Path):
    loose = ("appendonly no", "maxmemory-policy allkeys-lru")
    with server(program, *loose) as made, closing(link_to(made, rules(Durability.ASSERTED))) as link:
        assert link.run(PING) == b"pong"
        assert ["aof_enabled:0" in flaw.text for flaw in link.problems()] == [True, False]
        assert "allkeys-lru" in link.problems()[1].text


def test_setting_that_is_changed_later_is_found_at_the_next_look(redis_server: Server):
    with closing(link_to(redis_server)) as link, redis_server.client() as client:
        assert link.run(COUNT, [KEY]) == 1
        client.config_set("appendfsync", "everysec")
        with pytest.raises(StoreNotDurable, match="appendfsync is everysec"):
            link.tend()
        with pytest.raises(StoreNotDurable, match="appendfsync is everysec"):
            link.run(COUNT, [KEY])
        client.config_set("appendfsync", "always")
        _reopen(link)
        assert link.run(COUNT, [KEY]) == 2


def test_replica_that_could_lose_it_is_refused_too(program: Path):
    with replicated(program, GUARDED) as (primary, replica), replica.client() as client:
        client.config_set("appendfsync", "everysec")
        with closing(link_to(primary)) as link:
            with pytest.raises(StoreNotDurable, match=f"^replica 127.0.0.1:{replica.port}: appendfsync is everysec"):
                link.open()
            client.config_set("appendfsync", "always")
            _reopen(link)
            assert link.problems() == ()


def test_replica_that_cannot_be_reached_is_a_lasting_warning(program: Path):
    with replicated(program, GUARDED) as (primary, replica), replica.client() as client:
        client.config_set("requirepass", "anders")  # which the relay is not told
        with closing(link_to(primary)) as link:
            link.open()
            assert [flaw.what for flaw in link.problems()] == ["replica"]
            assert f"whether replica 127.0.0.1:{replica.port} would keep mail" in link.problems()[0].text


@pytest.mark.parametrize("name", ["min-replicas-to-write", "min-slaves-to-write"])
def test_servers_that_would_go_on_alone_are_told_the_line_to_write_until_they_have_it(program: Path, name: str):
    """Primary and replicas, for each may be the primary; none stops the mail meanwhile."""
    with replicated(program, replicas=2) as (primary, *replicas), closing(link_to(primary)) as link:
        assert link.run(COUNT, [KEY], is_durable=True) == 1
        named = [f"primary 127.0.0.1:{primary.port}", *(f"replica 127.0.0.1:{each.port}" for each in replicas)]
        assert sorted(_alone(link)) == sorted(named)
        assert "min-replicas-to-write is 0: cut off" in link.problems()[0].text
        assert "write `min-replicas-to-write 1` in its redis.conf, or now: CONFIG SET" in link.problems()[0].text
        for each in (*replicas, primary):
            with each.client() as client:
                client.config_set(name, "1")
            link.tend()
            assert len(_alone(link)) == len([primary, *replicas]) - 1 - [*replicas, primary].index(each)
        with primary.client() as client:
            client.config_set(name, "0")
        link.tend()
        assert _alone(link) == [f"primary 127.0.0.1:{primary.port}"]


@pytest.mark.parametrize("lag", ["0", "61"])
def test_lag_with_which_it_would_go_on_alone_is_told_too(lag: str):
    """0 switches the refusal off; with more than a minute the relay has given the replica up before."""
    assert LONGEST_LAG * SECOND == GIVEN_UP
    lines = (GUARDED, f"min-replicas-max-lag {lag}")
    with replicated(binary("redis-7"), *lines, replicas=2) as (primary, *_), closing(link_to(primary)) as link:
        link.open()
        assert f"min-replicas-max-lag is {lag}: cut off" in link.problems()[0].text
        assert "CONFIG SET min-replicas-max-lag 10" in link.problems()[0].text
        assert [flaw.what for flaw in link.problems()] == ["alone"] * 3


def test_primary_whose_replicas_are_away_is_not_told_to_stop_all_mail():
    with replicated(binary("redis-7"), replicas=2) as (primary, *replicas), closing(link_to(primary)) as link:
        link.open()
        for left in (1, 0):
            replicas[left].kill9()
            with primary.client() as client:
                until(partial(_is_followed_by, client, left), "it has lost one")
            link.tend()
            assert f"primary 127.0.0.1:{primary.port}" in _alone(link), "it is not forgotten that there were two"
        assert "when its replica is back: before, it would stop all mail" in link.problems()[0].text
        assert "CONFIG SET" not in link.problems()[0].text


def test_of_two_servers_none_is_told_to_stop_with_the_other():
    """Go on alone, or stop: with two of them only their admin can say which."""
    with replicated(binary("redis-7")) as (primary, _), closing(link_to(primary)) as link:
        link.open()
        assert link.problems() == ()


def _is_followed_by(client: redis.Redis, many: int) -> bool:
    told: Any = client.info("replication")
    return bool(told["connected_slaves"] == many)


def _alone(link: Link) -> list[str]:
    """The servers of which is said that they would go on alone."""
    return [flaw.text.partition(": ")[0] for flaw in link.problems() if flaw.what == "alone"]


def _reopen(link: Link) -> None:
    """Once the pause after a refusal is over."""
    until(lambda: not link.is_pausing, "the pause is over")
    link.open()
