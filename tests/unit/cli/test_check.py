"""`relay check`: its exit codes, and that no traceback reaches a user whatever the file is."""

from pathlib import Path

import pytest
import typer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from relay.cli.check import check
from relay.store.redis.layout import LAYOUT
from relay.store.redis.rowkeys import META, table_key
from tests.fakes.redisservers import binary, server

GOOD = 'submission:\n  listen: [{address: "127.0.0.1:2525", tls: none}]\nrouting: routing.yaml\n'
WITH_KEY = {"RELAY_KEY": "set"}

app = typer.Typer()
app.command()(check)


def run(*arguments: str, env: dict[str, str] | None = None) -> Result:
    return CliRunner().invoke(app, arguments, env={**WITH_KEY, **(env or {})})


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "config").mkdir()
    (tmp_path / "config/relay.yaml").write_text(GOOD)
    (tmp_path / "config/routing.yaml").write_text("{}\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_nothing_wrong_is_silence_and_0(folder: Path) -> None:
    result = run()
    assert (result.stdout, result.exit_code) == ("", 0)


@pytest.mark.parametrize(
    ("names", "says"), [(frozenset(), "secret:anna is not in the store"), ({"anna"}, ""), (None, "")]
)
def test_a_stored_secret_is_missed_only_where_the_store_can_be_looked_into(
    folder: Path, monkeypatch: pytest.MonkeyPatch, names: frozenset[str] | None, says: str
) -> None:
    """While the relay runs its store is its own: then its log says what is missing."""
    (folder / "config/routing.yaml").write_text("accounts: {a@libero.it: {password: 'secret:anna'}}\n")
    (folder / "config/var").mkdir(parents=True, exist_ok=True)
    (folder / "config/relay.yaml").write_text(GOOD + "data_dir: var\n")
    (folder / "config/var/relay.db").write_bytes(b"")
    monkeypatch.setattr("relay.store.sqlite.offline.stored_names", lambda data_dir: names)
    result = run()
    assert result.exit_code == 0
    assert (says in result.stdout) if says else result.stdout == ""


@pytest.mark.needs("redis-server")
def test_a_stored_secret_is_looked_for_in_redis_and_nothing_is_written_there(folder: Path) -> None:
    (folder / "config/routing.yaml").write_text("accounts: {a@libero.it: {password: 'secret:anna'}}\n")
    with server(binary("redis-7"), is_durable=False) as redis, redis.client() as client:
        env = {"WHERE": redis.address}
        (folder / "config/relay.yaml").write_text(GOOD + "store: env:WHERE\n")
        assert "secret:anna is not in the store" in run(env=env).stdout
        assert client.dbsize() == 0
        client.hset(table_key("secrets"), "anna", b"sealed")
        assert run(env=env).stdout == ""
        client.hset(META, "layout", LAYOUT + 1)
        client.delete(table_key("secrets"))
        assert run(env=env).stdout == "", "a newer relay may keep them elsewhere"
        redis.pause()
        assert run(env=env).stdout == "", "what does not answer within a second is not seen"
        redis.go_on()
    assert run(env=env).stdout == "", "what is not there says nothing"


def test_warnings_alone_exit_0(folder: Path) -> None:
    (folder / "config/routing.yaml").write_text("accounts: {a@libero.it: {}}\n")
    result = run()
    assert result.stdout.startswith("config/routing.yaml:1:12: warning: no password")
    assert result.exit_code == 0


def test_an_error_exits_1(folder: Path) -> None:
    (folder / "config/routing.yaml").write_text("acounts: {}\n")
    result = run()
    assert result.stdout == "config/routing.yaml:1:1: error: unknown key 'acounts'; did you mean 'accounts'?\n"
    assert result.exit_code == 1


def test_a_file_that_cannot_be_opened_exits_2_and_says_so_apart(folder: Path) -> None:
    result = run("--config", "rely.yaml")
    assert (result.stdout, result.exit_code) == ("", 2)
    assert result.stderr == "rely.yaml: cannot be opened: no such file or directory\n"


def test_the_file_is_named_by_option_then_environment_then_place(folder: Path) -> None:
    (folder / "bad.yaml").write_text("x: 1\n")
    assert run(env={"RELAY_CONFIG": "bad.yaml"}).exit_code == 1
    assert run("--config", "config/relay.yaml", env={"RELAY_CONFIG": "bad.yaml"}).exit_code == 0


def test_the_problems_of_many_large_files_are_the_same(folder: Path) -> None:
    (folder / "config/relay.yaml").write_text(GOOD.replace("routing.yaml", "routing"))
    (folder / "config/routing").mkdir()
    for number in range(3):
        text = f"  doctor{number}-%d@d.test: {{provider: none}}\n"
        lines = "".join(text % index for index in range(100))
        (folder / f"config/routing/{number}.yaml").write_text("accounts:\n" + "#" * 800_000 + "\n" + lines)
    result = run()
    assert result.exit_code == 1
    assert len(result.stdout.splitlines()) == 300


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=60), st.binary(max_size=60))
def test_whatever_the_files_are_no_traceback_reaches_a_user(folder: Path, service: bytes, routing: bytes) -> None:
    (folder / "config/relay.yaml").write_bytes(service)
    (folder / "config/routing.yaml").write_bytes(routing)
    result = run()
    assert isinstance(result.exception, SystemExit)
    assert result.exit_code == 1
