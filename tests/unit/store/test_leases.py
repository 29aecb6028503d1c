from relay.core.health import Health, HealthState
from relay.core.limits import HOUR, parse_limit
from relay.core.words import MailboxId
from relay.store.engine.values import write_health
from relay.store.ports.events import EventKind
from relay.store.ports.sessions import SessionEvent
from tests.unit.store.workbench import (
    DEFERRED,
    DELIVERED,
    MINUTE,
    NODE,
    ROSSI,
    SECOND,
    Bench,
    account,
    message,
    provider,
)

FINAL = 10 * MINUTE
LINGER = 2 * MINUTE
BOX = MailboxId("aruba", ROSSI)


async def queued(*limits: str, many: int = 1) -> Bench:
    bench = Bench()
    await bench.route(account(ROSSI), providers=(provider("aruba", *limits),))
    for number in range(many):
        await bench.store.put(message(number))
    return bench


async def test_a_node_that_stays_away_loses_what_it_has_not_gated() -> None:
    bench = await queued()
    (claim,) = await bench.take()
    bench.clock.advance(MINUTE)
    assert not await bench.store.gate(claim)
    (again,) = await bench.take(node="node-2")
    assert (again.message, again.doubts, again.tries) == (claim.message, 0, 0)


async def test_a_node_that_lives_keeps_its_claims() -> None:
    bench = await queued()
    (claim,) = await bench.take()
    for _ in range(10):
        bench.clock.advance(20 * SECOND)
        assert await bench.store.heartbeat(NODE) == []
    assert await bench.store.gate(claim)


async def test_a_heartbeat_tells_what_was_lost_until_it_is_settled() -> None:
    bench = await queued()
    (claim,) = await bench.take()
    bench.clock.advance(MINUTE)
    assert await bench.store.heartbeat(NODE) == [claim]
    assert await bench.store.heartbeat(NODE) == [claim]
    assert not await bench.store.settle(claim, DEFERRED)
    assert await bench.store.heartbeat(NODE) == []


async def test_what_a_lost_lease_had_claimed_counts_until_linger_after_the_lease() -> None:
    bench = await queued("1/10s")
    await bench.take()
    bench.clock.advance(MINUTE + 30 * SECOND)
    taken = await bench.store.take(NODE, {BOX: 1}, 1)
    assert taken.claims == ()
    assert taken.wake_at == bench.store.now() - 30 * SECOND + LINGER + 10 * SECOND + 1


async def test_what_passed_the_gate_of_a_lost_node_is_in_doubt_after_gate_final_timeout_and_linger() -> None:
    bench = await queued()
    (claim,) = await bench.take()
    await bench.store.gate(claim)
    bench.clock.advance(FINAL + LINGER - 1)
    assert await bench.take(node="node-2") == ()
    bench.clock.advance(1)
    (again,) = await bench.take(node="node-2")
    assert (again.message, again.doubts) == (claim.message, 1)
    assert [event.kind for event in bench.events].count(EventKind.IN_DOUBT) == 1


async def test_the_store_wakes_who_waits_for_a_lost_nodes_mail() -> None:
    bench = await queued()
    (claim,) = await bench.take()
    await bench.store.gate(claim)
    taken = await bench.store.take("node-2", {BOX: 1}, 1)
    assert taken.wake_at == bench.store.now() + MINUTE
    bench.clock.advance(MINUTE)
    taken = await bench.store.take("node-2", {BOX: 1}, 1)
    assert taken.wake_at == bench.store.now() + FINAL + LINGER - MINUTE


async def test_a_lost_node_is_refused_what_is_late_but_not_a_fact() -> None:
    bench = await queued(many=2)
    first, second = await bench.take()
    await bench.store.gate(first)
    await bench.store.gate(second)
    bench.clock.advance(MINUTE)
    assert not await bench.store.settle(first, DEFERRED)
    assert await bench.store.settle(second, DELIVERED)
    assert bench.rows("SELECT state FROM deliveries ORDER BY id") == [(0,), (2,)]


async def test_a_lapsed_claim_stays_lapsed_over_a_crash_though_the_node_lives_again() -> None:
    bench = await queued()
    (claim,) = await bench.take()
    await bench.store.gate(claim)
    bench.clock.advance(MINUTE)
    await bench.store.heartbeat(NODE)
    bench.crash()
    assert not await bench.store.gate(claim)


# the node's own restart


async def test_after_a_restart_what_was_claimed_waits_again_at_its_place() -> None:
    bench = await queued(many=3)
    await bench.take(2)
    bench.crash()
    assert await bench.store.recover(NODE) == 0
    assert [(claim.message, claim.doubts) for claim in await bench.take()] == [("m-0", 0), ("m-1", 0), ("m-2", 0)]


async def test_after_a_restart_what_was_gated_is_in_doubt_and_sent_again_after_linger() -> None:
    bench = await queued(many=2)
    first, _ = await bench.take()
    await bench.store.gate(first)
    bench.crash()
    assert await bench.store.recover(NODE) == 1
    (other,) = await bench.take()
    assert other.message == "m-1"
    await bench.send(other)
    bench.clock.advance(LINGER)
    (again,) = await bench.take()
    assert (again.message, again.doubts) == ("m-0", 1)


async def test_attempts_of_before_a_restart_count_until_linger_after_it() -> None:
    bench = await queued("1/10s")
    await bench.take()
    bench.crash()
    await bench.store.recover(NODE)
    taken = await bench.store.take(NODE, {BOX: 1}, 1)
    assert taken.wake_at == bench.store.now() + LINGER + 10 * SECOND + 1


async def test_until_it_is_recovered_nothing_of_an_old_process_is_given_away() -> None:
    bench = await queued()
    await bench.take()
    bench.crash()
    assert await bench.take(node="node-2") == ()


async def test_recovering_twice_finds_nothing_more() -> None:
    bench = await queued()
    (claim,) = await bench.take()
    await bench.store.gate(claim)
    bench.crash()
    assert await bench.store.recover(NODE) == 1
    assert await bench.store.recover(NODE) == 0


async def test_a_recovery_forgets_the_sessions_of_the_dead_process() -> None:
    bench = await queued()
    assert await bench.log_in() == {BOX: 1}
    await bench.store.recover(NODE)
    assert (await bench.store.take(NODE, {}, 10)).open == {BOX: 1}


async def test_a_login_under_way_at_a_crash_counts_until_linger_after_the_recovery() -> None:
    bench = Bench()
    await bench.route(account(ROSSI), providers=(provider("aruba", login_limit=parse_limit("1/10s")),))
    await bench.store.put(message(1))
    await bench.log_in()
    await bench.store.session(BOX, SessionEvent.CLOSED)
    bench.clock.advance(11 * SECOND)
    assert (await bench.store.take(NODE, {}, 10)).open == {BOX: 1}
    bench.crash()
    await bench.store.recover(NODE)
    taken = await bench.store.take(NODE, {}, 10)
    assert taken.open == {}
    assert taken.wake_at == bench.store.now() + LINGER + 10 * SECOND + 1


async def test_relay_time_goes_on_over_a_restart_and_no_window_starts_empty() -> None:
    bench = await queued("1/1h", many=2)
    (claim,) = await bench.take()
    await bench.send(claim)
    bench.clock.advance(HOUR // 2)
    bench.crash()
    await bench.store.recover(NODE)
    taken = await bench.store.take(NODE, {BOX: 1}, 1)
    assert taken.claims == ()
    assert taken.wake_at == bench.store.now() + HOUR // 2 + 1


async def test_a_reboot_with_an_unsure_clock_shortens_no_window() -> None:
    bench = await queued("1/1h", many=2)
    (claim,) = await bench.take()
    await bench.send(claim)
    bench.clock.boot_id, bench.clock.boottime_now = "boot-2", 0
    bench.clock.wall_now += 10 * HOUR
    bench.clock.is_synchronised = False
    bench.crash()
    taken = await bench.store.take(NODE, {BOX: 1}, 1)
    assert taken.claims == (), "ten hours on a clock that nobody vouches for are no hours"


async def test_a_reboot_with_a_sure_clock_lets_the_time_pass() -> None:
    bench = await queued("1/1h", many=2)
    (claim,) = await bench.take()
    await bench.send(claim)
    bench.clock.boot_id, bench.clock.boottime_now = "boot-2", 0
    bench.clock.wall_now += 10 * HOUR
    bench.crash()
    await bench.store.recover(NODE)
    assert len(await bench.take()) == 1


async def test_a_closed_session_of_a_mailbox_makes_room_for_another() -> None:
    bench = await queued(many=2)
    assert await bench.log_in() == {BOX: 1}
    assert (await bench.store.take(NODE, {}, 10)).open == {}
    await bench.store.session(BOX, SessionEvent.CLOSED)
    assert (await bench.store.take(NODE, {}, 10)).open == {BOX: 1}


async def test_a_slowed_window_that_stretches_is_remembered_over_a_restart() -> None:
    bench = await queued("1/1h", many=2)
    (claim,) = await bench.take()
    await bench.send(claim)
    slowed = write_health(Health(HealthState.SLOWED, is_proven=True, slow=32))
    bench.rows("UPDATE mailboxes SET health = ?", slowed)
    bench.clock.advance(20 * HOUR)
    bench.crash()
    assert await bench.take() == (), "an hour divided by 32 lets one go in 32 hours"
    bench.clock.advance(12 * HOUR + 1)
    assert len(await bench.take()) == 1
