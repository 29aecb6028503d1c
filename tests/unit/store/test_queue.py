import asyncio

import pytest

from relay.core.reply import Reply
from relay.core.words import MailboxId
from relay.errors import CorruptValue, StoreFull, StoreUnavailable
from relay.store.ports.events import EventKind
from tests.unit.store.workbench import (
    BIANCHI,
    BOUNCED,
    DEFERRED,
    DELIVERED,
    DOUBTFUL,
    DROPPED,
    MINUTE,
    NODE,
    REFUSED,
    ROSSI,
    SECOND,
    Bench,
    account,
    message,
    provider,
    replace,
)


async def queued(*senders: str, many: int = 1) -> Bench:
    bench = Bench()
    await bench.route()
    for index, sender in enumerate(senders or (ROSSI,)):
        for number in range(many):
            await bench.store.put(message(f"{index}-{number}", sender))
    return bench


# taking


async def test_a_claim_is_handed_out_once() -> None:
    bench = await queued()
    (claim,) = await bench.take()
    assert (claim.account, claim.mailbox, claim.node, claim.tries) == (ROSSI, MailboxId("aruba", ROSSI), NODE, 0)
    assert await bench.take() == ()


async def test_no_more_than_the_idle_sessions_and_no_more_than_asked_for() -> None:
    bench = await queued(many=5)
    box = MailboxId("aruba", ROSSI)
    assert len((await bench.store.take(NODE, {box: 2}, 10)).claims) == 2
    assert len((await bench.store.take(NODE, {box: 10}, 1)).claims) == 1
    assert (await bench.store.take(NODE, {}, 10)).claims == ()


async def test_a_long_queue_leaves_in_the_order_of_its_coming() -> None:
    bench = await queued(many=200)
    first = [claim.message for claim in await bench.take(150)]
    bench.crash()
    await bench.store.recover(NODE)
    bench.clock.advance(10 * MINUTE)
    again = [claim.message for claim in await bench.take(1000)]
    assert first == [f"m-0-{number}" for number in range(150)]
    assert again == [f"m-0-{number}" for number in range(200)]


async def test_a_single_prescription_does_not_wait_behind_the_doctors_own_documents() -> None:
    bench = await queued(many=30)
    bench.clock.advance(2 * MINUTE)
    await bench.store.put(message("today"))
    order = [claim.message for claim in await bench.take(1000)]
    assert order.index("m-today") == 3, "after the three express ones of before, and before all bulk"


async def test_mail_that_comes_while_others_are_claimed_keeps_its_place() -> None:
    bench = await queued(many=70)
    first = await bench.take(66)
    await bench.store.put(message("new", ROSSI))
    await bench.send(first[10], DROPPED)
    rest = [claim.message for claim in await bench.take(100)]
    assert rest == ["m-0-10", "m-0-66", "m-0-67", "m-0-68", "m-0-69", "m-new"]


async def test_limits_bind_and_the_store_says_when_to_ask_again() -> None:
    bench = Bench()
    await bench.route(providers=(provider("aruba", "2/10s"),))
    for number in range(3):
        await bench.store.put(message(number))
    claims = await bench.take()
    assert len(claims) == 2
    now = bench.store.now()
    for claim in claims:
        await bench.send(claim)
    taken = await bench.store.take(NODE, {claims[0].mailbox: 1}, 5)
    assert taken.claims == ()
    assert taken.wake_at == now + 10 * SECOND + 1
    bench.clock.advance(10 * SECOND + 1)
    assert len(await bench.take()) == 1


async def test_limits_hold_over_a_crash() -> None:
    bench = Bench()
    await bench.route(providers=(provider("aruba", "2/1h"),))
    for number in range(3):
        await bench.store.put(message(number))
    sent = await bench.take()
    await bench.send(sent[0])
    bench.crash()
    await bench.store.recover(NODE)
    bench.clock.advance(5 * MINUTE)
    assert await bench.take() == (), "one was sent, one was under way and may have been"


async def test_a_totals_limit_holds_over_a_crash() -> None:
    bench = Bench()
    await bench.route(providers=(provider("aruba", totals=("40/1h",)),))
    for number in range(41):
        await bench.store.put(message(number, (ROSSI, BIANCHI)[number % 2]))
    for claim in await bench.take():
        await bench.send(claim)
    bench.crash()
    assert await bench.take() == ()


async def test_an_attempt_that_never_said_mail_gives_its_slot_back() -> None:
    bench = Bench()
    await bench.route(providers=(provider("aruba", "1/1h"),))
    await bench.store.put(message(1))
    (claim,) = await bench.take()
    await bench.send(claim, DROPPED)
    assert len(await bench.take()) == 1


async def test_an_end_that_nobody_saw_counts_until_linger_is_over() -> None:
    bench = Bench()
    await bench.route(providers=(provider("aruba", "1/10s"),))
    for number in range(2):
        await bench.store.put(message(number))
    (claim,) = await bench.take()
    await bench.send(claim, replace(DEFERRED, is_end_known=False))
    taken = await bench.store.take(NODE, {claim.mailbox: 1}, 1)
    assert taken.wake_at == bench.store.now() + 2 * MINUTE + 10 * SECOND + 1


# the gate


async def test_the_gate_opens_while_the_claim_is_held() -> None:
    bench = await queued()
    (claim,) = await bench.take()
    assert await bench.store.gate(claim)
    assert await bench.store.gate(claim), "asked twice, the answer is the same"


async def test_the_gate_stays_shut_after_settling() -> None:
    bench = await queued()
    (claim,) = await bench.take()
    await bench.send(claim)
    assert not await bench.store.gate(claim)


# settling


async def test_delivered_is_final_and_takes_body_and_envelope_with_it() -> None:
    bench = await queued()
    (claim,) = await bench.take()
    assert await bench.send(claim)
    assert await bench.take() == ()
    assert bench.rows("SELECT state, envelope, tries, reason FROM deliveries") == [(2, None, 1, "delivered")]
    assert bench.rows("SELECT live FROM segments") == [(0,)]
    with pytest.raises(CorruptValue):
        await bench.store.content(claim)


async def test_the_attempt_is_kept_as_history() -> None:
    bench = await queued()
    (claim,) = await bench.take()
    bench.clock.advance(3 * SECOND)
    await bench.send(claim, DELIVERED)
    ((started, ended, counted, stage, name, reply),) = bench.rows(
        "SELECT started_at, ended_at, counted, stage, class, reply FROM attempts"
    )
    assert (ended - started, counted, stage, name, reply) == (3 * SECOND, 1, "eod", "delivered", '[250,null,"ok"]')
    assert bench.rows("SELECT count(*) FROM claims") == [(0,)]


async def test_deferred_comes_back_after_its_delay_at_its_old_place() -> None:
    bench = await queued(many=2)
    first, second = await bench.take()
    await bench.send(first, DEFERRED)
    await bench.send(second, DROPPED)
    taken = await bench.store.take(NODE, {}, 0)
    assert taken.wake_at == bench.store.now() + 5 * MINUTE
    bench.clock.advance(5 * MINUTE)
    claims = await bench.take()
    assert [(claim.message, claim.tries) for claim in claims] == [("m-0-0", 1), ("m-0-1", 0)]
    await bench.send(claims[0], DEFERRED)
    assert (await bench.store.take(NODE, {}, 0)).wake_at == bench.store.now() + 15 * MINUTE


async def test_a_reply_that_asks_for_more_time_gets_it() -> None:
    bench = await queued()
    (claim,) = await bench.take()
    await bench.send(claim, replace(DEFERRED, retry_after=20 * MINUTE))
    assert (await bench.store.take(NODE, {}, 0)).wake_at == bench.store.now() + 20 * MINUTE


async def test_a_bounce_is_final_and_owes_the_sender_a_report() -> None:
    bench = await queued()
    (claim,) = await bench.take()
    await bench.send(claim, BOUNCED)
    (entry,) = await bench.store.outbox(10)
    assert (entry.message, entry.delivery, entry.account, entry.reason) == (
        claim.message, claim.delivery, ROSSI, "recipient-unknown",
    )  # fmt: skip
    assert entry.envelope == claim.envelope
    assert entry.reply == Reply(550, "5.1.1", "nobody")
    assert entry.headers == b"Subject: x\r\n"
    assert bench.rows("SELECT state, envelope FROM deliveries") == [(3, None)]


async def test_held_goes_back_and_stops_its_mailbox_alone() -> None:
    bench = await queued(ROSSI, BIANCHI)
    rossi, bianchi = sorted(await bench.take(), key=lambda claim: claim.delivery)
    await bench.send(rossi, REFUSED)
    await bench.send(bianchi)
    await bench.store.put(message("b", BIANCHI))
    await bench.store.put(message("r", ROSSI))
    (claim,) = await bench.take()
    assert claim.account == BIANCHI
    await bench.send(claim)
    bench.clock.advance(5 * MINUTE)
    (probe,) = await bench.take()
    assert (probe.message, probe.is_probe, probe.tries) == (rossi.message, True, 0)


async def test_a_delivered_probe_opens_the_mailbox() -> None:
    bench = await queued(many=2)
    first, second = await bench.take()
    await bench.send(first, REFUSED)
    await bench.send(second, DROPPED)
    bench.clock.advance(5 * MINUTE)
    (probe,) = await bench.take()
    await bench.send(probe)
    await bench.store.put(message("next"))
    assert [claim.message for claim in await bench.take()] == ["m-0-1", "m-next"]


async def test_in_doubt_is_sent_once_more_after_linger_and_then_held() -> None:
    bench = await queued()
    (claim,) = await bench.take()
    await bench.send(claim, DOUBTFUL)
    bench.clock.advance(2 * MINUTE - 1)
    assert await bench.take() == ()
    bench.clock.advance(1)
    (again,) = await bench.take()
    assert (again.doubts, again.tries) == (1, 1)
    await bench.send(again, DOUBTFUL)
    bench.clock.advance(60 * MINUTE)
    assert await bench.take() == ()
    assert bench.rows("SELECT state, reason, doubts FROM deliveries") == [(1, "in-doubt", 2)]
    assert [event.kind for event in bench.events].count(EventKind.IN_DOUBT) == 2
    assert bench.events[-2].kind is EventKind.HELD or bench.events[-1].kind is EventKind.HELD


async def test_an_account_may_have_every_doubt_held() -> None:
    from relay.core.routing import InDoubt

    bench = Bench()
    await bench.route(account(ROSSI, in_doubt=InDoubt.HOLD))
    await bench.store.put(message(1))
    (claim,) = await bench.take()
    await bench.send(claim, DOUBTFUL)
    assert bench.rows("SELECT state, reason FROM deliveries") == [(1, "in-doubt")]


async def test_doubt_before_the_gate_is_none() -> None:
    bench = await queued()
    (claim,) = await bench.take()
    await bench.store.settle(claim, DOUBTFUL)
    assert bench.rows("SELECT state, doubts FROM deliveries") == [(0, 0)]


async def test_settling_twice_counts_once() -> None:
    bench = await queued(many=2)
    first, _ = await bench.take()
    assert await bench.send(first, DEFERRED)
    assert not await bench.store.settle(first, DEFERRED)
    assert bench.rows("SELECT count(*) FROM attempts") == [(1,)]
    assert bench.rows("SELECT tries FROM deliveries WHERE id = ?", first.delivery) == [(1,)]


async def test_a_late_delivered_is_a_fact() -> None:
    bench = await queued()
    (claim,) = await bench.take()
    await bench.send(claim, DOUBTFUL)
    assert await bench.store.settle(claim, DELIVERED)
    bench.clock.advance(10 * MINUTE)
    assert await bench.take() == ()
    assert bench.rows("SELECT state, envelope FROM deliveries") == [(2, None)]
    assert bench.rows("SELECT class FROM attempts") == [("delivered",)]
    assert bench.rows("SELECT live FROM segments") == [(0,)]


async def test_a_late_delivered_takes_back_a_bounce_that_was_not_sent_yet() -> None:
    bench = await queued()
    (claim,) = await bench.take()
    await bench.send(claim, BOUNCED)
    assert await bench.store.settle(claim, DELIVERED)
    assert await bench.store.outbox(5) == []
    assert bench.rows("SELECT live FROM segments") == [(0,)]


async def test_a_late_delivered_after_the_bounce_went_out_takes_nothing_twice() -> None:
    bench = await queued()
    (claim,) = await bench.take()
    await bench.send(claim, BOUNCED)
    (entry,) = await bench.store.outbox(5)
    await bench.store.done(entry.id)
    assert await bench.store.settle(claim, DELIVERED)
    assert bench.rows("SELECT live FROM segments") == [(0,)]


async def test_a_late_delivered_of_what_somebody_else_is_sending_shuts_his_gate() -> None:
    bench = await queued()
    (first,) = await bench.take()
    await bench.send(first, DOUBTFUL)
    bench.clock.advance(10 * MINUTE)
    (second,) = await bench.take()
    assert await bench.store.settle(first, DELIVERED)
    assert not await bench.store.gate(second)
    assert not await bench.store.settle(second, DROPPED)
    assert bench.rows("SELECT state FROM deliveries") == [(2,)]
    assert bench.rows("SELECT count(*) FROM claims") == [(0,)]


async def test_a_claim_that_nobody_made_changes_nothing() -> None:
    bench = await queued()
    (claim,) = await bench.take()
    assert not await bench.store.settle(replace(claim, attempt=99), DELIVERED)
    assert not await bench.store.gate(replace(claim, attempt=99))


# a store that fails


async def test_a_take_that_could_not_be_written_claimed_nothing() -> None:
    bench = await queued(many=3)
    bench.disk.refuse.append(StoreUnavailable())
    with pytest.raises(StoreUnavailable):
        await bench.take()
    assert len(await bench.take()) == 3


async def test_a_settle_that_could_not_be_written_is_settled_the_next_time() -> None:
    bench = await queued()
    (claim,) = await bench.take()
    await bench.store.gate(claim)
    bench.disk.refuse.append(StoreUnavailable())
    with pytest.raises(StoreUnavailable):
        await bench.store.settle(claim, DELIVERED)
    assert await bench.store.settle(claim, DELIVERED)
    assert bench.rows("SELECT state FROM deliveries") == [(2,)]


async def test_on_a_full_disk_mail_is_refused_and_what_is_under_way_is_settled() -> None:
    bench = await queued()
    (claim,) = await bench.take()
    bench.disk.refuse.append(StoreFull())
    put = asyncio.create_task(bench.store.put(message("new")))
    settle = asyncio.create_task(bench.store.settle(claim, DELIVERED))
    assert await settle
    with pytest.raises(StoreFull):
        await put
    assert bench.rows("SELECT id, state FROM deliveries") == [(1, 2)]


async def test_the_reserve_is_given_up_for_what_is_under_way() -> None:
    bench = await queued()
    (claim,) = await bench.take()
    bench.reserves = 1
    bench.disk.refuse.append(StoreFull())
    assert await bench.store.settle(claim, DELIVERED)
    assert bench.reserves == 0


async def test_who_was_cancelled_while_taking_holds_nothing() -> None:
    bench = await queued(many=2)
    bench.disk.hold = asyncio.Event()
    take = asyncio.create_task(bench.take())
    for _ in range(4):
        await asyncio.sleep(0)
    take.cancel()
    bench.disk.hold.set()
    await bench.store.put(message("later"))
    await bench.rest()
    assert [claim.message for claim in await bench.take()] == ["m-0-0", "m-0-1", "m-later"]


async def test_an_operation_that_goes_wrong_spoils_no_other() -> None:
    bench = await queued()
    (claim,) = await bench.take()
    broken = asyncio.create_task(bench.store.settle(claim, replace(DELIVERED, stage="nonsense")))  # type: ignore[arg-type]
    put = asyncio.create_task(bench.store.put(message("fine")))
    with pytest.raises(AttributeError):
        await broken
    await put
    assert [each.message for each in await bench.take()] == ["m-fine"]
    assert await bench.store.settle(claim, DELIVERED)


async def test_a_broken_disk_ends_everything() -> None:
    from relay.errors import StoreBroken

    bench = await queued()
    bench.disk.refuse.append(StoreBroken())
    first, second = asyncio.create_task(bench.take()), asyncio.create_task(bench.take())
    for each in (first, second):
        with pytest.raises(StoreBroken):
            await each
    with pytest.raises(StoreBroken):
        await bench.store.put(message("x"))
    assert len(bench.fatal) == 1


# waiting


async def test_wait_returns_at_once_when_something_changed_since_the_mark() -> None:
    bench = await queued()
    taken = await bench.store.take(NODE, {}, 0)
    await bench.store.put(message("new"))
    async with asyncio.timeout(1):
        await bench.store.wait(taken.mark, None)


async def test_wait_wakes_for_a_change_and_for_nothing_else() -> None:
    bench = await queued()
    (claim,) = await bench.take()
    taken = await bench.store.take(NODE, {}, 0)
    wait = asyncio.create_task(bench.store.wait(taken.mark, None))
    for _ in range(20):
        await asyncio.sleep(0)
    assert not wait.done()
    await bench.store.settle(claim, DEFERRED)
    async with asyncio.timeout(1):
        await wait


async def test_wait_returns_at_its_time() -> None:
    bench = await queued()
    taken = await bench.store.take(NODE, {}, 0)
    async with asyncio.timeout(1):
        await bench.store.wait(taken.mark, bench.store.now())


async def test_no_change_between_take_and_wait_is_lost_when_a_commit_failed() -> None:
    bench = await queued()
    taken = await bench.store.take(NODE, {}, 0)
    bench.disk.refuse.append(StoreUnavailable())
    with pytest.raises(StoreUnavailable):
        await bench.store.put(message("new"))
    async with asyncio.timeout(1):
        await bench.store.wait(taken.mark, None)


async def test_closing_twice_is_harmless_and_nothing_is_taken_after_it() -> None:
    bench = await queued()
    await bench.store.close()
    await bench.store.close()
    with pytest.raises(StoreUnavailable):
        await bench.store.put(message("x"))
