from typing import Any

from relay.core.envelope import Kind
from relay.core.limits import HOUR
from relay.core.words import MailboxId
from relay.store.needs import StoreSettings
from tests.unit.store.workbench import (
    BOUNCED,
    DEFERRED,
    DELIVERED,
    DOUBTFUL,
    MINUTE,
    NODE,
    REFUSED,
    ROSSI,
    Bench,
    account,
    message,
    provider,
)

DAYS = 24 * HOUR
BOX = MailboxId("aruba", ROSSI)


async def queued(many: int = 1, **more: Any) -> Bench:
    bench = Bench(StoreSettings(lifetime=DAYS, hold_lifetime=2 * DAYS))
    await bench.route(account(ROSSI, **more))
    for number in range(many):
        await bench.store.put(message(number))
    return bench


async def test_what_was_tried_for_its_whole_lifetime_bounces_with_the_reason_of_the_last_try() -> None:
    bench = await queued()
    while claims := await bench.take():
        await bench.send(claims[0], DEFERRED)
        bench.clock.advance(4 * HOUR)
    (entry,) = await bench.store.outbox(10)
    assert entry.reason == "greylisted"
    assert entry.reply == DEFERRED.reply
    assert entry.at - entry.accepted_at >= DAYS
    assert bench.rows("SELECT state, envelope FROM deliveries") == [(3, None)]


async def test_what_never_had_its_turn_expires() -> None:
    bench = await queued()
    bench.clock.advance(DAYS)
    await bench.store.heartbeat(NODE)
    (entry,) = await bench.store.outbox(10)
    assert (entry.reason, entry.reply) == ("expired", None)
    assert await bench.take() == ()


async def test_an_account_and_a_message_may_have_lifetimes_of_their_own() -> None:
    bench = await queued(lifetime=2 * HOUR)
    await bench.store.put(message("short", lifetime=HOUR))
    bench.clock.advance(HOUR)
    await bench.store.heartbeat(NODE)
    assert [entry.message for entry in await bench.store.outbox(10)] == ["m-short"]
    bench.clock.advance(HOUR)
    await bench.store.heartbeat(NODE)
    assert [entry.message for entry in await bench.store.outbox(10)] == ["m-short", "m-0"]


async def test_what_a_stopped_mailbox_holds_has_the_lifetime_of_what_is_held() -> None:
    bench = await queued(many=2)
    first, second = await bench.take()
    await bench.send(first, REFUSED)
    await bench.send(second, REFUSED)
    bench.clock.advance(DAYS + HOUR)
    await bench.store.heartbeat(NODE)
    assert await bench.store.outbox(10) == []
    bench.clock.advance(DAYS)
    await bench.store.heartbeat(NODE)
    assert [entry.reason for entry in await bench.store.outbox(10)] == ["sender-refused"] * 2
    assert all(entry.is_mailbox_stopped for entry in await bench.store.outbox(10))


async def test_what_is_held_in_doubt_bounces_at_the_end_of_its_hold() -> None:
    bench = await queued()
    for _ in range(2):
        (claim,) = await bench.take()
        await bench.send(claim, DOUBTFUL)
        bench.clock.advance(5 * MINUTE)
    bench.clock.advance(DAYS)
    await bench.store.heartbeat(NODE)
    assert await bench.store.outbox(10) == []
    bench.clock.advance(DAYS)
    await bench.store.heartbeat(NODE)
    assert [entry.reason for entry in await bench.store.outbox(10)] == ["in-doubt"]


async def test_a_removed_accounts_mail_is_held_and_then_bounces() -> None:
    bench = await queued()
    await bench.route(account("other@studio.test"))
    bench.clock.advance(DAYS + HOUR)
    await bench.store.heartbeat(NODE)
    assert await bench.store.outbox(10) == []
    bench.clock.advance(DAYS)
    await bench.store.heartbeat(NODE)
    (entry,) = await bench.store.outbox(10)
    assert (entry.reason, entry.is_mailbox_stopped) == ("no-account", True)


async def test_what_is_being_sent_does_not_expire() -> None:
    bench = await queued()
    bench.clock.advance(DAYS - 1)
    (claim,) = await bench.take()
    bench.clock.advance(10)
    taken = await bench.store.take(NODE, {}, 0)
    assert taken.wake_at is None, "and nobody is woken for it"
    assert await bench.send(claim, DELIVERED)
    assert await bench.store.outbox(10) == []


async def test_a_report_that_cannot_be_delivered_is_not_reported_on() -> None:
    bench = await queued(many=0)
    await bench.store.put(message(1, kind=Kind.REPORT))
    (claim,) = await bench.take()
    await bench.send(claim, BOUNCED)
    assert await bench.store.outbox(10) == []
    assert bench.rows("SELECT live FROM segments") == [(0,)]


async def test_a_retry_does_not_wait_longer_because_the_clock_was_set_back() -> None:
    bench = await queued()
    (claim,) = await bench.take()
    await bench.send(claim, DEFERRED)
    bench.clock.wall_now -= 30 * DAYS
    taken = await bench.store.take(NODE, {}, 0)
    assert taken.wake_at is not None
    assert taken.wake_at <= bench.store.now() + 4 * HOUR


async def test_a_retry_set_by_a_clock_that_was_ahead_is_not_far_away_after_a_restart() -> None:
    bench = await queued()
    (claim,) = await bench.take()
    await bench.send(claim, DEFERRED)
    bench.clock.wall_now -= 30 * DAYS
    bench.crash()
    taken = await bench.store.take(NODE, {}, 0)
    assert taken.wake_at is not None
    assert taken.wake_at <= bench.store.now() + 4 * HOUR


async def test_many_retries_due_together_are_made_ready_in_turns() -> None:
    bench = Bench()
    await bench.route(account(ROSSI), providers=(provider(connections=2000),))
    for number in range(700):
        await bench.store.put(message(number))
    for claim in await bench.take(1000):
        await bench.send(claim, DEFERRED)
    bench.clock.advance(5 * MINUTE)
    taken = await bench.store.take(NODE, {BOX: 2000}, 2000)
    assert len(taken.claims) == 500
    assert taken.wake_at is not None
    assert taken.wake_at <= bench.store.now()
    assert len(await bench.take(2000)) == 200
