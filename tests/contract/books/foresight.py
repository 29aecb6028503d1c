"""When a message that came in now would leave: what is foretold comes true."""

from dataclasses import replace

from relay.core.envelope import LoginFailure, Verdict
from relay.core.healthsettings import HealthSettings
from relay.core.limits import HOUR, MINUTE, SECOND
from relay.core.reply import Reply
from relay.core.words import AccountId, Stage
from tests.contract.scene import (
    AUTH_LATER,
    AUTH_REFUSED,
    DELIVERED,
    HOST_DOWN,
    HOST_UNTRUSTED,
    A,
    B,
    C,
    Scene,
    account,
    box,
    provider,
    result,
)

BLOCKED = result(Verdict.HELD, "account-blocked", stage=Stage.MAIL, reply=Reply(550, None, "blocked"))


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


async def what_time_heals_leaves_at_its_probe(scene: Scene) -> None:
    await scene.route(account(A), account(B, "q"))
    for sender, failure in ((A, AUTH_LATER), (B, HOST_DOWN)):
        await _fail(scene, sender, failure)
        foretold = await _foretold(scene, sender)
        assert foretold is not None, failure
        assert foretold > scene.store.now(), failure


async def what_somebody_has_to_mend_leaves_not_before_he_acts(scene: Scene) -> None:
    await scene.route(account(A), account(B, "q"), account(C))
    for sender, failure in ((A, AUTH_REFUSED), (B, HOST_UNTRUSTED)):
        await _fail(scene, sender, failure)
        assert await _foretold(scene, sender) is None, failure
    await scene.books.control.pause(C, why="asked by phone")
    assert await _foretold(scene, C) is None
    await scene.books.control.fixed(A)
    assert await _foretold(scene, A) is not None, "he says that he has"


async def a_login_in_doubt_is_tried_once_more_at_a_time_that_is_known(scene: Scene) -> None:
    await scene.route(account(A))
    await scene.mail(A, 1)
    await scene.send_all()
    await scene.close(box(A))
    await _fail(scene, A, AUTH_REFUSED)
    foretold = await _foretold(scene, A)
    assert foretold is not None, "one login more shows what it was"
    assert (foretold - scene.store.now()) // MINUTE == 5


async def a_block_ends_by_itself_only_after_a_time_that_is_known(scene: Scene) -> None:
    known = HealthSettings(block_times={"register": 4 * HOUR})
    for settings, block, hours in (
        (HealthSettings(), BLOCKED, None),
        (HealthSettings(), replace(BLOCKED, retry_after=24 * HOUR), 24),
        (known, BLOCKED, 4),
    ):
        here = scene.under(health=settings)
        await here.route(account(A), providers=[provider("p", profile="register")])
        await here.mail(A, 1)
        (claim,) = await here.work()
        await here.end(claim, block)
        await here.close(box(A))
        foretold, now = await _foretold(here, A), here.store.now()
        assert (None if foretold is None else (foretold - now) // HOUR) == hours


async def _fail(scene: Scene, sender: AccountId, failure: LoginFailure) -> None:
    """It has something to send, and its next login ends like this."""
    await scene.mail(sender, f"fails-{sender[0]}")
    taken = await scene.take()
    for mailbox in taken.open:
        await scene.store.refused(mailbox, failure)


async def _foretold(scene: Scene, sender: AccountId) -> int | None:
    """Relay time and wall time of a scene are one, as long as nobody sets its clock."""
    return await scene.books.foresight.departure(sender, "studio", wants_express=True)
