"""What `relay check` sees of a store that nobody has open: the names of its secrets, and nothing is touched for it."""

from pathlib import Path

from relay.store.needs import Outside, StoreSettings
from relay.store.sqlite import hold, open_store
from relay.store.sqlite.offline import stored_names
from relay.vault import Keyring
from tests.unit.store.workbench import Chance, HandClock, at_once


def outside(keys: Path) -> Outside:
    return Outside(
        clock=HandClock(),
        random=Chance(),
        cipher_for=Keyring(keys, None, Chance()).vault_for,
        commit=at_once,
        read=at_once,
        fatal=lambda error: None,
        free_bytes=lambda: 10**12,
    )


async def test_names_are_seen_while_nobody_has_the_store_open(tmp_path: Path) -> None:
    data_dir = tmp_path / "var"
    assert stored_names(data_dir) == frozenset(), "where no relay ever ran there is none"
    data = hold(data_dir)
    store = open_store(data, StoreSettings(), outside(tmp_path / "keys"))
    await store.books.secrets.set("m.rossi", "hush")
    assert stored_names(data_dir) is None, "the newest of it is in the log"
    await store.close()
    data.release()
    before = sorted((path.name, path.stat().st_mtime_ns) for path in data_dir.iterdir())
    assert stored_names(data_dir) == frozenset({"m.rossi"})
    assert sorted((path.name, path.stat().st_mtime_ns) for path in data_dir.iterdir()) == before


async def test_what_is_no_database_says_nothing(tmp_path: Path) -> None:
    (tmp_path / "relay.db").write_bytes(b"no database at all" * 100)
    assert stored_names(tmp_path) is None
