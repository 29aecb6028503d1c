"""When a message that came in now would leave: what is foretold comes true."""

from relay.core.limits import MINUTE, SECOND
from relay.core.words import AccountId
from tests.contract.scene import AUTH_REFUSED, DELIVERED, A, B, Scene, account, box, provider


async def an_idle_mailbox_sends_at_once(scene: Scene) -> None:
    await scene.route(account(A))
    assert await _foretold(scene, A) == scene.store.now()


async def behind_a_limit_it_says_when(scene: Scene) -> None:
    await scene.route(account(A), providers=[provider("p", "5/1m")])
    await scene.mail(A, *range(12))
    for claim in await scene.work():
        await scene.send(claim, DELIVERED)
    foretold = await _foretold(scene, A)
    await scene.mail(A, "new")
    left = None
    while left is None:
        taken = await scene.take()
        for claim in taken.claims:
            if claim.message == "m-new":
                left = scene.store.now()
            await scene.send(claim, DELIVERED)
        if not taken.claims and taken.wake_at is not None:
            await scene.advance_to(taken.wake_at)
    assert foretold is not None
    assert abs(left - foretold) < SECOND, "attempts take no time here, and the forecast gives them some"


async def to_ask_changes_nothing(scene: Scene) -> None:
    await scene.route(account(A), providers=[provider("p", "1/1m")])
    await scene.mail(A, 1)
    asked = [await _foretold(scene, A) for _ in range(3)]
    assert asked[0] == asked[1] == asked[2]
    claims = await scene.work()
    assert [claim.message for claim in claims] == ["m-1"]


async def the_lane_is_the_one_that_it_would_have(scene: Scene) -> None:
    await scene.route(account(A), providers=[provider("p", "1/1m")])
    for number in range(10):
        await scene.mail(A, number, client="studio")
    behind = await scene.books.foresight.departure(A, "studio", wants_express=False)
    before = await scene.books.foresight.departure(A, "studio", wants_express=True)
    assert behind is not None
    assert before is not None
    assert before < behind


async def a_stopped_mailbox_leaves_at_its_probe_and_one_that_goes_nowhere_never(scene: Scene) -> None:
    await scene.route(account(A), account(B))
    await scene.mail(A, 1)
    await scene.take()
    await scene.store.refused(box(A), AUTH_REFUSED)
    foretold = await _foretold(scene, A)
    assert foretold is not None
    assert foretold >= scene.store.now() + MINUTE
    await scene.books.control.pause(B, why="asked by phone")
    assert await _foretold(scene, B) is None


async def _foretold(scene: Scene, sender: AccountId) -> int | None:
    """Relay time and wall time of a scene are one, as long as nobody sets its clock."""
    return await scene.books.foresight.departure(sender, "studio", wants_express=True)
