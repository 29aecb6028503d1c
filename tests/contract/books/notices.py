"""Concerns are looked at when they should be, a word is said once, and what nobody takes is kept as a dead letter."""

from dataclasses import replace

from relay.core.concerns import ConcernKind, Subject
from relay.core.envelope import Kind, Letter
from relay.core.limits import HOUR, MINUTE, SECOND
from relay.core.returned import address_key, refused_at
from relay.core.telling import NoRoad
from relay.store.ports.notices import DueConcern, Hearing, Unposted
from tests.contract.scene import BOUNCED, MAIL_REFUSED, A, B, Scene, account, box, message, provider

ABOUT_A = Subject("p", box(A))
STOPPED = ConcernKind.MAILBOX_STOPPED


async def _one(scene: Scene) -> DueConcern:
    (due,) = await scene.books.notices.due(10)
    return due


async def what_begins_is_looked_at_at_once_and_once(scene: Scene) -> None:
    notices = scene.books.notices
    await scene.route(account(A), account(B))
    assert await notices.rest() is None
    assert await notices.raise_concern(STOPPED, ABOUT_A, reason="auth-rejected")
    assert not await notices.raise_concern(STOPPED, ABOUT_A, reason="auth-rejected")
    assert await notices.rest() == 0
    due = await _one(scene)
    assert (due.concern.kind, due.concern.subject, due.concern.reason) == (STOPPED, ABOUT_A, "auth-rejected")
    assert (due.accounts, due.waiting, due.told_at, due.words) == ((A,), 0, None, 0)


async def whoever_was_told_of_a_mailbox_hears_its_end_under_its_other_name(scene: Scene) -> None:
    entries = [replace(provider(name), host="smtp.same.test") for name in "pq"]
    await scene.route(account(A), providers=entries)
    await scene.mail(A, 1)
    (claim,) = await scene.work()
    await scene.end(claim, MAIL_REFUSED)
    told = await _one(scene)
    assert await scene.books.notices.said(told, after=24 * HOUR, notice="{}")
    await scene.route(account(A, "q"), providers=entries)
    assert await scene.books.notices.due(10) == [], "nothing is told twice"
    await scene.route(account(A, "q"), providers=entries, credentials={A: "second"})
    over = await _one(scene)
    assert (over.concern.id, over.concern.subject.mailbox) == (told.concern.id, box(A, "q"))
    assert over.concern.closed_at is not None


async def it_says_how_many_mails_wait_of_everybody_concerned(scene: Scene) -> None:
    await scene.route(account(A, username="practice"), account(B, username="practice"))
    await scene.mail(A, 1, 2)
    await scene.mail(B, 3)
    practice = box("practice")
    await scene.books.notices.raise_concern(STOPPED, Subject("p", practice), reason="auth-rejected")
    due = await _one(scene)
    assert (set(due.accounts), due.waiting) == ({A, B}, 3)


async def a_look_without_a_word_is_repeated_after_its_time(scene: Scene) -> None:
    notices = scene.books.notices
    await scene.route(account(A))
    await notices.raise_concern(STOPPED, ABOUT_A, reason="network")
    await notices.looked((await _one(scene)).concern.id, after=HOUR)
    assert await notices.due(10) == []
    assert await notices.rest() == HOUR
    await scene.advance(3600)
    assert (await _one(scene)).told_at is None


async def a_word_is_said_once_and_its_notice_goes_with_it(scene: Scene) -> None:
    notices = scene.books.notices
    await scene.route(account(A))
    await notices.raise_concern(STOPPED, ABOUT_A, reason="auth-rejected")
    due = await _one(scene)
    assert await notices.said(due, after=24 * HOUR, notice='{"id":"1"}')
    assert not await notices.said(due, after=24 * HOUR, notice='{"id":"1"}'), "as after a crash"
    (telling,) = await notices.tellings(10)
    assert (telling.notice, telling.tries) == ('{"id":"1"}', 0)
    await notices.sent(telling.id)
    assert await notices.tellings(10) == []
    await scene.advance(24 * 3600)
    again = await _one(scene)
    assert (again.words, again.now - (again.told_at or 0)) == (1, 24 * HOUR)


async def what_was_said_outlives_a_restart(scene: Scene) -> None:
    await scene.route(account(A))
    await scene.books.notices.raise_concern(STOPPED, ABOUT_A, reason="auth-rejected")
    await scene.books.notices.said(await _one(scene), after=24 * HOUR, notice="{}")
    await scene.harness.crash_and_restart()
    assert await scene.books.notices.due(10) == []
    assert len(await scene.books.notices.tellings(10)) == 1


async def nobody_hears_of_the_end_of_what_he_was_not_told_of(scene: Scene) -> None:
    notices = scene.books.notices
    await scene.route(account(A))
    await notices.raise_concern(STOPPED, ABOUT_A, reason="network")
    assert await notices.lower_concern(STOPPED, ABOUT_A)
    assert not await notices.lower_concern(STOPPED, ABOUT_A)
    assert await notices.due(10) == []
    assert await notices.concerns(10) == []


async def the_end_of_what_was_told_is_looked_at(scene: Scene) -> None:
    notices = scene.books.notices
    await scene.route(account(A))
    await notices.raise_concern(STOPPED, ABOUT_A, reason="auth-rejected")
    await notices.said(await _one(scene), after=24 * HOUR, notice=None)
    await notices.lower_concern(STOPPED, ABOUT_A)
    due = await _one(scene)
    assert due.concern.closed_at == due.now


async def what_comes_back_before_its_end_was_told_goes_on(scene: Scene) -> None:
    notices = scene.books.notices
    await scene.route(account(A))
    await notices.raise_concern(STOPPED, ABOUT_A, reason="auth-rejected")
    first = await _one(scene)
    await notices.said(first, after=24 * HOUR, notice=None)
    await notices.lower_concern(STOPPED, ABOUT_A)
    assert not await notices.raise_concern(STOPPED, ABOUT_A, reason="auth-rejected")
    (still,) = await notices.concerns(10)
    assert (still.id, still.closed_at) == (first.concern.id, None)


async def another_reason_takes_the_place_of_the_first_without_a_word(scene: Scene) -> None:
    notices = scene.books.notices
    await scene.route(account(A))
    await notices.raise_concern(STOPPED, ABOUT_A, reason="auth-rejected")
    await notices.said(await _one(scene), after=24 * HOUR, notice=None)
    assert await notices.raise_concern(STOPPED, ABOUT_A, reason="account-blocked")
    due = await _one(scene)
    assert (due.concern.reason, due.words) == ("account-blocked", 0)
    assert len(await notices.concerns(10)) == 1


async def what_is_told_once_is_not_told_again_before_its_time(scene: Scene) -> None:
    notices, kind = scene.books.notices, ConcernKind.FOREIGN_TRAFFIC
    await scene.route(account(A))
    assert await notices.raise_concern(kind, ABOUT_A, again_after=HOUR)
    assert not await notices.raise_concern(kind, ABOUT_A, again_after=HOUR)
    await notices.said(await _one(scene), after=None, notice=None)
    assert await notices.concerns(10) == [], "nothing of it lasts"
    await scene.advance(3600)
    assert await notices.raise_concern(kind, ABOUT_A, again_after=HOUR)


async def what_is_told_once_ever_is_not_told_again_however_much_later(scene: Scene) -> None:
    notices, kind, paid = scene.books.notices, ConcernKind.PAID_UNTIL, Subject("p", box(A), A)
    await scene.route(account(A))
    detail = {"count": "28", "paid_until": "2027-03-01"}
    assert await notices.raise_concern(kind, paid, reason="30d-2027-03-01", detail=detail)
    assert not await notices.raise_concern(kind, paid, reason="30d-2027-03-01", detail={**detail, "count": "27"})
    due = await _one(scene)
    assert (due.concern.subject, dict(due.concern.detail)) == (paid, detail)
    await notices.said(due, after=None, notice=None)
    await scene.advance(90 * 24 * 3600)
    await scene.harness.crash_and_restart()
    assert not await notices.raise_concern(kind, paid, reason="30d-2027-03-01", detail=detail)
    assert await notices.raise_concern(kind, paid, reason="30d-2028-03-01", detail=detail), "another term"


async def a_notice_that_nobody_takes_is_tried_again_and_then_kept(scene: Scene) -> None:
    notices = scene.books.notices
    await scene.route(account(A))
    await notices.raise_concern(STOPPED, ABOUT_A, reason="auth-rejected")
    await notices.said(await _one(scene), after=24 * HOUR, notice="{}")
    (telling,) = await notices.tellings(10)
    await notices.later(telling.id, after=5 * MINUTE, error="status-500")
    assert await notices.tellings(10) == []
    assert await notices.rest() == 5 * MINUTE
    await scene.advance(300)
    (again,) = await notices.tellings(10)
    assert (again.id, again.tries) == (telling.id, 1)
    await notices.dead(telling.id, error="status-404")
    (letter,) = await notices.dead_letters(10)
    assert (letter.id, letter.tries, letter.error) == (telling.id, 2, "status-404")
    assert await notices.tellings(10) == []
    assert await notices.revive(letter.id)
    assert not await notices.revive(letter.id)
    (revived,) = await notices.tellings(10)
    assert revived.tries == 0
    assert await notices.dead_letters(10) == []


async def nobody_has_heard_of_what_neither_webhook_nor_letter_took(scene: Scene) -> None:
    notices = scene.books.notices
    await scene.route(account(A))
    await notices.raise_concern(STOPPED, ABOUT_A, reason="auth-rejected")
    due = await _one(scene)
    concern, begin = due.concern.id, f"c{due.concern.id}-"

    async def hearing() -> Hearing:
        return (await notices.hearings({concern: begin}))[concern]

    await notices.looked(concern, after=HOUR)
    assert await hearing() == Hearing(None, due.now + HOUR), "it is known when somebody is told"
    await notices.said(due, after=24 * HOUR, notice="{}")
    (telling,) = await notices.tellings(10)
    await notices.later(telling.id, after=5 * MINUTE, error="unreachable")
    assert await hearing() == Hearing(None, due.now + 5 * MINUTE), "said, and yet nobody knows"
    await scene.advance(300)
    await notices.sent(telling.id)
    assert await hearing() == Hearing(due.now + 5 * MINUTE, due.now + 24 * HOUR)


async def a_letter_of_a_concern_is_heard_of_and_that_of_another_is_not(scene: Scene) -> None:
    notices = scene.books.notices
    await scene.route(account(A))
    await notices.raise_concern(STOPPED, ABOUT_A, reason="auth-rejected")
    due = await _one(scene)
    await notices.said(due, after=24 * HOUR, notice=None)
    await scene.store.put(replace(message(1, A), id=f"c{due.concern.id}1-7-1-report-notice-x"))
    nobody = Hearing(None, due.now + 24 * HOUR)
    assert await notices.hearings({due.concern.id: f"c{due.concern.id}-"}) == {due.concern.id: nobody}
    await scene.advance(60)
    await scene.store.put(replace(message(2, A), id=f"c{due.concern.id}-7-1-report-notice-x"))
    heard = (await notices.hearings({due.concern.id: f"c{due.concern.id}-"}))[due.concern.id]
    assert heard.last_at == due.now + MINUTE


async def it_says_what_has_waited_longest_for_the_webhook_and_why(scene: Scene) -> None:
    notices = scene.books.notices
    await scene.route(account(A), account(B))
    assert await notices.unposted() is None
    for number, login in enumerate((A, B)):
        await notices.raise_concern(STOPPED, Subject("p", box(login)), reason="auth-rejected")
        await notices.said(await _one(scene), after=24 * HOUR, notice=f'{{"id":"{number}"}}')
    first, second = await notices.tellings(10)
    assert await notices.unposted() == Unposted('{"id":"0"}', None, 2)
    await notices.later(first.id, after=5 * HOUR, error="status-500")
    assert await notices.unposted() == Unposted('{"id":"0"}', "status-500", 2), "due or not"
    await notices.dead(first.id, error="status-410")
    assert await notices.unposted() == Unposted('{"id":"1"}', None), "who was given up is shown elsewhere"
    await notices.sent(second.id)
    assert await notices.unposted() is None


async def what_waits_for_a_webhook_that_works_again_is_due_at_once(scene: Scene) -> None:
    notices = scene.books.notices
    await scene.route(account(A))
    await notices.raise_concern(STOPPED, ABOUT_A, reason="auth-rejected")
    await notices.said(await _one(scene), after=24 * HOUR, notice="{}")
    (telling,) = await notices.tellings(10)
    await notices.later(telling.id, after=20 * HOUR, error="timeout")
    assert await notices.tellings(10) == []
    await notices.hurry()
    (again,) = await notices.tellings(10)
    assert (again.id, again.tries) == (telling.id, 1), "its tries are counted on"
    await notices.dead(telling.id, error="status-410")
    await notices.hurry()
    assert await notices.tellings(10) == [], "a dead letter stays one"


async def it_says_when_a_stopped_mailbox_is_tried_next(scene: Scene) -> None:
    await scene.route(account(A))
    await scene.mail(A, 1)
    (claim,) = await scene.work()
    await scene.end(claim, MAIL_REFUSED)
    await scene.books.notices.raise_concern(ConcernKind.FOREIGN_TRAFFIC, ABOUT_A)
    found = [due for due in await scene.books.notices.due(10) if due.concern.kind is ConcernKind.FOREIGN_TRAFFIC]
    (due,) = found
    assert due.next_try is not None
    assert due.next_try > due.now + SECOND


async def what_was_told_long_ago_is_forgotten_and_a_paid_term_not_before_it_is_over(scene: Scene) -> None:
    notices = scene.books.notices
    await scene.route(account(A))
    await notices.raise_concern(STOPPED, ABOUT_A, reason="auth-rejected")
    await notices.said(await _one(scene), after=24 * HOUR, notice="{}")
    (telling,) = await notices.tellings(10)
    await notices.dead(telling.id, error="status-404")
    await notices.lower_concern(STOPPED, ABOUT_A)
    await notices.looked((await _one(scene)).concern.id, after=None)
    term, reason = Subject(account=A), "30d-2027-03-01"
    assert await notices.raise_concern(ConcernKind.PAID_UNTIL, term, reason=reason, again_after=None)
    await notices.said(await _one(scene), after=None, notice=None)
    await scene.advance(91 * 24 * 3600)
    await scene.advance(60)
    assert await notices.dead_letters(10) == []
    assert not await notices.raise_concern(ConcernKind.PAID_UNTIL, term, reason=reason, again_after=None)
    await scene.advance(31 * 24 * 3600)
    await scene.advance(60)
    assert await notices.raise_concern(ConcernKind.PAID_UNTIL, term, reason=reason, again_after=None), (
        "nobody asks by then"
    )


async def _letter(scene: Scene, due: DueConcern, *, to: str = "owner@other.test", number: object = 1) -> None:
    """The word that is due is put on its way by mail, through another account."""
    tells = Letter(due.concern.id, due.words, address_key(to))
    await scene.mail(B, f"letter-{number}", kind=Kind.REPORT, tells=tells, lifetime=HOUR)


async def a_word_whose_mail_is_refused_was_not_said_and_is_due_once_more(scene: Scene) -> None:
    notices = scene.books.notices
    await scene.route(account(A), account(B))
    await notices.raise_concern(STOPPED, ABOUT_A, reason="auth-rejected")
    due = await _one(scene)
    await _letter(scene, due)
    assert await notices.said(due, after=24 * HOUR, notice="{}")
    await scene.restart()
    await scene.send_all(BOUNCED)
    again = await _one(scene)
    assert (again.told_at, again.words) == (None, 0)
    assert refused_at(again.concern.detail, again.now) == {address_key("owner@other.test")}
    assert await notices.said(again, after=24 * HOUR, notice="{}"), "to somebody else"
    assert len(await notices.tellings(10)) == 1, "the webhook heard of it the first time"


async def a_word_whose_mail_arrives_stays_said(scene: Scene) -> None:
    notices = scene.books.notices
    await scene.route(account(A), account(B))
    await notices.raise_concern(STOPPED, ABOUT_A, reason="auth-rejected")
    due = await _one(scene)
    await _letter(scene, due)
    await notices.said(due, after=24 * HOUR, notice="{}")
    await scene.send_all()
    assert await notices.due(10) == []


async def a_mail_that_is_refused_before_its_word_is_written_down_is_not_overlooked(scene: Scene) -> None:
    notices = scene.books.notices
    await scene.route(account(A), account(B))
    await notices.raise_concern(STOPPED, ABOUT_A, reason="auth-rejected")
    due = await _one(scene)
    await _letter(scene, due)
    await scene.send_all(BOUNCED)
    assert not await notices.said(due, after=24 * HOUR, notice="{}")
    assert (await _one(scene)).words == 0


async def a_reminder_that_does_not_leave_in_its_time_is_due_at_once(scene: Scene) -> None:
    notices = scene.books.notices
    await scene.route(account(A), account(B))
    await notices.raise_concern(STOPPED, ABOUT_A, reason="auth-rejected")
    await notices.said(await _one(scene), after=24 * HOUR, notice=None)
    await scene.advance(24 * 3600)
    due = await _one(scene)
    await _letter(scene, due)
    await notices.said(due, after=24 * HOUR, notice=None)
    await scene.advance(3601)
    await scene.take()
    again = await _one(scene)
    assert again.words == 1
    assert again.now - (again.told_at or 0) >= 24 * HOUR


async def of_an_end_that_does_not_arrive_nobody_hears_again(scene: Scene) -> None:
    notices = scene.books.notices
    await scene.route(account(A), account(B))
    await notices.raise_concern(STOPPED, ABOUT_A, reason="network")
    await notices.said(await _one(scene), after=24 * HOUR, notice=None)
    await notices.lower_concern(STOPPED, ABOUT_A)
    due = await _one(scene)
    await _letter(scene, due)
    await notices.said(due, after=None, notice=None)
    await scene.send_all(BOUNCED)
    assert await notices.due(10) == []


async def a_bounce_of_which_nobody_could_be_told_is_told_to_ops(scene: Scene) -> None:
    await scene.route(account(A))
    await scene.mail(A, 1)
    await scene.send_all(BOUNCED)
    (entry,) = await scene.store.outbox(10)
    await scene.store.give_up(entry.id)
    due = await _one(scene)
    assert (due.concern.kind, due.concern.reason) == (ConcernKind.UNSENDABLE, NoRoad.BOUNCE_UNTOLD)
    assert due.concern.subject == Subject(mailbox=box(A))
