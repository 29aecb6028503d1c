"""The files that are shipped for Redis: real servers start with them, and are what the relay asks of a store."""

import re
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import redis

from relay.store.redis.durability import SETTINGS
from tests.contract.redis.link.scene import COUNT, KEY, link_to
from tests.deploy.rules import ROOT
from tests.fakes.redisservers import NAMES, Server, Watcher, binary, replicated, until
from tests.misfortune.certificates import Shown

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


def recipe(file: Path, folder: Path) -> list[str]:
    """The lines for TLS that stand there as comments, with what they name in a folder."""
    found = re.findall(r"^# ((?:port 0|tls-\S+ \S+|replica-announce-ip \S+))$", file.read_text(), re.MULTILINE)
    return [line.replace("/etc/redis", str(folder)) for line in found]


def certificate(folder: Path, name: str) -> None:
    """Made by the command that the file says."""
    (command,) = re.findall(r"^#   (openssl .*)$", REDIS.read_text(), re.MULTILINE)
    words = command.replace("/etc/redis", str(folder)).replace("redis.example.it", name).split()
    subprocess.run(words, check=True, capture_output=True, timeout=60)


def over_tls(program: Path, folder: Path, *more: str) -> Server:
    """A server with the shipped file and its lines for TLS, which listens at a port of its own."""
    server = Server(program, is_durable=False, is_tcp=True)
    told = [line for line in recipe(REDIS, folder) if not line.startswith(("port", "tls-port"))]
    own = [f"{name} {value}" for name, value in lines(REDIS).items() if name not in OF_THE_MACHINE]
    server.config = [*own, *told, *more, "port 0", f"tls-port {server.port}"]
    server.tls = Shown(folder / "redis.crt", folder / "redis.key", folder / "redis.crt")
    return server


@pytest.mark.needs("openssl")
def test_a_node_reaches_a_server_with_the_lines_for_tls(tmp_path: Path) -> None:
    """With the one of our servers that is built with TLS."""
    certificate(tmp_path, "localhost")
    assert [line.split()[0] for line in recipe(REDIS, tmp_path)] == [
        "port", "tls-port", "tls-cert-file", "tls-key-file", "tls-auth-clients",
    ]  # fmt: skip
    server = over_tls(binary("redis-7"), tmp_path)
    try:
        server.start()
        address = f"rediss://localhost:{server.port}/0?ca={tmp_path / 'redis.crt'}"
        with closing(link_to(address)) as link:
            assert link.run(COUNT, [KEY], is_durable=True) == 1
            assert link.problems() == ()
    finally:
        server.close()


@pytest.mark.needs("openssl")
def test_replicas_with_the_lines_for_tls_copy_through_it_and_are_asked_through_it(tmp_path: Path) -> None:
    certificate(tmp_path, "localhost")
    (tmp_path / "servers.crt").write_text((tmp_path / "redis.crt").read_text())
    more = [line.replace("redis-2.example.it", "localhost") for line in recipe(REPLICATED, tmp_path)]
    assert [line.split()[0] for line in more] == ["tls-replication", "tls-ca-cert-file", "replica-announce-ip"]
    servers = [over_tls(binary("redis-7"), tmp_path, *more) for _ in range(2)]
    try:
        primary, replica = (server.start() for server in servers)
        replica.follow(primary)
        address = f"rediss://localhost:{primary.port}/0?ca={tmp_path / 'redis.crt'}"
        with closing(link_to(address)) as link:
            assert link.run(COUNT, [KEY], is_durable=True) == 1
            assert link.problems() == ()
            assert link.joining.facts is not None
            assert [str(each) for each in link.joining.facts.replicas] == [f"localhost:{replica.port}"]
    finally:
        for server in servers:
            server.close()


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
