"""A store of an older relay is brought up to date in one transaction, and what is in it stays."""

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from relay.store.engine.statements import read_statements
from relay.store.ports import OutboxKind
from relay.store.ports.reading import MessageQuery
from relay.store.sqlite.schema import MIGRATIONS, SCHEMA
from relay.vault import Vault
from tests.crash.older import UNDO
from tests.fakes.database import in_memory
from tests.unit.store.workbench import BOUNCED, DEFERRED, Bench, message

SCHEMA_1 = read_statements((Path(__file__).parent / "schema_1.sql").read_text())
"""The tables as the first relay made them."""


def older(schema: int = 1) -> Bench:
    """A bench whose database is an empty store of an older schema."""
    bench = Bench()
    bench.connection = in_memory()
    for statement in SCHEMA_1.values():
        bench.connection.execute(statement)
    for version in range(2, schema + 1):
        for statement in MIGRATIONS[version].values():
            bench.connection.execute(statement)
    fingerprint = Vault(b"k" * 32, bench.chance).fingerprint
    facts = {"schema": str(schema), "store_id": "69" * 16, "key_fingerprint": fingerprint}
    bench.connection.executemany("INSERT INTO meta VALUES (?, ?)", list(facts.items()))
    return bench


def tables(connection: sqlite3.Connection) -> set[tuple[str, str]]:
    """Tables and indexes, however their statements are laid out."""
    rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    return {(name, "".join(sql.split()).replace('"', "")) for name, sql in rows}


@pytest.mark.parametrize("schema", range(1, SCHEMA))
async def test_a_store_of_any_older_relay_gets_the_tables_of_today(schema: int) -> None:
    bench = older(schema)
    bench.open()
    assert tables(bench.connection) == tables(Bench().connection)
    assert bench.rows("SELECT value FROM meta WHERE name = 'schema'") == [(str(SCHEMA),)]
    await bench.route()
    await bench.store.put(message(1))
    bench.crash()
    assert [claim.message for claim in await bench.take()] == ["m-1"]


async def test_what_an_older_relay_had_queued_and_owed_is_all_there() -> None:
    bench = Bench()
    await bench.route()
    for number in range(3):
        await bench.store.put(message(number))
    first, second, _ = await bench.take()
    await bench.send(first, BOUNCED)
    await bench.send(second, DEFERRED)
    before = await bench.store.messages(MessageQuery())
    for statement in UNDO:
        bench.connection.execute(statement)
    assert {name for name, _ in tables(bench.connection)} == {name for name, _ in tables(older().connection)}
    bench.open()
    after = await bench.store.messages(MessageQuery())
    assert [(each.id, each.state) for each in after.items] == [
        ("m-2", "sending"),
        ("m-1", "waiting"),
        ("m-0", "bounced"),
    ]
    assert before == after
    (entry,) = await bench.store.outbox(10)
    assert (entry.kind, entry.message, entry.since) == (OutboxKind.BOUNCE, "m-0", None)


async def test_what_was_late_before_the_change_is_told_after_it() -> None:
    bench = older()
    bench.open()
    await bench.route()
    await bench.store.put(message(1))
    bench.settings = replace(bench.settings, delay_notice=1)
    bench.open()
    bench.clock.advance(1)
    await bench.store.heartbeat("node-1")
    assert [entry.kind for entry in await bench.store.outbox(10)] == [OutboxKind.DELAYED]


def test_a_crash_in_the_middle_of_the_change_leaves_the_older_store() -> None:
    bench = older()
    before = tables(bench.connection)

    class Killed(BaseException):
        pass

    def dies(name: str) -> None:
        if name == "migration-recorded":
            raise Killed

    with pytest.raises(Killed):
        bench.open(crash_point=dies)
    bench.connection.rollback()
    assert tables(bench.connection) == before
    bench.open()
    assert tables(bench.connection) == tables(Bench().connection)
