"""`relay queue migrate` says what was counted on both sides, and ends with 1 where that is not the same."""

import json
from pathlib import Path

import pytest

from relay.app.moving import Order, move_store
from relay.cli import queue_migrate
from relay.cli.configured import service_of
from relay.cli.frame import run
from relay.errors import ConfigError
from relay.store.moving.carried import Tally
from relay.store.moving.counting import Counted
from tests.unit.cli.running import CONFIG

WHOLE = [Counted("messages", Tally(3, 9), Tally(3, 9)), Counted("bodies", Tally(2, 7), Tally(2, 7))]
LACKING = [WHOLE[0], Counted("bodies", Tally(2, 7), Tally(1, 5))]
DAMAGED = [WHOLE[0], Counted("bodies", Tally(2, 7), Tally(2, 7), "1 messages have none")]
ELSEWHERE = "redis://:geheim@127.0.0.1:6379/1"


@pytest.fixture
def config(tmp_path: Path) -> str:
    (tmp_path / "routing.yaml").write_text("{}")
    (tmp_path / "relay.yaml").write_text(CONFIG)
    return str(tmp_path / "relay.yaml")


def migrate(monkeypatch: pytest.MonkeyPatch, counted: list[Counted], *words: str) -> tuple[int, list[Order]]:
    """The command, with a move that counts this; its code, and what it was asked for."""
    orders: list[Order] = []

    def move(order: Order) -> list[Counted]:
        orders.append(order)
        order.told("messages", 1, 3)
        return counted

    monkeypatch.setattr(queue_migrate, "move_store", move)
    return run(["queue", "migrate", *words]), orders


def test_move_that_is_whole_is_shown_and_says_what_comes_next(
    config: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, orders = migrate(monkeypatch, WHOLE, "--config", config, "--to", ELSEWHERE)
    shown = capsys.readouterr().out
    assert (code, [order.to for order in orders]) == (0, [ELSEWHERE])
    assert [line.split() for line in shown.splitlines()[:3]] == [
        ["WHAT", "FROM", "TO"], ["messages", "3", "3"], ["bodies", "2", "2"],
    ]  # fmt: skip
    assert "write `store: redis://127.0.0.1:6379/1` into relay.yaml" in shown
    assert "geheim" not in shown


def test_what_is_lacking_ends_with_1_and_leaves_the_store_where_it_was(
    config: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _ = migrate(monkeypatch, LACKING, "--config", config, "--to", ELSEWHERE)
    said = capsys.readouterr()
    assert code == 1
    assert "not the same" in said.out
    assert "the store stays where it was" in said.err


def test_what_the_old_place_lacks_is_said_and_who_looks_for_it(
    config: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _ = migrate(monkeypatch, DAMAGED, "--config", config, "--to", ELSEWHERE, "--json")
    said = capsys.readouterr()
    assert (code, json.loads(said.out)["is_whole"]) == (1, False)
    assert json.loads(said.out)["counted"][1]["lack"] == "1 messages have none"
    assert "relay: bodies: 1 messages have none\n" in said.err
    assert "the store stays where it was" in said.err
    assert "`relay queue check` looks for what is wrong with it" in said.err


def test_json_has_every_count(config: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    code, _ = migrate(monkeypatch, LACKING, "--config", config, "--to", ELSEWHERE, "--json")
    found = json.loads(capsys.readouterr().out)
    assert (code, found["is_whole"]) == (1, False)
    assert found["counted"][1] == {"name": "bodies", "from": 2, "to": 1, "is_same": False}


def test_where_it_is_already_it_does_not_go(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    (Path(config).parent / "var").mkdir()
    assert run(["queue", "migrate", "--config", config, "--to", "sqlite"]) == 1
    assert "already" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("to", "why"),
    [
        ("redis://", "host"),
        ("redis://:geheim@host:port/0", "port of host"),
        ("nonsense", "unknown store"),
        ("secret:store", "unknown store"),
        ("env:RELAY_NOWHERE", "RELAY_NOWHERE"),
        ("env:RELAY_ELSEWHERE", "a host is missing"),
        ("file:/nowhere/store.url", "/nowhere/store.url"),
        ("file:", "file:"),
    ],
)
def test_place_that_is_none_is_wrong_use(
    config: str, to: str, why: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RELAY_ELSEWHERE", "redis://:geheim@")
    monkeypatch.setenv("COLUMNS", "200")
    code, orders = migrate(monkeypatch, WHOLE, "--config", config, "--to", to)
    said = capsys.readouterr().err
    assert (code, orders) == (2, []), said
    assert why in said
    assert "geheim" not in said


def test_path_of_a_file_is_from_the_folder_of_relay_yaml_as_in_store(
    config: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "store.url").write_text(ELSEWHERE)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for folder, given in ((elsewhere, config), (tmp_path, "relay.yaml")):
        monkeypatch.chdir(folder)
        code, [order] = migrate(monkeypatch, WHOLE, "--config", given, "--to", "file:store.url")
        assert (code, order.to) == (0, f"file:{tmp_path / 'store.url'}")
        assert "write `store: file:store.url` into relay.yaml" in capsys.readouterr().out


def test_file_that_is_gone_when_the_move_begins_is_said_to_be_of_to(config: str, tmp_path: Path) -> None:
    order = Order(service_of(Path(config)), {}, f"file:{tmp_path / 'gone.url'}", lambda *_: None)
    with pytest.raises(ConfigError, match=r"^--to: file:.*gone\.url"):
        move_store(order)


def test_config_that_cannot_be_opened_is_wrong_use(tmp_path: Path) -> None:
    assert run(["queue", "migrate", "--config", str(tmp_path / "none.yaml"), "--to", "sqlite"]) == 2


def test_it_stands_among_the_verbs_of_the_queue(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["queue", "--help"]) == 0
    assert "migrate" in capsys.readouterr().out
