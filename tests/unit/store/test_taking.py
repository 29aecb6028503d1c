from relay.core.words import MailboxId
from tests.unit.store.workbench import (
    BIANCHI,
    DEFERRED,
    DROPPED,
    MINUTE,
    NODE,
    ROSSI,
    SECOND,
    Bench,
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


async def test_the_memory_of_a_long_day_survives_a_restart_to_the_count() -> None:
    bench = Bench()
    providers = (provider("aruba", "12/d", totals=("20/d",)),)
    await bench.route(providers=providers)
    for number in range(12):
        for sender in (ROSSI, BIANCHI):
            await bench.store.put(message(f"{sender}{number}", sender))
    for _ in range(6):
        for claim in (await bench.take(2))[:2]:
            await bench.send(claim)
        bench.clock.advance(30 * MINUTE + 7)
        await bench.store.heartbeat(NODE)
    bench.crash()
    left = await bench.take(100)
    assert len(left) == 20 - 12, "twelve went out over three hours, eight may follow"
    bench.crash()
    await bench.store.recover(NODE)
    assert await bench.take(100) == ()
