"""What the store does when rows, listeners, files or commits fail it."""

import asyncio
import errno
from typing import Any

import pytest

from relay.core.limits import HOUR, MINUTE, parse_limit
from relay.core.routing import Routing
from relay.core.words import MailboxId
from relay.errors import StoreBroken, StoreFull, StoreUnavailable
from relay.store.ports.events import EventKind, StoreEvent
from relay.store.ports.sessions import SessionEvent
from relay.store.sqlite.life import Life
from tests.unit.store.workbench import (
    BOUNCED,
    DEFERRED,
    DELIVERED,
    DOUBTFUL,
    NODE,
    ROSSI,
    Bench,
    account,
    message,
    provider,
)

BOX = MailboxId("aruba", ROSSI)


async def queued(many: int = 2, **more: Any) -> Bench:
    bench = Bench(**more)
    await bench.route(account(ROSSI))
    for number in range(many):
        await bench.store.put(message(number))
    return bench


def spoil(bench: Bench, table: str, number: int) -> None:
    bench.rows(f"UPDATE {table} SET envelope = x'0102' WHERE id = ?", number)


async def test_a_delivery_that_cannot_be_read_is_held_and_the_next_one_leaves() -> None:
    bench = await queued()
    spoil(bench, "deliveries", 1)
    bench.crash()
    assert [claim.message for claim in await bench.take()] == ["m-1"]
    assert bench.rows("SELECT state, reason FROM deliveries WHERE id = 1") == [(1, "corrupt")]
    assert [(event.kind, event.message) for event in bench.events if event.reason == "corrupt"] == [
        (EventKind.HELD, "m-0")
    ]


async def test_a_delivery_that_cannot_be_read_holds_no_slot() -> None:
    bench = Bench()
    await bench.route(account(ROSSI), providers=(provider("aruba", "1/1h"),))
    for number in range(2):
        await bench.store.put(message(number))
    spoil(bench, "deliveries", 1)
    bench.crash()
    await bench.take()
    assert [claim.message for claim in await bench.take()] == ["m-1"]


async def test_a_store_opens_though_what_was_under_way_cannot_be_read() -> None:
    bench = await queued(1)
    (claim,) = await bench.take()
    await bench.store.gate(claim)
    spoil(bench, "deliveries", 1)
    bench.crash()
    assert await bench.store.recover(NODE) == 1


async def test_a_report_is_owed_though_its_recipient_cannot_be_read() -> None:
    bench = await queued(1)
    (claim,) = await bench.take()
    await bench.send(claim, BOUNCED)
    spoil(bench, "outbox", 1)
    (entry,) = await bench.store.outbox(5)
    assert (entry.envelope.sender, entry.envelope.recipients[0].address) == (ROSSI, "unknown@example.test")


async def test_a_report_is_owed_though_the_body_is_gone() -> None:
    bench = await queued(1)
    (claim,) = await bench.take()
    await bench.send(claim, BOUNCED)
    bench.crash()
    bench.segments._durable.clear()
    (entry,) = await bench.store.outbox(5)
    assert entry.headers == b""


async def test_a_listener_that_fails_stops_no_mail() -> None:
    bench = await queued(1)
    heard: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, what: heard.append(what))

    def broken(event: StoreEvent) -> None:
        raise ValueError("no such counter")

    bench.events = type("Broken", (list,), {"append": lambda self, event: broken(event)})()
    bench.crash()
    await bench.store.put(message("x"))
    assert [str(what["exception"]) for what in heard] == ["no such counter"]
    assert [claim.message for claim in await bench.take()] == ["m-0", "m-x"]


async def test_whatever_goes_wrong_in_a_transaction_nobody_waits_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = await queued(1)

    def broken(self: Life) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(Life, "finish", broken)
    with pytest.raises(StoreBroken, match="a bug"):
        await bench.store.put(message("x"))
    assert len(bench.fatal) == 1
    assert not bench.store.has_space()


async def test_a_store_that_cannot_be_loaded_again_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = await queued(1)
    bench.disk.refuse.append(StoreUnavailable())
    bench.connection.execute("ALTER TABLE segments RENAME TO lost")
    with pytest.raises(StoreBroken, match="loaded again"):
        await bench.take()
    assert len(bench.fatal) == 1


async def test_bodies_of_a_commit_that_failed_are_removed() -> None:
    bench = await queued(1)

    async def synced_and_refused(work: Any) -> Any:
        bench.segments.sync()
        raise StoreFull

    object.__setattr__(bench.store._batches, "_commit", synced_and_refused)
    with pytest.raises(StoreFull):
        await bench.store.put(message("x"))
    object.__setattr__(bench.store._batches, "_commit", bench.disk)
    await bench.store.put(message("y"))
    object.__setattr__(bench.store._batches, "_commit", synced_and_refused)
    with pytest.raises(StoreFull):
        await bench.store.put(message("z"))
    await bench.rest()
    referred = {number for (number,) in bench.rows("SELECT number FROM segments")}
    assert set(bench.segments.numbers()) == referred


async def test_work_in_the_background_that_fails_is_told() -> None:
    bench = Bench()
    await bench.route(account(ROSSI))
    await bench.store.put(message(0, content=b"x" * 20_000))

    async def broken(work: Any) -> Any:
        raise OSError(errno.EIO, "i/o error")

    object.__setattr__(bench.store._outside, "read", broken)
    (claim,) = await bench.take()
    await bench.send(claim)
    await bench.store.heartbeat(NODE)
    await bench.rest()
    assert len(bench.fatal) == 1


async def test_calendar_days_follow_a_clock_that_is_set_right() -> None:
    bench = Bench()
    await bench.route(account(ROSSI), providers=(provider("aruba", "1/calendar-day"),))
    for number in range(2):
        await bench.store.put(message(number))
    (claim,) = await bench.take()
    await bench.send(claim)
    bench.clock.wall_now += 25 * HOUR
    await bench.store.heartbeat(NODE)
    bench.clock.advance(2 * MINUTE)
    await bench.store.heartbeat(NODE)
    await bench.store.heartbeat(NODE)
    assert len(await bench.take()) == 1


async def test_logins_that_no_limit_counts_are_forgotten() -> None:
    bench = Bench()
    await bench.route(account(ROSSI), providers=(provider("aruba", login_limit=parse_limit("5/60h")),))
    await bench.store.put(message(1))
    await bench.log_in()
    await bench.store.session(BOX, SessionEvent.CLOSED)
    bench.clock.advance(59 * HOUR)
    await bench.store.heartbeat(NODE)
    assert bench.rows("SELECT count(*) FROM logins") == [(1,)]
    bench.clock.advance(2 * HOUR)
    await bench.store.heartbeat(NODE)
    assert bench.rows("SELECT count(*) FROM logins") == [(0,)]


@pytest.mark.parametrize("outcome", [DELIVERED, DEFERRED, BOUNCED, DOUBTFUL])
async def test_a_mailbox_that_left_the_routing_may_still_report(outcome: Any) -> None:
    bench = await queued(1)
    await bench.log_in()
    (claim,) = await bench.take()
    await bench.store.gate(claim)
    await bench.store.apply(Routing(), {})
    assert await bench.store.settle(claim, outcome)
    await bench.store.session(BOX, SessionEvent.CLOSED)
    await bench.store.heartbeat(NODE)
