from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from relay.core.words import Plan
from relay.store.engine.counts import Tally
from relay.store.ports.history import HealthCount, QueueCount
from tests.unit.store.workbench import (
    BIANCHI,
    BOUNCED,
    DEFERRED,
    DELIVERED,
    DOUBTFUL,
    MINUTE,
    REFUSED,
    ROSSI,
    Bench,
    account,
    message,
    provider,
)


async def test_an_empty_queue_counts_nothing() -> None:
    bench = Bench()
    await bench.route()
    assert await bench.store.queue_counts() == []


async def test_mail_that_moves_while_it_is_counted_makes_no_count_negative() -> None:
    bench = Bench()
    await bench.route(account(ROSSI), account(BIANCHI))
    await bench.store.put(message(0))
    tally, context = Tally(), bench.store._core.context
    tally.look(context, [number for number, _ in context.pending])
    await bench.store.put(message("b", BIANCHI))
    claims = await bench.take()
    assert len(claims) == 2
    assert tally.finish(context) == [QueueCount("aruba", waiting=0, sending=2, held=0, oldest_seconds=0.0)]
    for claim in claims:
        await bench.send(claim, DELIVERED)
    assert Tally().finish(context) == []


async def test_waiting_sending_and_held_are_told_apart_by_provider() -> None:
    bench = Bench()
    providers = (provider("aruba"), provider("gmail"))
    await bench.route(account(ROSSI), account(BIANCHI, "gmail"), providers=providers)
    for number in range(5):
        await bench.store.put(message(number))
    await bench.store.put(message("b", BIANCHI))
    bench.clock.advance(MINUTE // 2)
    first, second, *rest, other = sorted(await bench.take(), key=lambda claim: claim.delivery)
    await bench.send(first, DELIVERED)
    await bench.send(second, DEFERRED)
    await bench.send(rest[0], BOUNCED)
    assert await bench.store.queue_counts() == [
        QueueCount("aruba", waiting=1, sending=2, held=0, oldest_seconds=30.0),
        QueueCount("gmail", waiting=0, sending=1, held=0, oldest_seconds=30.0),
    ]
    await bench.send(other, REFUSED)
    assert (await bench.store.queue_counts())[1] == QueueCount(
        "gmail", waiting=0, sending=0, held=1, oldest_seconds=30.0
    )


async def test_counts_are_the_same_after_a_restart() -> None:
    bench = Bench()
    await bench.route()
    for number in range(6):
        await bench.store.put(message(number))
    claims = await bench.take(4)
    await bench.send(claims[0], DEFERRED)
    await bench.send(claims[1], DOUBTFUL)
    before = await bench.store.queue_counts()
    bench.crash()
    assert await bench.store.queue_counts() == before


async def test_what_is_held_by_itself_is_held() -> None:
    bench = Bench()
    await bench.route()
    await bench.store.put(message(1))
    for _ in range(2):
        (claim,) = await bench.take()
        await bench.send(claim, DOUBTFUL)
        bench.clock.advance(5 * MINUTE)
    (count,) = await bench.store.queue_counts()
    assert (count.held, count.waiting) == (1, 0)


async def test_health_is_counted_by_plan() -> None:
    bench = Bench()
    await bench.route(account(ROSSI), account(BIANCHI), account("c@studio.test"), secrets={"c@studio.test": None})
    await bench.store.put(message(1))
    (claim,) = await bench.take()
    await bench.send(claim, REFUSED)
    assert await bench.store.health_counts() == [
        HealthCount(Plan.BUSINESS, "ok", 1),
        HealthCount(Plan.BUSINESS, "paused", 2),
    ]


async def test_an_account_is_retired_after_its_last_day_at_its_provider() -> None:
    bench = Bench()
    last = datetime.fromtimestamp(bench.clock.wall() / 1_000_000, ZoneInfo("Europe/Rome")).date()
    await bench.route(account(ROSSI, retires=last), account(BIANCHI, retires=last - timedelta(days=1)))
    assert {count.health: count.accounts for count in await bench.store.health_counts()} == {"ok": 1, "retired": 1}
