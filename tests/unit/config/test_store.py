"""Where the store is: what may stand there, what shows of it, and what is said of an address that leads nowhere."""

from pathlib import Path

import pytest

from relay.cli.stores import look_at_store
from relay.config.checking import check_config
from relay.config.loading import load_service
from relay.config.problems import Loaded, Severity
from relay.config.references import References, nothing_seen, nothing_stored
from relay.config.service import ServiceConfig
from relay.config.store import OWN, SCHEMES, kept_at, shown_store, store_address
from relay.errors import ConfigError
from relay.store.redis.address import Scheme
from tests.misfortune.certificates import make

SMALLEST = 'submission: {listen: [{address: "127.0.0.1:2525", tls: none}]}\nrouting: routing.yaml\n'
URL = "rediss://relay:xyzzy@xyzzy@db.example:6379/0"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "routing.yaml").write_text("")
    return tmp_path


def load(folder: Path, text: str, **environ: str) -> Loaded[ServiceConfig]:
    (folder / "relay.yaml").write_text(SMALLEST + text)
    return load_service(folder / "relay.yaml", {"RELAY_KEY": "set", **environ}, look_at_store=look_at_store)


def told(loaded: Loaded[ServiceConfig]) -> list[str]:
    """What is said of the store."""
    return [str(each) for each in loaded.problems]


def test_the_schemes_are_those_that_the_adapter_knows() -> None:
    assert set(SCHEMES) == {each.value for each in Scheme}


@pytest.mark.parametrize(
    "address",
    [
        "redis://127.0.0.1:6379/0",
        "redis://localhost",
        "rediss://db.example",
        "unix:///run/redis/redis.sock",
        "redis+sentinel://127.0.0.1:26379,127.0.0.2:26379/relay/0",
    ],
)
def test_an_address_without_password_is_taken_without_a_word(folder: Path, address: str) -> None:
    loaded = load(folder, f"store: {address}\n")
    assert loaded.value is not None
    assert told(loaded) == []
    assert store_address(loaded.value.store, References({})) == address


def test_the_file_of_trust_anchors_has_to_be_there(folder: Path) -> None:
    loaded = load(folder, f"store: rediss://db.example?ca={folder}/ca.pem\n")
    assert loaded.value is None
    (said,) = told(loaded)
    assert f"the file of trust anchors {folder}/ca.pem (?ca= in `store`) cannot be used: No such file" in said
    (folder / "ca.pem").write_bytes(make(folder).authority.read_bytes())
    assert told(load(folder, f"store: rediss://db.example?ca={folder}/ca.pem\n")) == []


def test_of_a_password_is_only_said_where_there_is_one(folder: Path) -> None:
    (without,) = told(load(folder, "store: redis://db.example\n"))
    assert "the password of Redis" not in without
    assert "rediss:// hides them too" in without


def test_with_sentinel_nobody_is_sent_to_tls_that_there_is_not(folder: Path) -> None:
    (said,) = told(load(folder, "store: redis+sentinel://a.example,b.example/relay/0\n"))
    assert "rediss://" not in said
    assert "or a tunnel between them" in said


def test_the_address_with_its_password_may_come_from_the_environment(folder: Path) -> None:
    loaded = load(folder, "store: env:RELAY_STORE\n", RELAY_STORE=URL + "\n")
    assert loaded.value is not None
    assert told(loaded) == []
    assert store_address(loaded.value.store, References({"RELAY_STORE": URL + "\n"})) == URL
    assert shown_store(loaded.value.store) == "env:RELAY_STORE"


def test_or_from_a_file_beside_the_configuration(folder: Path) -> None:
    (folder / "store.url").write_text(URL + "\n")
    (folder / "store.url").chmod(0o600)
    loaded = load(folder, "store: file:store.url\n")
    assert loaded.value is not None
    assert told(loaded) == []
    assert store_address(loaded.value.store, References({})) == URL
    assert shown_store(loaded.value.store) == f"file:{folder}/store.url"


def test_a_file_that_everybody_can_read_is_warned_of(folder: Path) -> None:
    (folder / "store.url").write_text(URL)
    (folder / "store.url").chmod(0o644)
    (warned,) = told(load(folder, "store: file:store.url\n"))
    assert f"warning: everybody on this machine can read the password in it: chmod 600 {folder}/store.url" in warned


def test_what_it_is_kept_in_may_say_sqlite(folder: Path) -> None:
    loaded = load(folder, "store: env:RELAY_STORE\nrole: delivery\n", RELAY_STORE="sqlite")
    assert loaded.value is None, "the role is held against what it says"
    assert ["with store: sqlite a node does all" in each for each in told(loaded)] == [True]


def test_secrets_are_looked_for_in_the_store_that_is_named(folder: Path) -> None:
    secret = "notices: {ops_webhook: 'https://ops.example/x', ops_webhook_secret: secret:hook}\n"
    for store, is_missed in (("sqlite", True), ("redis://127.0.0.1", False)):
        (folder / "relay.yaml").write_text(SMALLEST + secret + f"store: {store}\n")
        problems = check_config(
            folder / "relay.yaml",
            {"RELAY_KEY": "set"},
            stored_of=lambda config: nothing_stored if config.store == OWN else nothing_seen,
        )
        assert any("is not in the store" in each.text for each in problems) is is_missed


def test_without_what_it_is_kept_in_nothing_starts(folder: Path) -> None:
    loaded = load(folder, "store: env:RELAY_STORE\n")
    assert loaded.value is not None, "`relay check` does not run in the environment of the relay"
    with pytest.raises(ConfigError, match="store: env:RELAY_STORE is not set"):
        store_address(loaded.value.store, References({}))


@pytest.mark.parametrize(
    "address",
    [
        URL,
        "redis://:xyzzy@127.0.0.1",
        "redis://:xyzzy@xyzzy@127.0.0.1:6379",
        "redis://:xyzzy/xyzzy@127.0.0.1",
        "redis://:xyzzy?xyzzy@127.0.0.1",
        "redis://:xyzzy#xyzzy@127.0.0.1",
        "redis://xyzzy@127.0.0.1",
        "redis+sentinel://relay:xyzzy@10.0.0.5,10.0.0.6",
        "redis://:xyzzy@[::1",
        "unix://:xyzzy@db",
    ],
)
def test_no_password_is_ever_shown_nor_repeated(folder: Path, address: str) -> None:
    written = load(folder, f"store: '{address}'\n")
    kept = load(folder, "store: env:RELAY_STORE\n", RELAY_STORE=address)
    said = "\n".join([*map(str, written.problems), *map(str, kept.problems), shown_store(address), repr(written.value)])
    assert "xyzzy" not in said
    assert kept_at(address) is None


def test_what_crosses_a_network_readable_is_warned_of(folder: Path) -> None:
    for address, is_warned in (("redis://10.0.0.5", True), ("rediss://10.0.0.5", False), ("redis://[::1]", False)):
        problems = load(folder, f"store: '{address}'\n").problems
        assert [each.severity for each in problems if "rediss:// hides them" in each.text] == [
            Severity.WARNING
        ] * is_warned
