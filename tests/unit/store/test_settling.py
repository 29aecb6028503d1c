import pytest

from relay.core.reply import Reply
from relay.errors import CorruptValue
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
    replace,
)


async def queued(*senders: str, many: int = 1) -> Bench:
    bench = Bench()
    await bench.route()
    for index, sender in enumerate(senders or (ROSSI,)):
        for number in range(many):
            await bench.store.put(message(f"{index}-{number}", sender))
    return bench


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
    bench.clock.advance(24 * 60 * MINUTE)
    (probe,) = await bench.take()
    assert (probe.message, probe.is_probe, probe.tries) == (rossi.message, True, 0)


async def test_a_delivered_probe_opens_the_mailbox() -> None:
    bench = await queued(many=2)
    first, second = await bench.take()
    await bench.send(first, REFUSED)
    await bench.send(second, DROPPED)
    bench.clock.advance(24 * 60 * MINUTE)
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
