"""What is told of a trouble that several met: one story, to whom it concerns, and no wrong one to anybody else."""

from dataclasses import replace

from relay.core.concerns import Concern, ConcernKind, Subject
from relay.core.envelope import LoginFailure, Verdict
from relay.core.limits import MINUTE, parse_limit
from relay.core.reply import Reply
from relay.core.words import AccountId, Stage
from tests.contract.scene import (
    AUTH_REFUSED,
    GUESSED,
    NODE,
    A,
    B,
    C,
    Scene,
    account,
    box,
    message,
    provider,
    result,
)

D, E = "d@studio.test", "e@studio.test"
BANNED = LoginFailure(
    "account-blocked", Stage.AUTH, Reply(535, "5.7.0", "mailbox suspended"), is_provider=False, is_login_sent=True
)
UNPAID = replace(BANNED, reply=Reply(535, "5.7.0", "your invoice is not paid"))
IP_BLOCKED = LoginFailure(
    "ip-blocked", Stage.CONNECT, Reply(554, "5.7.1", "your IP is listed"), is_provider=True, is_login_sent=False
)
TOO_FAST = result(Verdict.DEFERRED, "rate-limited", stage=Stage.MAIL, reply=Reply(450, "4.7.1", "too fast"))


async def _open(scene: Scene) -> list[tuple[ConcernKind, str]]:
    """What is open, and about whom."""
    return sorted((each.kind, str(each.subject)) for each in await scene.books.notices.concerns(20))


async def _due(scene: Scene) -> list[Concern]:
    """What has to be told now."""
    return [each.concern for each in await scene.books.notices.due(20)]


async def _worked(scene: Scene, *senders: AccountId, waiting: int = 1) -> None:
    """They were let in, are out now, and have a mail each that waits."""
    for sender in senders:
        await scene.mail(sender, f"before-{sender[0]}-{waiting}")
    await scene.send_all()
    for mailbox in [*scene.sessions.elements()]:
        await scene.close(mailbox)
    for sender in senders:
        await scene.mail(sender, f"{sender[0]}-{waiting}")


async def _refuse(scene: Scene, *senders: AccountId, failure: LoginFailure = AUTH_REFUSED) -> None:
    """Every login that is asked for now is one of these, and refused."""
    wanted = (await scene.store.take(NODE, {}, 100)).open
    assert sorted(wanted) == sorted(map(box, senders))
    for sender in senders:
        await scene.store.refused(box(sender), failure)


# logins


async def an_outage_of_logins_is_told_to_ops_and_no_owner_hears_of_a_password(scene: Scene) -> None:
    await scene.route(account(A), account(B), account(C))
    await _worked(scene, A)
    await _refuse(scene, A)
    await scene.advance(300)
    await _refuse(scene, A)
    assert await _open(scene) == [(ConcernKind.MAILBOX_STOPPED, "p/" + A)]
    assert await _due(scene) == [], "it may still turn out to be somebody else's trouble"
    await _worked(scene, B, C, waiting=2)
    await _refuse(scene, B, C)
    assert await _open(scene) == [(ConcernKind.AUTH_OUTAGE, "p")]
    (told,) = await _due(scene)
    assert (told.kind, told.subject, told.reason) == (ConcernKind.AUTH_OUTAGE, Subject("p"), "auth-outage")
    await scene.advance(600)
    assert [each.kind for each in await _due(scene)] == [ConcernKind.AUTH_OUTAGE], "nor later"
    await scene.send_all()
    assert await _open(scene) == []


async def a_password_that_worked_and_is_wrong_now_is_told_ten_minutes_later(scene: Scene) -> None:
    await scene.route(account(A))
    await _worked(scene, A)
    await _refuse(scene, A)
    await scene.advance(300)
    await _refuse(scene, A)
    assert await scene.books.notices.rest() == 10 * MINUTE
    await scene.advance(600)
    (told,) = await _due(scene)
    assert (told.kind, told.reason) == (ConcernKind.MAILBOX_STOPPED, "auth-rejected")


# blocks


async def _block(scene: Scene, *senders: AccountId, failure: LoginFailure = BANNED) -> None:
    await scene.route(*map(account, (A, B, C, D, E)))
    await _worked(scene, A, B, C, D, E)
    wanted = (await scene.store.take(NODE, {}, 100)).open
    for sender in senders:
        assert box(sender) in wanted
        await scene.store.refused(box(sender), failure)


async def five_that_are_blocked_in_the_same_words_are_one_story(scene: Scene) -> None:
    await _block(scene, A, B, C, D)
    assert {kind for kind, _ in await _open(scene)} == {ConcernKind.MAILBOX_STOPPED}
    assert await _due(scene) == []
    await scene.store.refused(box(E), BANNED)
    assert await _open(scene) == [(ConcernKind.BLOCK, "p")]
    (told,) = await _due(scene)
    assert (told.reason, told.detail["mailboxes"]) == ("account-blocked", "5")
    view = await scene.store.account(A)
    assert view is not None
    assert (view.health, view.reason) == ("paused", "account-blocked"), "they stand still all the same"


async def whoever_is_blocked_later_in_these_words_is_of_the_same_story(scene: Scene) -> None:
    f = "f@studio.test"
    await scene.route(*map(account, (A, B, C, D, E, f)))
    await _worked(scene, A, B, C, D, E, f)
    await scene.store.take(NODE, {}, 100)
    for sender in (A, B, C, D, E):
        await scene.store.refused(box(sender), BANNED)
    await scene.open(box(f))
    (claim,) = await scene.work()
    assert claim.account == f, "who is not blocked goes on"
    blocked = result(Verdict.HELD, "account-blocked", stage=Stage.MAIL, reply=BANNED.reply)
    await scene.send(claim, blocked)
    assert await _open(scene) == [(ConcernKind.BLOCK, "p")]


async def a_line_that_breaks_hours_later_makes_no_other_story_of_a_block(scene: Scene) -> None:
    await _block(scene, A, B, C, D, E)
    await scene.advance(4 * 3600)
    (prober, *_) = (await scene.store.take(NODE, {}, 1)).open
    await scene.store.refused(prober, replace(BANNED, reply_class="network", reply=None))
    assert await _open(scene) == [(ConcernKind.BLOCK, "p")]


async def blocks_in_different_words_are_each_its_owners(scene: Scene) -> None:
    await _block(scene, A, B, C, D)
    await scene.store.refused(box(E), UNPAID)
    assert [kind for kind, _ in await _open(scene)] == [ConcernKind.MAILBOX_STOPPED] * 5


async def a_block_is_over_when_the_last_one_works_again(scene: Scene) -> None:
    await _block(scene, A, B, C, D, E)
    for sender in (A, B, C, D, E):
        assert await _open(scene) == [(ConcernKind.BLOCK, "p")]
        changed = dict.fromkeys((A, B, C, D, E)[: (A, B, C, D, E).index(sender) + 1], "second")
        await scene.route(*map(account, (A, B, C, D, E)), credentials=changed)
    assert await _open(scene) == []


async def a_block_of_this_machines_address_is_told_and_is_no_mailboxs(scene: Scene) -> None:
    await scene.route(account(A), account(B, "q"))
    await scene.mail(A, 1)
    await _refuse(scene, A, failure=IP_BLOCKED)
    (told,) = await _due(scene)
    assert (told.kind, told.subject, told.reason) == (ConcernKind.PROVIDER_STOPPED, Subject("p"), "ip-blocked")
    await scene.mail(B, 2)
    await scene.log_in()
    assert await scene.send_all() == ["m-2"]


# bounces


async def what_the_guard_keeps_back_is_told_once_and_over_with_it(scene: Scene) -> None:
    await scene.route(account(A))
    for recipient in ("one", "two", "three"):
        await scene.store.put(message(recipient, A, f"{recipient}@x.test", client=f"client-{recipient}"))
        (claim,) = await scene.work()
        await scene.send(claim, GUESSED)
    (told,) = await _due(scene)
    assert (told.kind, told.subject, told.reason) == (ConcernKind.BOUNCE_GUARD, Subject(mailbox=box(A)), "bounce-guard")
    assert told.detail["reply"] == "550 5.7.1 not from you"
    await scene.advance(300)
    await scene.send_all()
    assert await _open(scene) == []


# traffic, expiry


async def _too_fast(scene: Scene, number: object) -> int:
    """One mail of a mailbox at ease is refused as too fast; how often foreign traffic is told by now."""
    view = await scene.store.account(A)
    assert view is not None
    assert view.health == "ok"
    await scene.mail(A, number)
    (claim,) = await scene.work()
    await scene.send(claim, TOO_FAST)
    for hour in range(3):
        await scene.advance(3600)
        await scene.mail(A, f"{number}-{hour}")
        await scene.send_all()
        await scene.advance(60)
        await scene.send_all()
    return sum(each.kind is ConcernKind.FOREIGN_TRAFFIC for each in await _due(scene))


async def too_fast_while_little_is_used_is_told_as_foreign_once_a_day(scene: Scene) -> None:
    await scene.route(account(A), providers=[provider("p", "10/m", "1/s")])
    assert await _too_fast(scene, 1) == 1
    assert await _too_fast(scene, 2) == 1
    await scene.advance(24 * 3600)
    assert await _too_fast(scene, 3) == 2


async def too_fast_at_half_of_a_limit_is_our_own_haste(scene: Scene) -> None:
    await scene.route(account(A), providers=[provider("p", "4/m")])
    await scene.mail(A, 1, 2)
    first, second = await scene.work()
    await scene.send(first)
    await scene.send(second, TOO_FAST)
    assert [each for each in await _due(scene) if each.kind is ConcernKind.FOREIGN_TRAFFIC] == []


async def a_password_that_libero_made_expire_is_told_as_such(scene: Scene) -> None:
    scene = scene.under(health=replace(scene.settings.health, refused_logins=parse_limit("9/h")))
    await scene.route(account(A), providers=[provider("p", "60/h", expires_passwords=True)])
    await scene.mail(A, *range(30))
    await scene.send_all()
    for mailbox in [*scene.sessions.elements()]:
        await scene.close(mailbox)
    await scene.mail(A, "next")
    for pause in (300, 600):
        await _refuse(scene, A)
        await scene.advance(pause)
    (told,) = await _due(scene)
    assert (told.kind, told.detail["circumstance"]) == (ConcernKind.MAILBOX_STOPPED, "expired-by-provider")


async def a_wrong_password_at_libero_without_a_burst_is_a_wrong_password(scene: Scene) -> None:
    await scene.route(account(A), providers=[provider("p", "60/h", expires_passwords=True)])
    await _worked(scene, A)
    for pause in (300, 600):
        await _refuse(scene, A)
        await scene.advance(pause)
    (told,) = await _due(scene)
    assert "circumstance" not in told.detail


async def a_password_that_never_worked_is_not_said_to_have_worked_before(scene: Scene) -> None:
    await scene.route(account(A))
    await scene.mail(A, 1)
    await _refuse(scene, A)
    (told,) = await _due(scene)
    assert (told.reason, told.detail["circumstance"]) == ("auth-rejected", "never-worked")


async def a_new_password_that_is_refused_at_its_first_try_never_worked_although_an_older_one_did(scene: Scene) -> None:
    await scene.route(account(A))
    await _worked(scene, A)
    await scene.route(account(A), credentials={A: "second"})
    await _refuse(scene, A)
    (told,) = await _due(scene)
    assert (told.reason, told.detail["circumstance"]) == ("auth-rejected", "never-worked")
