"""History is kept for a quarter of a year, and less on a disk that is nearly full; mail and limits lose nothing."""

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from relay.core.limits import HOUR, MINUTE
from relay.store.engine import pruning
from relay.store.needs import StoreSettings
from relay.store.sqlite.database import Database
from tests.unit.store.workbench import BOUNCED, NODE, ROSSI, Bench, account, message, provider

DAY = 24 * HOUR


async def finished(many: int, *, limit: str = "1000/1s", **more: Any) -> Bench:
    bench = Bench(StoreSettings(lifetime=200 * DAY, hold_lifetime=200 * DAY))
    await bench.route(account(ROSSI), providers=(provider("aruba", limit, connections=2000),))
    for number in range(many):
        await bench.store.put(message(number, **more))
    for claim in await bench.take(many):
        await bench.send(claim)
    return bench


async def live(bench: Bench, microseconds: int) -> None:
    """Time passes, with a heartbeat now and then."""
    bench.clock.advance(microseconds)
    for _ in range(10):
        bench.clock.advance(MINUTE)
        await bench.store.heartbeat(NODE)
        await bench.rest()


def counts(bench: Bench) -> tuple[int, ...]:
    tables = ("messages", "deliveries", "attempts", "events")
    return tuple(bench.rows(f"SELECT count(*) FROM {table}")[0][0] for table in tables)


async def test_finished_mail_is_remembered_for_a_quarter_of_a_year_and_no_longer() -> None:
    bench = await finished(5)
    await live(bench, 89 * DAY)
    assert counts(bench)[:3] == (5, 5, 5)
    await live(bench, 2 * DAY)
    assert counts(bench) == (1, 1, 1, 0), "the last ones stay: ids go on from them"


async def test_ids_are_never_used_twice() -> None:
    bench = await finished(5)
    await live(bench, 91 * DAY)
    bench.crash()
    await bench.store.put(message("later"))
    (claim,) = await bench.take()
    assert (claim.delivery, claim.attempt) == (6, 6)


async def test_what_waits_is_held_or_is_owed_a_report_is_never_forgotten() -> None:
    bench = await finished(3)
    await bench.store.put(message("bounced"))
    (claim,) = await bench.take()
    await bench.send(claim, BOUNCED)
    await bench.route(account("other@studio.test"))
    await bench.store.put(message("held"))
    await bench.store.put(message("last"))
    await live(bench, 100 * DAY)
    assert [each for (each,) in bench.rows("SELECT id FROM messages ORDER BY seq")] == ["m-bounced", "m-held", "m-last"]
    await bench.route(account(ROSSI))
    (entry,) = await bench.store.outbox(5)
    assert entry.headers
    await bench.store.done(entry.id)
    assert [claim.message for claim in await bench.take()] == ["m-held", "m-last"]


async def test_a_great_many_are_forgotten_a_little_at_a_time() -> None:
    bench = await finished(pruning.AT_ONCE + 100)
    bench.clock.advance(91 * DAY)
    await bench.store.heartbeat(NODE)
    assert counts(bench)[0] == 100
    await bench.store.heartbeat(NODE)
    assert counts(bench)[0] == 1


@pytest.mark.parametrize(("limit", "hours", "is_kept"), [("5/1h", 40, True), ("5/1h", 60, False), ("5/10d", 60, True)])
async def test_on_a_disk_nearly_full_history_goes_before_mail_but_no_slot_with_it(
    limit: str, hours: int, is_kept: bool
) -> None:
    bench = await finished(5, limit=limit)
    bench.free = 10
    await live(bench, 0)
    assert counts(bench)[0] == 5, "what became of a mail can be asked for a quarter of an hour"
    await live(bench, hours * HOUR)
    assert counts(bench) == (1, 1, 5 if is_kept else 1, 0)
    bench.crash()
    await bench.store.put(message("next"))
    assert bool(await bench.take()) is not (limit == "5/10d")


async def test_a_message_of_many_recipients_goes_whole_or_not_at_all() -> None:
    bench = Bench(StoreSettings(lifetime=200 * DAY))
    await bench.route(account(ROSSI), providers=(provider("aruba", connections=2),))
    await bench.store.put(message("two", ROSSI, "a@x.test", "b@x.test"))
    await bench.store.put(message("last"))
    first, _ = await bench.take(2)
    await bench.send(first)
    await live(bench, 100 * DAY)
    assert counts(bench)[:2] == (2, 3)
    await bench.send((await bench.take(1))[0])
    await live(bench, 91 * DAY)
    assert counts(bench)[:2] == (1, 1)


def test_what_history_leaves_behind_is_given_back_to_the_disk(tmp_path: Path) -> None:
    file = tmp_path / "relay.db"
    database = Database(sqlite3.connect(file, isolation_level=None))
    database.prepare()
    database.write("CREATE TABLE t (x)")
    database.write_many("INSERT INTO t VALUES (?)", [(b"x" * 4000,)] * 500)
    database.commit()
    database.fold_log()
    before = file.stat().st_size
    database.write("DELETE FROM t")
    database.commit()
    while database.shrink(64):
        database.commit()
    database.fold_log()
    assert file.stat().st_size < before // 10
    assert not (tmp_path / "relay.db-shm").exists(), "no file beside it that would need space on a full disk"
    database.close()
