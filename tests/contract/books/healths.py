"""What became of mailboxes and providers, and what a person's word changes: kept, and obeyed."""

from dataclasses import replace

import pytest

from relay.core.concerns import ConcernKind
from relay.core.envelope import Kind, Result, Verdict
from relay.core.health import HealthEvent, HealthState
from relay.core.reply import Reply
from relay.core.words import Stage
from relay.errors import UnknownAccount
from tests.contract.scene import (
    ADDRESS_BLOCKED,
    AUTH_REFUSED,
    HOST_DOWN,
    HOST_UNTRUSTED,
    HOUR,
    MAIL_REFUSED,
    NODE,
    NOT_UNDERSTOOD,
    SECOND,
    A,
    B,
    Scene,
    account,
    box,
    numbers,
    provider,
    result,
)

TOO_FAST = result(
    Verdict.DEFERRED, "rate-limited", stage=Stage.MAIL, reply=Reply(450, "4.7.1", "too fast for <address>")
)


async def _stop(scene: Scene, outcome: Result, number: object = 1) -> None:
    """A mailbox is stopped by how an attempt ended."""
    await scene.route(account(A))
    await scene.mail(A, number)
    (claim,) = await scene.work()
    await scene.end(claim, outcome)


async def each_change_is_kept_with_when_why_and_what_was_said(scene: Scene) -> None:
    await _stop(scene, TOO_FAST)
    stopped_at = scene.harness.store.now()
    await scene.advance(20 * 60)
    (probe,) = await scene.work()
    await scene.send(probe)
    works, stopped = await scene.books.healths.of_mailbox(box(A))
    assert (stopped.state, stopped.reason, stopped.cause) == (
        HealthState.WAITING, "rate-limited", HealthEvent.RATE_LIMITED,
    )  # fmt: skip
    assert (stopped.reply, stopped.slow, stopped.by) == ("450 4.7.1 too fast for <address>", 2, None)
    assert (works.state, works.slow) == (HealthState.SLOWED, 2)
    assert works.at - stopped.at == scene.harness.store.now() - stopped_at


async def a_probe_that_fails_once_more_is_no_news(scene: Scene) -> None:
    await _stop(scene, MAIL_REFUSED)
    await scene.advance(24 * 3600)
    (probe,) = await scene.work()
    await scene.end(probe, MAIL_REFUSED)
    assert len(await scene.books.healths.of_mailbox(box(A))) == 1


async def a_provider_has_a_history_of_its_own(scene: Scene) -> None:
    await scene.route(account(A))
    await scene.mail(A, 1)
    await scene.store.take(NODE, {}, 10)
    await scene.store.refused(box(A), HOST_UNTRUSTED)
    (change,) = await scene.books.healths.of_provider("p")
    assert (change.state, change.reason, change.reply) == (HealthState.PAUSED, "tls-untrusted", None)
    assert await scene.books.healths.of_mailbox(box(A)) == []
    assert await scene.books.healths.of_provider("q") == []


async def history_is_given_newest_first_and_bounded(scene: Scene) -> None:
    await scene.route(account(A))
    await scene.mail(A, 1)
    for _ in range(3):
        await scene.store.take(NODE, {}, 10)
        await scene.store.refused(box(A), HOST_DOWN)
        await scene.advance(3600)
        await scene.log_in()
        for _ in range(scene.sessions[box(A)]):
            await scene.close(box(A))
    history = await scene.books.healths.of_provider("p", most=5)
    assert [change.state.value for change in history] == ["ok", "waiting", "ok", "waiting", "ok"]
    assert [change.at for change in history] == sorted((change.at for change in history), reverse=True)


async def history_outlives_a_crash_and_ends_after_a_quarter_of_a_year(scene: Scene) -> None:
    await _stop(scene, TOO_FAST)
    await scene.restart()
    assert len(await scene.books.healths.of_mailbox(box(A))) == 1
    await scene.harness.advance(91 * 24 * HOUR / SECOND)
    await scene.store.heartbeat(NODE)
    await scene.store.heartbeat(NODE)
    assert await scene.books.healths.of_mailbox(box(A)) == []


# "fixed"


async def what_somebody_mended_is_tried_at_once_with_one_probe(scene: Scene) -> None:
    await _stop(scene, MAIL_REFUSED)
    await scene.mail(A, 2, 3)
    assert await scene.work() == []
    assert await scene.books.control.fixed(A, by="anna")
    (probe,) = await scene.work()
    assert probe.is_probe
    await scene.send(probe)
    assert numbers(await scene.work()) == ["m-2", "m-3"]


async def who_said_so_is_kept(scene: Scene) -> None:
    await _stop(scene, MAIL_REFUSED)
    await scene.books.control.fixed(A, by="anna")
    fixed, stopped = await scene.books.healths.of_mailbox(box(A))
    assert (fixed.by, fixed.cause, fixed.state) == ("anna", HealthEvent.FIXED, HealthState.PAUSED)
    assert stopped.by is None


async def a_word_that_was_wrong_costs_one_login_inside_the_budget(scene: Scene) -> None:
    await scene.route(account(A))
    await scene.mail(A, 1)
    for number in range(3):
        assert (await scene.store.take(NODE, {}, 10)).open == {box(A): 1}
        await scene.store.refused(box(A), AUTH_REFUSED)
        assert await scene.books.control.fixed(A), f"after {number + 1} refusals"
        await scene.advance(300)
    assert (await scene.store.take(NODE, {}, 10)).open == {}, "three within the hour are enough"


async def who_says_so_again_and_again_gets_one_try_in_five_minutes(scene: Scene) -> None:
    await scene.route(account(A))
    await scene.mail(A, 1)
    assert (await scene.store.take(NODE, {}, 10)).open == {box(A): 1}
    await scene.store.refused(box(A), AUTH_REFUSED)
    await scene.books.control.fixed(A)
    assert (await scene.store.take(NODE, {}, 10)).open == {box(A): 1}
    await scene.store.refused(box(A), AUTH_REFUSED)
    begun = scene.store.now()
    for _ in range(5):
        assert await scene.books.control.fixed(A)
        assert (await scene.store.take(NODE, {}, 10)).open == {}
        await scene.advance(1)
    await scene.advance_to(begun + 300 * SECOND - 1)
    assert (await scene.store.take(NODE, {}, 10)).open == {}
    await scene.advance_to(begun + 300 * SECOND)
    assert (await scene.store.take(NODE, {}, 10)).open == {box(A): 1}


async def a_provider_that_lifted_its_block_is_knocked_at_once_and_not_again_within_five_minutes(scene: Scene) -> None:
    await scene.route(account(A), account(B))
    await scene.mail(A, 1)
    await scene.mail(B, 2)
    for mailbox in (await scene.store.take(NODE, {}, 10)).open:
        await scene.store.refused(mailbox, ADDRESS_BLOCKED)
    assert (await scene.store.take(NODE, {}, 10)).open == {}
    await scene.books.control.fixed(A, by="anna")
    taken = await scene.store.take(NODE, {}, 10)
    (knocker,) = taken.open
    assert taken.knock == {knocker}, "one, and it says no AUTH"
    await scene.store.refused(knocker, ADDRESS_BLOCKED)
    await scene.books.control.fixed(B)
    assert (await scene.store.take(NODE, {}, 10)).open == {}, "whoever says it, of whichever account"
    await scene.advance(300)
    assert len((await scene.store.take(NODE, {}, 10)).knock) == 1


async def what_was_held_by_itself_for_what_he_mended_goes_back_to_its_place(scene: Scene) -> None:
    await scene.route(account(A))
    await scene.mail(A, 1, 2)
    claims = await scene.work()
    for claim in claims:
        await scene.end(claim, NOT_UNDERSTOOD)
    assert await scene.work() == []
    assert await scene.books.control.fixed(A)
    assert numbers(await scene.work()) == ["m-1", "m-2"]


async def what_waits_for_a_time_is_the_probe_where_nothing_else_is(scene: Scene) -> None:
    await scene.route(account(A))
    await scene.mail(A, 1)
    (claim,) = await scene.work()
    await scene.end(claim, result(Verdict.DEFERRED, "network", stage=Stage.DATA, reply=None, is_end_known=False))
    assert await scene.books.control.fixed(A)
    assert numbers(await scene.work()) == ["m-1"]


async def a_mailbox_that_works_has_nothing_to_mend(scene: Scene) -> None:
    await scene.route(account(A))
    await scene.mail(A, 1)
    await scene.send_all()
    assert not await scene.books.control.fixed(A)
    with pytest.raises(UnknownAccount):
        await scene.books.control.fixed(B)


async def a_block_is_waited_out_as_long_as_its_profile_says(scene: Scene) -> None:
    known = replace(scene.settings.health, block_times={"register": 2 * HOUR})
    scene = scene.under(health=known)
    await scene.route(account(A), providers=[provider("p", profile="register")])
    await scene.mail(A, 1)
    (claim,) = await scene.work()
    await scene.end(claim, result(Verdict.HELD, "account-blocked", stage=Stage.MAIL, reply=Reply(550, None, "stop")))
    await scene.advance(2 * 3600 - 1)
    assert await scene.work() == []
    await scene.advance(1)
    assert len(await scene.work()) == 1


# who hears of it


async def _concerns(scene: Scene) -> list[tuple[ConcernKind, str | None, bool]]:
    """What somebody has to know of, and whether it is over."""
    found = await scene.books.notices.concerns(10)
    return [(each.kind, each.reason, each.closed_at is not None) for each in found]


async def a_doubt_is_nobody_s_concern_and_a_pause_is(scene: Scene) -> None:
    await scene.route(account(A))
    await scene.mail(A, 1)
    await scene.send_all()
    await scene.close(box(A))
    await scene.mail(A, 2)
    await scene.store.take(NODE, {}, 10)
    await scene.store.refused(box(A), AUTH_REFUSED)
    assert await _concerns(scene) == []
    await scene.advance(5 * 60)
    await scene.store.take(NODE, {}, 10)
    await scene.store.refused(box(A), AUTH_REFUSED)
    assert await _concerns(scene) == [(ConcernKind.MAILBOX_STOPPED, "auth-rejected", False)]
    await scene.advance(3600)
    assert await scene.send_all() == ["m-2"]
    assert [each for each in await _concerns(scene) if not each[2]] == []


async def what_passes_is_told_when_it_has_lasted_an_hour(scene: Scene) -> None:
    await _stop(scene, TOO_FAST)
    assert await _concerns(scene) == []
    for _ in range(3):
        await scene.advance(20 * 60)
        (probe,) = await scene.work()
        await scene.end(probe, TOO_FAST)
    assert await _concerns(scene) == [(ConcernKind.MAILBOX_STOPPED, "rate-limited", False)]


async def a_quota_is_told_at_once(scene: Scene) -> None:
    await _stop(scene, result(Verdict.DEFERRED, "quota-exceeded", stage=Stage.MAIL, reply=Reply(550, "5.4.5", "day")))
    assert await _concerns(scene) == [(ConcernKind.MAILBOX_STOPPED, "quota-exceeded", False)]


async def a_report_of_the_relay_that_is_taken_for_spam_is_nothing_to_tell_of(scene: Scene) -> None:
    await scene.route(account(A))
    await scene.mail(A, 1, kind=Kind.REPORT)
    (claim,) = await scene.work()
    await scene.send(claim, result(Verdict.BOUNCED, "spam-blocked", reply=Reply(554, "5.7.1", "spam")))
    assert await scene.books.notices.due(10) == []


async def a_mail_taken_for_spam_is_told_once_a_day_for_each_mailbox(scene: Scene) -> None:
    await scene.route(account(A))
    for number in range(2):
        await scene.mail(A, number)
        (claim,) = await scene.work()
        await scene.send(claim, result(Verdict.BOUNCED, "spam-blocked", reply=Reply(554, "5.7.1", "spam")))
    due = await scene.books.notices.due(10)
    assert [each.concern.kind for each in due].count(ConcernKind.SPAM_BLOCKED) == 1


async def of_a_mail_taken_for_spam_it_is_known_which_it_was_and_where_it_went(scene: Scene) -> None:
    await scene.route(account(A))
    for number in range(3):
        await scene.mail(A, number)
        (claim,) = await scene.work()
        await scene.send(claim, result(Verdict.BOUNCED, "spam-blocked", reply=Reply(554, "5.7.1", "spam")))
    found = {each.concern.kind: each.concern.detail for each in await scene.books.notices.due(10)}
    for kind, message in ((ConcernKind.SPAM_BLOCKED, "m-0"), (ConcernKind.MAILBOX_STOPPED, "m-2")):
        assert (found[kind]["message"], found[kind]["domain"]) == (message, "example.test")
        assert "paziente" not in str(found[kind]).lower()
