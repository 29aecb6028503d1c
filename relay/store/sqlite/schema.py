"""The tables of a store: made when it is new, checked when it is not.

Law: an older store is brought up to date in one transaction, one written by a newer relay is refused, and a store is
never opened with another key than its own.
"""

from relay.errors import StoreBroken, StoreMoved, StoreTooNew
from relay.store.engine.ring import open_ring
from relay.store.engine.statements import load_statements
from relay.store.engine.values import Seals
from relay.store.needs import Cipher, Outside
from relay.store.sqlite.database import Database

_SQL = load_statements("store")
_SCHEMA = load_statements("schema")
_ROUTING = load_statements("routing")

SCHEMA: int = 4
"""The version of the tables that this relay writes."""

MIGRATIONS = {version: load_statements(f"schema_{version}") for version in range(2, SCHEMA + 1)}
"""What makes a store of the version before into one of this version."""

STORE_ID_BYTES: int = 16

BARRED = "barred"
"""The fact under which it says why it may not be used: it was moved away, or is not all there yet."""


def open_seals(database: Database, outside: Outside, *, has_segments: bool) -> Seals:
    """The seals of the store in this database; makes the store where there is none.

    StoreTooNew; StoreMoved; StoreKeyError: its key is missing or another one. StoreBroken: mail lies in segments
    (`has_segments`) and the database that says whose it is, is gone.
    """
    if database.read_one(_SQL["has_tables"]) == (0,):
        if has_segments:
            raise StoreBroken(
                "the database is missing or empty and there are segments with mail beside it: restore relay.db, "
                "or move the folder segments away to begin anew"
            )
        cipher = outside.cipher_for(None)
        seals = Seals(cipher, _make(database, cipher, outside.random(STORE_ID_BYTES)))
        outside.crash_point("store-made")
        return seals
    found = int(_meta(database, "schema"))
    if found > SCHEMA:
        raise StoreTooNew(f"the store has schema {found}, this relay knows {SCHEMA}")
    if (barred := database.read_one(_SQL["get_meta"], (BARRED,))) is not None:
        raise StoreMoved(f"relay.db: {barred[0]}")
    seals = Seals(open_ring(database, outside.cipher_for), bytes.fromhex(_meta(database, "store_id")))
    if found < SCHEMA:
        _migrate(database, found, outside)
    return seals


def _migrate(database: Database, found: int, outside: Outside) -> None:
    """All steps in one transaction: after a crash the store is the old one, or the new one."""
    for version in range(found + 1, SCHEMA + 1):
        for statement in MIGRATIONS[version].values():
            database.write(statement)
    database.write(_ROUTING["date_fingerprints"], (outside.clock.wall(),))
    database.write(_SQL["set_meta"], ("schema", str(SCHEMA)))
    outside.crash_point("migration-recorded")
    database.commit()
    outside.crash_point("migration-durable")


def _make(database: Database, cipher: Cipher, store_id: bytes) -> bytes:
    for statement in _SCHEMA.values():
        database.write(statement)
    facts = {"schema": str(SCHEMA), "store_id": store_id.hex(), "key_fingerprint": cipher.fingerprint}
    database.write_many(_SQL["set_meta"], facts.items())
    database.commit()
    return store_id


def _meta(database: Database, name: str) -> str:
    row = database.read_one(_SQL["get_meta"], (name,))
    assert row is not None
    return str(row[0])
