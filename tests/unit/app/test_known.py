"""What a node knows of the store that it shares outlives its process, and a file of an older relay is read too."""

from pathlib import Path

from relay.app.known import STORE_FILE, known_store, remember_store


def test_nothing_is_known_at_first(tmp_path: Path) -> None:
    assert known_store(tmp_path) == (None, 0)


def test_what_is_known_is_known_after_a_restart(tmp_path: Path) -> None:
    remember_store(tmp_path, "5e" * 16, 120)
    assert known_store(tmp_path) == ("5e" * 16, 120)
    remember_store(tmp_path, "5e" * 16, 121)
    assert known_store(tmp_path) == ("5e" * 16, 121)
    assert [path.name for path in tmp_path.iterdir()] == [STORE_FILE]


def test_a_file_of_an_older_relay_says_which_store_alone(tmp_path: Path) -> None:
    (tmp_path / STORE_FILE).write_text("5e" * 16)
    assert known_store(tmp_path) == ("5e" * 16, 0)
