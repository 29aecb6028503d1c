"""After a crash: what was claimed, what passed the gate, and what the limits still have to count."""

from relay.core.limits import MINUTE, SECOND, parse_limit
from relay.core.routing import InDoubt
from relay.store.ports.sessions import SessionEvent
from tests.contract.scene import (
    IN_DOUBT,
    LINGER,
    NODE,
    A,
    B,
    Scene,
    account,
    box,
    numbers,
    provider,
)


async def what_was_claimed_waits_again(scene: Scene) -> None:
    await scene.route(account(A))
    await scene.mail(A, 1, 2)
    claims = await scene.work()
    assert await scene.restart() == 0
    again = await scene.work()
    assert [claim.delivery for claim in again] == [claim.delivery for claim in claims]
    assert all((claim.tries, claim.doubts) == (0, 0) for claim in again)
    assert not {claim.attempt for claim in again} & {claim.attempt for claim in claims}


async def what_passed_the_gate_is_in_doubt(scene: Scene) -> None:
    await scene.route(account(A))
    await scene.mail(A, 1, 2, 3)
    claims = await scene.work()
    for claim in claims[:2]:
        assert await scene.store.gate(claim)
    assert await scene.restart() == 2
    assert numbers(await scene.work()) == ["m-3"]
    await scene.advance(LINGER - 1)
    assert await scene.work() == []
    await scene.advance(1)
    again = await scene.work()
    assert [(claim.message, claim.doubts) for claim in again] == [("m-1", 1), ("m-2", 1)]


async def a_second_doubt_is_held(scene: Scene) -> None:
    await scene.route(account(A))
    await scene.mail(A, 1)
    for _ in range(2):
        (claim,) = await scene.work()
        assert await scene.store.gate(claim)
        assert await scene.restart() == 1
        await scene.advance(LINGER)
    assert await scene.work() == []
    (count,) = await scene.store.queue_counts()
    assert (count.waiting, count.sending, count.held) == (0, 0, 1)


async def doubts_of_a_settle_and_of_a_crash_add_up(scene: Scene) -> None:
    await scene.route(account(A))
    await scene.mail(A, 1)
    (claim,) = await scene.work()
    await scene.send(claim, IN_DOUBT)
    await scene.advance(LINGER)
    (claim,) = await scene.work()
    assert await scene.store.gate(claim)
    await scene.restart()
    await scene.advance(10 * LINGER)
    assert await scene.work() == []


async def an_account_may_hold_what_is_in_doubt_at_once(scene: Scene) -> None:
    await scene.route(account(A, in_doubt=InDoubt.HOLD))
    await scene.mail(A, 1)
    (claim,) = await scene.work()
    assert await scene.store.gate(claim)
    assert await scene.restart() == 1
    await scene.advance(10 * LINGER)
    assert await scene.work() == []


async def our_own_death_is_nobodys_health(scene: Scene) -> None:
    await scene.route(account(A))
    await scene.mail(A, 1, 2)
    claim, _ = await scene.work()
    assert await scene.store.gate(claim)
    await scene.restart()
    (other,) = await scene.work()
    assert not other.is_probe


async def attempts_under_way_hold_their_slots_until_linger_is_over(scene: Scene) -> None:
    await scene.route(account(A), account(B), providers=[provider("p", "1/m", totals=["2/m"])])
    await scene.mail(A, 1, 2)
    await scene.mail(B, 3)
    first, second = await scene.work()
    assert await scene.store.gate(first)
    await scene.advance(5)
    await scene.restart()
    opens = scene.store.now() + LINGER * SECOND + MINUTE + 1
    taken = await scene.take()
    assert taken.claims == ()
    assert taken.open == {}
    await scene.advance_to(opens - 1)
    assert await scene.work() == []
    await scene.advance_to(opens)
    assert len(await scene.work()) == 2
    assert second.message == "m-3"


async def a_second_recovery_finds_nothing(scene: Scene) -> None:
    await scene.route(account(A))
    await scene.mail(A, 1)
    (claim,) = await scene.work()
    assert await scene.store.gate(claim)
    assert await scene.restart() == 1
    assert await scene.store.recover(NODE) == 0


async def another_nodes_attempts_are_its_own(scene: Scene) -> None:
    await scene.route(account(A))
    await scene.mail(A, 1)
    (claim,) = await scene.work()
    assert await scene.store.recover("node-3") == 0
    assert await scene.store.gate(claim)


async def sessions_die_with_their_process(scene: Scene) -> None:
    await scene.route(account(A), providers=[provider("p", connections=1, total_connections=1)])
    await scene.mail(A, 0)
    await scene.send_all()
    await scene.close(box(A))
    await scene.mail(A, 1)
    assert (await scene.store.take(NODE, {}, 10)).open == {box(A): 1}
    await scene.restart()
    assert (await scene.store.take(NODE, {}, 10)).open == {box(A): 1}


async def a_login_that_nobody_reported_on_counts(scene: Scene) -> None:
    await scene.route(account(A), providers=[provider("p", login_limit=parse_limit("3/10m"))])
    await scene.mail(A, 0)
    await scene.send_all()
    await scene.close(box(A))
    await scene.mail(A, 1)
    assert (await scene.store.take(NODE, {}, 10)).open == {box(A): 1}
    await scene.restart()
    assert (await scene.store.take(NODE, {}, 10)).open == {box(A): 1}
    await scene.store.session(box(A), SessionEvent.OPENED)
    await scene.store.session(box(A), SessionEvent.CLOSED)
    assert (await scene.store.take(NODE, {}, 10)).open == {}
    await scene.restart()
    assert (await scene.store.take(NODE, {}, 10)).open == {}


async def a_login_of_who_never_worked_counts_as_refused_where_nobody_saw_its_end(scene: Scene) -> None:
    await scene.route(account(A))
    await scene.mail(A, 1)
    for pause in (300, 900, 1800):
        assert (await scene.store.take(NODE, {}, 10)).open == {box(A): 1}
        await scene.restart()
        assert (await scene.store.take(NODE, {}, 10)).open == {}
        await scene.advance(pause - 1)
        assert (await scene.store.take(NODE, {}, 10)).open == {}
        await scene.restart()
        await scene.advance(1)
    assert (await scene.store.take(NODE, {}, 10)).open == {}, "three in an hour are all"
    await scene.advance(1000)
    assert await scene.send_all() == ["m-1"]


async def the_order_survives(scene: Scene) -> None:
    await scene.route(account(A))
    await scene.mail(A, 1, 2, 3, 4, 5, client="batch")
    await scene.mail(A, 6, client="batch", wants_express=True)
    await scene.restart()
    assert numbers(await scene.work()) == ["m-1", "m-2", "m-3", "m-6", "m-4", "m-5"]
