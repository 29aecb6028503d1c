"""Leases: who holds a delivery, what a node that stayed away finds, and what comes too late."""

from relay.core.limits import MINUTE
from relay.core.routing import Timeouts
from tests.contract.scene import (
    DEFERRED,
    DELIVERED,
    LINGER,
    MAIL_REFUSED,
    NODE,
    OTHER,
    SECOND,
    A,
    Scene,
    account,
    box,
    numbers,
    provider,
)

LEASE = 60
DAY = 24 * 3600
FINAL = 300


async def _claimed(scene: Scene, *limits: str, connections: int = 5):
    """One delivery claimed by a node that then stays away."""
    timeouts = Timeouts(final=FINAL * SECOND)
    await scene.route(account(A), providers=[provider("p", *limits, connections=connections, timeouts=timeouts)])
    await scene.mail(A, 1)
    (claim,) = await scene.work()
    return claim


async def a_heartbeat_keeps_what_is_claimed(scene: Scene) -> None:
    claim = await _claimed(scene)
    for _ in range(10):
        await scene.harness.advance(LEASE - 1)
        assert await scene.store.heartbeat(NODE) == []
    assert await scene.store.gate(claim)


async def a_take_keeps_what_is_claimed(scene: Scene) -> None:
    claim = await _claimed(scene)
    for _ in range(10):
        await scene.harness.advance(LEASE - 1)
        await scene.store.take(NODE, {}, 0)
    assert await scene.store.gate(claim)


async def the_gate_is_shut_when_the_lease_has_ended(scene: Scene) -> None:
    claim = await _claimed(scene)
    await scene.harness.advance(LEASE)
    assert not await scene.store.gate(claim)


async def a_node_that_stayed_away_is_told_what_it_lost(scene: Scene) -> None:
    claim = await _claimed(scene)
    await scene.harness.advance(LEASE)
    assert numbers(await scene.store.heartbeat(NODE)) == ["m-1"]
    assert numbers(await scene.store.heartbeat(NODE)) == ["m-1"], "until it has settled"
    assert not await scene.end(claim, DEFERRED)
    assert await scene.store.heartbeat(NODE) == []


async def what_it_lost_is_told_as_it_was_handed_out(scene: Scene) -> None:
    claim = await _claimed(scene)
    await scene.send(claim, MAIL_REFUSED)
    await scene.advance(DAY)
    (probe,) = await scene.work()
    assert probe.is_probe
    assert await scene.store.gate(probe)
    await scene.harness.advance(LEASE + FINAL + LINGER)
    for _ in range(3):
        assert await scene.store.heartbeat(NODE) == [probe], "however it ended meanwhile"


async def what_was_claimed_goes_to_another_node(scene: Scene) -> None:
    claim = await _claimed(scene)
    await scene.harness.advance(LEASE)
    (other,) = (await scene.store.take(OTHER, {box(A): 1}, 10)).claims
    assert (other.delivery, other.node, other.tries, other.doubts) == (claim.delivery, OTHER, 0, 0)
    assert not await scene.store.gate(claim)
    assert await scene.store.gate(other)


async def a_claim_of_a_living_node_goes_to_nobody(scene: Scene) -> None:
    await _claimed(scene)
    for _ in range(5):
        await scene.harness.advance(LEASE / 2)
        await scene.store.heartbeat(NODE)
        assert (await scene.store.take(OTHER, {box(A): 1}, 10)).claims == ()


async def a_lost_attempt_holds_its_slot_until_linger_is_over(scene: Scene) -> None:
    await _claimed(scene, "1/m")
    lost_at = scene.store.now() + LEASE * SECOND
    await scene.harness.advance(LEASE)
    taken = await scene.store.take(OTHER, {box(A): 1}, 10)
    assert taken.claims == ()
    opens = lost_at + LINGER * SECOND + MINUTE + 1
    assert taken.wake_at == opens
    await scene.harness.advance((opens - 1 - scene.store.now()) / SECOND)
    assert (await scene.store.take(OTHER, {box(A): 1}, 10)).claims == ()
    await scene.harness.advance(1 / SECOND)
    assert len((await scene.store.take(OTHER, {box(A): 1}, 10)).claims) == 1


async def what_passed_the_gate_is_kept_until_nothing_can_come_of_it(scene: Scene) -> None:
    claim = await _claimed(scene)
    assert await scene.store.gate(claim)
    over = scene.store.now() + (FINAL + LINGER) * SECOND
    await scene.harness.advance(LEASE)
    taken = await scene.store.take(OTHER, {box(A): 1}, 10)
    assert taken.claims == ()
    assert taken.wake_at is not None
    assert taken.wake_at <= over
    await scene.harness.advance((over - 1 - scene.store.now()) / SECOND)
    assert (await scene.store.take(OTHER, {box(A): 1}, 10)).claims == ()
    await scene.harness.advance(1 / SECOND)
    (again,) = (await scene.store.take(OTHER, {box(A): 1}, 10)).claims
    assert (again.delivery, again.doubts) == (claim.delivery, 1)


async def a_lease_ends_beside_a_claim_that_takes_longer(scene: Scene) -> None:
    claim = await _claimed(scene)
    assert await scene.store.gate(claim)
    await scene.harness.advance(LEASE)
    await scene.mail(A, 2)
    (second,) = (await scene.store.take(NODE, {box(A): 1}, 10)).claims
    await scene.harness.advance(LEASE)
    assert not await scene.store.gate(second)


async def a_late_delivered_is_a_fact(scene: Scene) -> None:
    claim = await _claimed(scene)
    assert await scene.store.gate(claim)
    await scene.harness.advance(LEASE)
    await scene.store.take(OTHER, {}, 0)
    assert await scene.end(claim, DELIVERED)
    await scene.advance(2 * (FINAL + LINGER))
    assert (await scene.store.take(OTHER, {box(A): 1}, 10)).claims == ()


async def a_late_delivered_stops_whoever_has_it_now(scene: Scene) -> None:
    claim = await _claimed(scene)
    await scene.harness.advance(LEASE)
    (other,) = (await scene.store.take(OTHER, {box(A): 1}, 10)).claims
    assert await scene.end(claim, DELIVERED)
    assert not await scene.store.gate(other)
    assert not await scene.store.settle(other, DEFERRED)
    await scene.advance(3600)
    assert await scene.work() == []
    await scene.restart()
    assert await scene.work() == []


async def a_late_deferred_changes_nothing(scene: Scene) -> None:
    claim = await _claimed(scene)
    await scene.harness.advance(LEASE)
    (other,) = (await scene.store.take(OTHER, {box(A): 1}, 10)).claims
    assert not await scene.end(claim, DEFERRED)
    assert await scene.store.gate(other)
    assert await scene.store.settle(other, DELIVERED)


async def a_late_deferred_past_the_gate_changes_nothing(scene: Scene) -> None:
    claim = await _claimed(scene)
    assert await scene.store.gate(claim)
    await scene.harness.advance(LEASE)
    await scene.store.heartbeat(OTHER)
    assert not await scene.end(claim, DEFERRED)
    await scene.harness.advance(FINAL + LINGER)
    (again,) = (await scene.store.take(OTHER, {box(A): 1}, 10)).claims
    assert again.doubts == 1, "who was too late did not decide"


async def an_empty_node_is_told_of_nothing(scene: Scene) -> None:
    await scene.route(account(A))
    assert await scene.store.heartbeat(NODE) == []
    await scene.harness.advance(10 * LEASE)
    assert await scene.store.heartbeat(NODE) == []
