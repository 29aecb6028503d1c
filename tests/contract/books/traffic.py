"""Who has fallen silent, who sends far above his usual, and who is new."""

from dataclasses import replace

from relay.core.concerns import Concern, ConcernKind
from relay.core.envelope import Result, Verdict
from tests.contract.scene import BOUNCED, DELIVERED, A, B, Scene, account, provider, result

DAY = 24 * 3600
COMPLAINTS = (
    result(Verdict.DEFERRED, "rate-limited"),
    result(Verdict.DEFERRED, "quota-exceeded"),
    result(Verdict.DEFERRED, "too-many-recipients"),
    result(Verdict.BOUNCED, "spam-blocked"),
    result(Verdict.HELD, "account-blocked"),
    result(Verdict.BOUNCED, "policy-refused", is_read=True),
)


async def _open(scene: Scene, kind: ConcernKind) -> list[Concern]:
    return [each for each in await scene.books.notices.concerns(100) if each.kind is kind]


async def _month(scene: Scene, *senders: str, many: int = 3) -> None:
    """Mail on each day of four weeks."""
    for day in range(28):
        for sender in senders:
            await scene.mail(sender, *(f"{sender}-{day}-{number}" for number in range(many)))
        await scene.advance(DAY)


async def an_account_that_normally_sends_and_has_stopped_is_told_of_alone(scene: Scene) -> None:
    await scene.route(account(A), account(B))
    await _month(scene, A, B)
    for day in range(5):
        await scene.mail(B, f"later-{day}")
        await scene.advance(DAY)
    (silence,) = await _open(scene, ConcernKind.SILENCE)
    assert silence.subject.account == A
    await scene.mail(A, "back")
    await scene.advance(60)
    assert await _open(scene, ConcernKind.SILENCE) == []


async def who_is_paused_by_a_person_is_not_told_of(scene: Scene) -> None:
    await scene.route(account(A))
    await _month(scene, A)
    await scene.books.control.pause(A, why="on holiday")
    for _ in range(5):
        await scene.advance(DAY)
    assert await _open(scene, ConcernKind.SILENCE) == []


async def an_account_that_sends_far_above_its_usual_is_told_of_once_a_day(scene: Scene) -> None:
    await scene.route(account(A))
    await _month(scene, A)
    await scene.mail(A, *(f"flood-{number}" for number in range(60)))
    await scene.advance(60)
    (due,) = [due for due in await scene.books.notices.due(10) if due.concern.kind is ConcernKind.SURPRISE]
    assert (due.concern.subject.account, due.concern.detail) == (A, {"count": "60", "usual": "3"})
    await scene.books.notices.said(due, after=None, notice=None)
    await scene.mail(A, *(f"more-{number}" for number in range(60)))
    await scene.advance(60)
    assert not [due for due in await scene.books.notices.due(10) if due.concern.kind is ConcernKind.SURPRISE]


async def what_was_counted_is_not_counted_again_after_a_restart(scene: Scene) -> None:
    await scene.route(account(A))
    await _month(scene, A)
    await scene.mail(A, *(f"morning-{number}" for number in range(40)))
    await scene.advance(60)
    await scene.harness.crash_and_restart()
    await scene.store.recover("node-1")
    await scene.mail(A, *(f"noon-{number}" for number in range(9)))
    await scene.advance(60)
    assert not [due for due in await scene.books.notices.due(10) if due.concern.kind is ConcernKind.SURPRISE]
    await scene.mail(A, "one more")
    await scene.advance(60)
    found = [due.concern for due in await scene.books.notices.due(10)]
    assert [each.detail["count"] for each in found if each.kind is ConcernKind.SURPRISE] == ["50"]


async def _sent_in_a_day(scene: Scene, day: int) -> int:
    """Hands in more than may leave, and sends what may for 24 hours; how many that was."""
    many = 0
    await scene.mail(A, *(f"{day}-{number}" for number in range(12)))
    for _ in range(24):
        for claim in await scene.work():
            many += 1
            await scene.send(claim, DELIVERED)
        await scene.advance(3600)
    return many


async def a_new_mailbox_begins_with_a_part_and_grows_by_the_clean_day(scene: Scene) -> None:
    await scene.route(account(A), providers=[provider("p", "10/calendar-day", has_warmup=True)])
    seen = [await _sent_in_a_day(scene, day) for day in range(8)]
    assert seen == [3 + 4, 5, 6, 7, 8, 9, 10, 10], "it begins in a morning, and what may leave leaves after midnight"


async def _allowance_after_a_day_of(scene: Scene, *outcomes: Result) -> int:
    """What a new mailbox may send on the day after one on which its mails ended like this."""
    scene = scene.another()
    await scene.route(account(A), providers=[provider("p", "10/calendar-day", has_warmup=True)])
    await scene.mail(A, *range(len(outcomes)))
    for claim, outcome in zip(await scene.work(), outcomes, strict=True):
        await scene.send(claim, outcome)
    await scene.advance(DAY)
    view = await scene.store.account(A)
    assert view is not None
    most: int = view.limits[0].most
    return most


async def a_complaint_makes_no_clean_day(scene: Scene) -> None:
    for complaint in COMPLAINTS:
        assert await _allowance_after_a_day_of(scene, complaint, DELIVERED, DELIVERED) == 3, complaint.reply_class
    assert await _allowance_after_a_day_of(scene, BOUNCED, DELIVERED, DELIVERED) == 4, "a patient's refusal is none"


async def a_day_on_which_nothing_went_through_is_no_clean_one(scene: Scene) -> None:
    assert await _allowance_after_a_day_of(scene, BOUNCED) == 3
    await scene.route(account(A), providers=[provider("p", "10/calendar-day", has_warmup=True)])
    assert await _sent_in_a_day(scene, 1) == 3 + 4, "it begins in a morning, and what may leave leaves after midnight"
    for claim in await scene.work():
        await scene.send(claim, DELIVERED)
    for _ in range(5):
        await scene.advance(DAY)
    view = await scene.store.account(A)
    assert view is not None
    assert view.limits[0].most == 5, "two days on which mail went through, whatever time passed after them"


async def a_mailbox_under_another_name_goes_on_with_its_warm_up(scene: Scene) -> None:
    for is_warmed, most in [(True, 4), (False, 10)]:
        scene = scene.another()
        entries = [replace(provider(n, "10/calendar-day", has_warmup=is_warmed), host="smtp.same.test") for n in "pq"]
        await scene.route(account(A), providers=entries)
        await _sent_in_a_day(scene, 1)
        await scene.advance(DAY / 2)
        entries = [replace(each, has_warmup=True) for each in entries]
        await scene.route(account(A, "q"), providers=entries)
        for _ in range(2):
            view = await scene.store.account(A)
            assert view is not None
            assert view.limits[0].most == most
            await scene.restart()


async def a_mailbox_that_was_used_before_is_not_new(scene: Scene) -> None:
    await scene.route(account(A), providers=[provider("p", "10/calendar-day")])
    await scene.mail(A, *range(30))
    for claim in await scene.work(1):
        await scene.send(claim, DELIVERED)
    await scene.route(account(A), providers=[provider("p", "10/calendar-day", has_warmup=True)])
    view = await scene.store.account(A)
    assert view is not None
    assert view.limits[0].most == 10


async def a_restart_makes_no_old_mailbox_of_a_new_one(scene: Scene) -> None:
    await scene.route(account(A), providers=[provider("p", "10/calendar-day", has_warmup=True)])
    await scene.mail(A, *range(30))
    (claim, *_) = await scene.work()
    await scene.send(claim, DELIVERED)
    await scene.harness.crash_and_restart()
    await scene.store.recover("node-1")
    view = await scene.store.account(A)
    assert view is not None
    assert view.limits[0].most == 3
