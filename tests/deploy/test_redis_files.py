"""The files that are shipped for Redis: real servers start with them, and are what the relay asks of a store."""

import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import redis

from relay.store.redis.durability import SETTINGS
from tests.contract.redis.link.scene import COUNT, KEY, link_to
from tests.deploy.rules import ROOT
from tests.fakes.redisservers import NAMES, Server, Watcher, binary, replicated, until

FOLDER = ROOT / "deploy" / "redis"
REDIS = FOLDER / "redis.conf"
REPLICATED = FOLDER / "replicated.conf"
SENTINEL = FOLDER / "sentinel.conf"
OF_THE_MACHINE = ("dir", "port", "bind")
"""What the tests' own server has otherwise: it lies in a folder of its own."""


def lines(file: Path) -> dict[str, str]:
    """Each setting of a file of Redis."""
    said = (line.strip() for line in file.read_text().splitlines())
    pairs = (line.partition(" ") for line in said if line and not line.startswith("#"))
    return {name: value for name, _, value in pairs}


@pytest.fixture(params=NAMES)
def shipped(request: pytest.FixtureRequest) -> Iterator[Server]:
    """A server that was started with the shipped file, but for where it lies."""
    own = [f"{name} {value}" for name, value in lines(REDIS).items() if name not in OF_THE_MACHINE]
    server = Server(binary(request.param), is_durable=False, is_tcp=True)
    server.config = own  # nothing but what is shipped
    try:
        yield server.start()
    finally:
        server.close()


def test_a_server_with_the_shipped_file_is_what_the_relay_asks_for(shipped: Server) -> None:
    with shipped.client(decode_responses=True) as client:
        for setting in SETTINGS:
            assert client.config_get(setting.name) == {setting.name: setting.wanted}
        assert client.info("persistence")["aof_enabled"] == 1
        assert int(client.config_get("maxmemory")["maxmemory"]) == 2 * 2**30
        assert client.config_get("save") == {"save": ""}


def test_servers_with_replicas_have_the_same_file_and_refuse_where_they_are_cut_off() -> None:
    """A node that looks at them has nothing to say; cut off from its replica, the primary takes nothing."""
    told = lines(REPLICATED)
    assert told.pop("include") == "/etc/redis/redis.conf"
    own = [f"{name} {value}" for name, value in {**lines(REDIS), **told}.items() if name not in OF_THE_MACHINE]
    with replicated(binary("redis-7"), *own) as (primary, replica), closing(link_to(primary)) as link:
        assert link.run(COUNT, [KEY], is_durable=True) == 1
        assert link.problems() == ()
        replica.kill9()
        with primary.client() as client:
            until(lambda: client.info("replication")["connected_slaves"] == 0, "the primary has lost it")
            with pytest.raises(redis.exceptions.ResponseError, match="NOREPLICAS"):
                client.incr(KEY)


def test_what_it_answered_is_there_after_a_power_cut(shipped: Server) -> None:
    with shipped.client() as client:
        client.set("relay:{relay}:test", "kept")
    shipped.kill9()
    shipped.start()
    with shipped.client() as client:
        assert client.get("relay:{relay}:test") == b"kept"


@pytest.mark.parametrize("file", [REDIS, REPLICATED, SENTINEL], ids=lambda file: file.name)
def test_no_secret_stands_in_a_file(file: Path) -> None:
    assert not re.search(r"^(requirepass|masterauth|sentinel auth-pass)", file.read_text(), re.MULTILINE)


def test_a_sentinel_starts_with_the_shipped_file_and_names_the_primary() -> None:
    primary = Server(binary("redis-7"), is_tcp=True)
    watcher = Watcher(primary.program, primary, master="relay", quorum=2)
    text = SENTINEL.read_text().replace("relay 127.0.0.1 6379 2", f"relay 127.0.0.1 {primary.port} 2")
    text = re.sub(r"^port .*$", f"port {watcher.port}", text, flags=re.MULTILINE)
    (watcher.folder / "redis.conf").write_text(text + "logfile log\n")
    try:
        primary.start()
        watcher.start()
        with watcher.client(decode_responses=True) as client:
            until(lambda: client.sentinel_master("relay")["port"] == primary.port, "it watches the primary")
            assert client.sentinel_master("relay")["quorum"] == 2
            assert client.sentinel_master("relay")["down-after-milliseconds"] == 5000
    finally:
        watcher.close()
        primary.close()
