"""What can be asked: how much waits, is sent and is held, how old it is, and how the accounts are."""

from relay.core.words import Plan
from relay.store.ports import QueueCount
from tests.contract.scene import (
    AUTH_REFUSED,
    DEFERRED,
    HOST_DOWN,
    HOST_UNTRUSTED,
    MAIL_REFUSED,
    NODE,
    SECOND,
    A,
    B,
    C,
    Scene,
    account,
    box,
    provider,
)


async def the_queue_is_counted_by_provider(scene: Scene) -> None:
    await scene.route(account(A), account(B), account(C, "q"), providers=[provider("p", connections=1)])
    await scene.mail(A, 1, 2, 3)
    await scene.advance(30)
    await scene.mail(C, 4)
    await scene.advance(12)
    assert await scene.store.queue_counts() == [QueueCount("p", 3, 0, 0, 42.0), QueueCount("q", 1, 0, 0, 12.0)]
    claims = {claim.message: claim for claim in await scene.work()}
    assert await scene.store.queue_counts() == [QueueCount("p", 2, 1, 0, 42.0), QueueCount("q", 0, 1, 0, 12.0)]
    await scene.send(claims["m-4"])
    await scene.send(claims["m-1"], DEFERRED)
    assert await scene.store.queue_counts() == [QueueCount("p", 3, 0, 0, 42.0)]


async def what_a_stopped_mailbox_keeps_back_is_held(scene: Scene) -> None:
    await scene.route(account(A), account(B))
    await scene.mail(A, 1, 2)
    await scene.mail(B, 3)
    claims = {claim.message: claim for claim in await scene.work()}
    await scene.end(claims["m-1"], MAIL_REFUSED)
    (count,) = await scene.store.queue_counts()
    assert (count.waiting, count.sending, count.held) == (0, 2, 1)
    await scene.send(claims["m-2"])
    (count,) = await scene.store.queue_counts()
    assert (count.waiting, count.sending, count.held) == (0, 1, 1), "what was under way before shows nothing"


async def an_empty_queue_is_no_count(scene: Scene) -> None:
    await scene.route(account(A))
    assert all((count.waiting, count.sending, count.held) == (0, 0, 0) for count in await scene.store.queue_counts())
    await scene.mail(A, 1)
    await scene.send_all()
    assert all((count.waiting, count.sending, count.held) == (0, 0, 0) for count in await scene.store.queue_counts())


async def who_is_paused_is_said_with_why_and_since_when(scene: Scene) -> None:
    await scene.route(account(A), account(B))
    await scene.mail(A, 1)
    assert scene.store.pause_of(A) is None
    await scene.store.take(NODE, {}, 10)
    await scene.store.refused(box(A), AUTH_REFUSED)
    pause = scene.store.pause_of(A)
    assert pause is not None
    assert pause.reason == AUTH_REFUSED.reply_class
    await scene.advance(60)
    assert scene.store.pause_of(A) == pause, "it began when it began"
    assert scene.store.pause_of(B) is None


async def an_account_without_credentials_is_paused_since_they_went(scene: Scene) -> None:
    await scene.route(account(A), account(B), credentials={A: None})
    pause = scene.store.pause_of(A)
    assert pause is not None
    assert pause.reason == "no-credentials"
    await scene.advance(60)
    await scene.route(account(A), account(B), credentials={A: None, B: None})
    await scene.restart()
    assert scene.store.pause_of(A) == pause, "an edit of others and a restart begin nothing anew"
    later = scene.store.pause_of(B)
    assert later is not None
    assert later.since - pause.since == 60 * SECOND
    await scene.route(account(A), account(B), credentials={B: None})
    assert scene.store.pause_of(A) is None


async def a_provider_that_somebody_has_to_mend_pauses_its_accounts_and_an_outage_does_not(scene: Scene) -> None:
    await scene.route(account(A), account(B), account(C, "q"))
    for failure, reason in ((HOST_DOWN, None), (HOST_UNTRUSTED, "tls-untrusted")):
        await scene.mail(A, reason)
        taken = await scene.store.take(NODE, {}, 10)
        while not taken.open:
            await scene.advance(60)
            taken = await scene.store.take(NODE, {}, 10)
        for mailbox in taken.open:
            await scene.store.refused(mailbox, failure)
        found = [scene.store.pause_of(each) for each in (A, B, C)]
        assert [None if each is None else each.reason for each in found] == [reason, reason, None]
    await scene.advance(60)
    assert [scene.store.pause_of(each) for each in (A, B)] == found[:2], "it began when it began"


async def of_several_pauses_that_is_told_which_began_first(scene: Scene) -> None:
    await scene.route(account(A))
    await scene.close_mailbox(A)
    pause = scene.store.pause_of(A)
    await scene.advance(60)
    await scene.route(account(A), credentials={A: None})
    assert pause is not None
    assert scene.store.pause_of(A) == pause, "nothing has left since then"


async def who_is_not_in_the_routing_is_not_paused(scene: Scene) -> None:
    await scene.route(account(A))
    assert scene.store.pause_of(C) is None


async def that_a_login_has_worked_is_known_of_its_mailbox_alone(scene: Scene) -> None:
    await scene.route(account(A), account(B))
    assert not scene.store.has_worked(box(A))
    await scene.mail(A, 1)
    await scene.send_all()
    assert scene.store.has_worked(box(A))
    assert not scene.store.has_worked(box(B))


async def the_health_of_accounts_is_counted_by_plan(scene: Scene) -> None:
    await scene.route(account(A), account(B), account(C), credentials={C: None})
    await scene.mail(A, 1)
    await scene.store.take(NODE, {}, 10)
    await scene.store.refused(box(A), AUTH_REFUSED)
    found = {(count.plan, count.health): count.accounts for count in await scene.store.health_counts()}
    assert found == {(Plan.BUSINESS, "paused"): 2, (Plan.BUSINESS, "ok"): 1}
