"""Notices of delay on SQLite: how far deliveries were looked at is one number, and looking costs a bounded piece."""

from dataclasses import replace

from relay.store.engine.delays import SPAN
from relay.store.ports import OutboxKind
from tests.unit.store.workbench import (
    BOUNCED,
    DEFAULTS,
    DEFERRED,
    MINUTE,
    NODE,
    ROSSI,
    Bench,
    account,
    message,
    provider,
)

LATE = 240 * MINUTE
TOLD = replace(DEFAULTS, delay_notice=LATE)


async def late(bench: Bench) -> list[str]:
    return [entry.message for entry in await bench.store.outbox(100) if entry.kind is OutboxKind.DELAYED]


async def test_how_far_it_looked_survives_a_crash_with_the_notices() -> None:
    bench = Bench(TOLD)
    await bench.route()
    for number in range(5):
        await bench.store.put(message(number))
    for claim in await bench.take():
        await bench.send(claim, replace(DEFERRED, retry_after=2 * LATE))
    bench.clock.advance(LATE)
    await bench.store.heartbeat(NODE)
    assert await late(bench) == ["m-0", "m-1", "m-2"], "three of one account"
    bench.crash()
    bench.clock.advance(MINUTE)
    await bench.store.heartbeat(NODE)
    assert await late(bench) == ["m-0", "m-1", "m-2"]
    assert bench.rows("SELECT delivery FROM notices") == [(5,)]


async def test_an_hour_later_the_account_is_told_again() -> None:
    bench = Bench(TOLD)
    await bench.route()
    for number in range(4):
        await bench.store.put(message(number))
    bench.clock.advance(61 * MINUTE)
    await bench.store.put(message("later"))
    for claim in await bench.take():
        await bench.send(claim, replace(DEFERRED, retry_after=2 * LATE))
    bench.clock.advance(LATE - 61 * MINUTE)
    await bench.store.heartbeat(NODE)
    bench.clock.advance(61 * MINUTE)
    await bench.store.heartbeat(NODE)
    assert await late(bench) == ["m-0", "m-1", "m-2", "m-later"]


async def test_what_is_late_behind_a_long_history_is_found_by_waking_up_at_once() -> None:
    bench = Bench()
    await bench.route(account(ROSSI), providers=(provider("aruba", "1/9d"),))
    await bench.store.put(message("sent"))
    (claim,) = await bench.take()
    await bench.send(claim)
    row = bench.rows("SELECT * FROM deliveries")[0]
    for number in range(2, 2 * SPAN):
        bench.connection.execute(f"INSERT INTO deliveries VALUES ({', '.join('?' * len(row))})", (number, *row[1:]))
    bench.settings = TOLD
    bench.open()
    await bench.store.put(message("late"))
    bench.clock.advance(LATE)
    taken = await bench.store.take(NODE, {}, 1)
    assert taken.wake_at == bench.store.now(), "it has not looked at all yet"
    await bench.store.heartbeat(NODE)
    assert await late(bench) == ["m-late"]


async def test_an_envelope_that_does_not_open_tells_nobody_and_stops_nothing() -> None:
    bench = Bench(TOLD)
    await bench.route(account(ROSSI), providers=(provider("aruba", "1/9d"),))
    for number in range(3):
        await bench.store.put(message(number))
    (claim,) = await bench.take(1)
    await bench.send(claim, BOUNCED)
    bench.connection.execute("UPDATE deliveries SET envelope = x'00' WHERE id = 2")
    bench.clock.advance(LATE)
    await bench.store.heartbeat(NODE)
    assert await late(bench) == ["m-2"]


async def test_a_body_is_kept_for_a_notice_and_goes_with_its_mail() -> None:
    bench = Bench(TOLD)
    await bench.route()
    await bench.store.put(message(1))
    (claim,) = await bench.take()
    await bench.send(claim, replace(DEFERRED, retry_after=LATE))
    bench.clock.advance(LATE)
    await bench.store.heartbeat(NODE)
    (entry,) = await bench.store.outbox(10)
    assert entry.headers == b"Subject: x\r\n"
    (claim,) = await bench.take()
    await bench.send(claim)
    assert await bench.store.outbox(10) == []
    await bench.store.done(entry.id)
    assert bench.rows("SELECT live FROM segments") == [(0,)]


async def test_switching_it_on_tells_of_what_waits_long_already() -> None:
    bench = Bench()
    await bench.route()
    await bench.store.put(message(1))
    (claim,) = await bench.take()
    await bench.send(claim, replace(DEFERRED, retry_after=3 * LATE))
    bench.clock.advance(2 * LATE)
    await bench.store.heartbeat(NODE)
    assert await late(bench) == []
    bench.settings = TOLD
    bench.open()
    await bench.store.heartbeat(NODE)
    assert await late(bench) == ["m-1"]
