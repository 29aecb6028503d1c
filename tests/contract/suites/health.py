"""How a mailbox that fails is spared, tried again and let go: refused logins, too fast, too much, spam, policy.

Law: the same for every adapter, over a crash too; nothing here is about another mailbox than the one that failed.
"""

from dataclasses import replace

from relay.core.envelope import Claim, Kind, LoginFailure, Result, Verdict
from relay.core.limits import Limit
from relay.core.reply import Reply
from relay.core.words import Stage
from relay.store.ports.sessions import SessionEvent
from tests.contract.scene import (
    ADDRESS_BLOCKED,
    AUTH_LATER,
    AUTH_REFUSED,
    BOUNCED,
    DELIVERED,
    HOUR,
    MINUTE,
    NODE,
    NOT_NOW,
    SECOND,
    A,
    B,
    Scene,
    account,
    box,
    message,
    numbers,
    provider,
    result,
)

TOO_FAST = result(Verdict.DEFERRED, "rate-limited", stage=Stage.MAIL, reply=Reply(450, "4.7.1", "too fast"))
TOO_MUCH = result(Verdict.DEFERRED, "quota-exceeded", stage=Stage.MAIL, reply=Reply(550, "5.4.5", "daily limit"))
SPAM = result(Verdict.BOUNCED, "spam-blocked", reply=Reply(554, "5.7.1", "spam"))
POLICY = result(Verdict.BOUNCED, "policy-refused", reply=Reply(550, "5.7.26", "DMARC"), is_read=True)
CUT = result(Verdict.DEFERRED, "network", stage=Stage.DATA, reply=None, is_end_known=False)


async def _wanted(scene: Scene) -> int:
    """How many logins of the mailbox are asked for now."""
    return (await scene.store.take(NODE, {}, 100)).open.get(box(A), 0)


async def _refuse(scene: Scene, failure: LoginFailure = AUTH_REFUSED) -> None:
    """The one login that is asked for fails."""
    assert await _wanted(scene) == 1
    await scene.store.refused(box(A), failure)


async def _worked_before(scene: Scene, *waiting: object) -> None:
    """A mailbox whose login has worked, without a session now, and with mail."""
    await scene.route(account(A), providers=[provider(connections=5)])
    await scene.mail(A, "before")
    await scene.send_all()
    while scene.sessions[box(A)]:
        await scene.close(box(A))
    await scene.mail(A, *waiting)


async def _health(scene: Scene) -> tuple[str, str | None]:
    view = await scene.store.account(A)
    assert view is not None
    return view.health, view.reason


# refused logins


async def a_password_that_worked_is_tried_once_more_after_five_minutes_and_then_hourly_at_most(scene: Scene) -> None:
    await _worked_before(scene, 1, 2)
    await _refuse(scene)
    assert await _health(scene) == ("doubted", "auth-rejected")
    for pause, state in ((5 * 60, "paused"), (3600, "paused"), (6 * 3600, "paused"), (24 * 3600, "paused")):
        await scene.advance(pause - 1)
        assert await _wanted(scene) == 0, f"before {pause} s"
        await scene.advance(1)
        await _refuse(scene)
        assert await _health(scene) == (state, "auth-rejected")


async def one_wrong_answer_of_the_provider_stops_nobody(scene: Scene) -> None:
    await _worked_before(scene, 1, 2)
    await _refuse(scene)
    await scene.advance(5 * 60)
    assert numbers(await scene.work()) == ["m-1", "m-2"]
    assert await _health(scene) == ("ok", None)


async def a_password_that_never_worked_is_not_tried_again_in_five_minutes(scene: Scene) -> None:
    await scene.route(account(A))
    await scene.mail(A, 1)
    await _refuse(scene)
    await scene.advance(3599)
    assert await _wanted(scene) == 0
    await scene.advance(1)
    assert await _wanted(scene) == 1


async def no_more_refused_logins_than_the_limit_says_even_over_a_restart(scene: Scene) -> None:
    scene = scene.under(health=replace(scene.settings.health, refused_logins=Limit(2, HOUR), login=(MINUTE,)))
    await scene.route(account(A))
    await scene.mail(A, 1)
    await _refuse(scene)
    await scene.advance(60)
    await scene.restart()
    await _refuse(scene)
    await scene.restart()
    await scene.advance(3600 - 60)
    assert await _wanted(scene) == 0, "the first one still counts in the closed hour"
    await scene.advance(0.000001)
    assert await _wanted(scene) == 1


async def logins_that_work_do_not_count_as_refused(scene: Scene) -> None:
    scene = scene.under(health=replace(scene.settings.health, refused_logins=Limit(1, HOUR)))
    await scene.route(account(A))
    for number in range(3):
        await scene.mail(A, number)
        await scene.send_all()
        await scene.close(box(A))


async def only_as_many_are_tried_at_one_time_as_may_be_refused(scene: Scene) -> None:
    scene = scene.under(health=replace(scene.settings.health, refused_logins=Limit(2, HOUR)))
    await _worked_before(scene, *range(9))
    assert await _wanted(scene) == 1, "while none is open, one shows whether the password is still right"
    await scene.open(box(A))
    assert await _wanted(scene) == 2


async def a_new_secret_is_tried_at_once_outside_every_budget(scene: Scene) -> None:
    scene = scene.under(health=replace(scene.settings.health, refused_logins=Limit(1, HOUR)))
    tight = provider(login_limit=Limit(1, HOUR))
    await scene.route(account(A), providers=[tight])
    await scene.mail(A, 1)
    await _refuse(scene)
    assert await _wanted(scene) == 0
    await scene.route(account(A), providers=[tight], credentials={A: "second"})
    await _refuse(scene)
    assert await _wanted(scene) == 0, "that one was free; the next is not"


async def while_logins_are_refused_for_now_open_sessions_go_on(scene: Scene) -> None:
    await scene.route(account(A), providers=[provider(connections=2)])
    await scene.mail(A, 1, 2)
    await scene.open(box(A), await _wanted(scene))
    assert await _wanted(scene) == 1, "now that it is proven"
    await scene.store.refused(box(A), AUTH_LATER)
    assert numbers(await scene.work()) == ["m-1"]
    for claim in list(scene.running):
        await scene.send(claim)
    assert numbers(await scene.work()) == ["m-2"]
    for claim in list(scene.running):
        await scene.send(claim)
    await scene.close(box(A))
    await scene.mail(A, 3)
    assert await _wanted(scene) == 0
    await scene.advance(5 * 60)
    assert await _wanted(scene) == 1


# too fast, too much


async def _too(scene: Scene, outcome: Result, *limits: str) -> Claim:
    """One of three mails is refused in the name of the mailbox."""
    await scene.route(account(A), account(B), providers=[provider("p", *limits)])
    await scene.mail(A, 1, 2, 3)
    (claim,) = await scene.work(1)
    await scene.end(claim, outcome)
    return claim


async def too_fast_keeps_the_place_and_the_tries_of_its_mail_and_waits_twenty_minutes(scene: Scene) -> None:
    await _too(scene, TOO_FAST)
    assert await _health(scene) == ("waiting", "rate-limited")
    await scene.advance(20 * 60 - 1)
    assert await scene.work() == []
    await scene.advance(1)
    (probe,) = await scene.work()
    assert (probe.message, probe.tries, probe.is_probe) == ("m-1", 0, True)


async def the_provider_s_own_hint_is_obeyed(scene: Scene) -> None:
    await _too(scene, replace(TOO_FAST, retry_after=7 * MINUTE))
    await scene.advance(7 * 60 - 1)
    assert await scene.work() == []
    await scene.advance(1)
    assert len(await scene.work()) == 1


async def the_longest_window_of_an_hour_or_less_is_waited_out(scene: Scene) -> None:
    await _too(scene, TOO_FAST, "500/40m", "900/3h")
    await scene.advance(40 * 60 - 1)
    assert await scene.work() == []
    await scene.advance(1)
    assert len(await scene.work()) == 1


async def who_was_too_fast_goes_on_at_half_the_pace_over_a_crash_too(scene: Scene) -> None:
    await _too(scene, TOO_FAST, "8/m")
    await scene.advance(20 * 60)
    assert await scene.send_all() == ["m-1", "m-2", "m-3"]
    assert await _health(scene) == ("slowed", "rate-limited")
    await scene.restart()
    await scene.advance(90)
    await scene.mail(A, *range(10, 30))
    assert len(await scene.send_all()) == 4
    assert await _health(scene) == ("slowed", "limit")


async def the_pace_is_eased_step_by_step_after_clean_times(scene: Scene) -> None:
    await _too(scene, TOO_FAST, "8/m")
    await scene.advance(20 * 60)
    (probe,) = await scene.work()
    await scene.end(probe, TOO_FAST)
    await scene.advance(20 * 60)
    assert len(await scene.send_all()) == 2, "a quarter of eight"
    await scene.advance(20 * 60)
    await scene.mail(A, *range(10, 40))
    assert len(await scene.send_all()) == 4, "a half, from the first that goes through"
    await scene.advance(20 * 60)
    assert len(await scene.send_all()) == 8
    assert (await _health(scene))[0] == "ok"


async def what_was_under_way_ends_no_wait(scene: Scene) -> None:
    await scene.route(account(A))
    await scene.mail(A, 1, 2, 3, 4)
    first, second, third, _ = await scene.work()
    await scene.end(first, TOO_FAST)
    await scene.send(second)
    await scene.end(third, TOO_FAST)
    await scene.mail(A, 5)
    assert await scene.work() == []
    view = await scene.store.account(A)
    assert view is not None
    assert view.health == "waiting"


async def a_quota_is_probed_hourly_also_after_a_crash(scene: Scene) -> None:
    await _too(scene, TOO_MUCH)
    for _ in range(3):
        await scene.restart()
        await scene.advance(3599)
        assert await scene.work() == []
        await scene.advance(1)
        (probe,) = await scene.work()
        assert probe.is_probe
        await scene.end(probe, TOO_MUCH)
    assert await _health(scene) == ("waiting", "quota-exceeded")


async def a_calendar_s_quota_ends_with_the_provider_s_day(scene: Scene) -> None:
    await scene.route(account(A), providers=[provider("p", "900/calendar-day", timezone="Europe/Rome")])
    day = 24 * HOUR
    ends = day - (scene.store.now() + HOUR) % day + 5 * MINUTE
    await scene.advance(ends / SECOND - 600)
    await scene.mail(A, 1, 2)
    (claim,) = await scene.work(1)
    await scene.end(claim, TOO_MUCH)
    await scene.advance(599)
    assert await scene.work() == []
    await scene.advance(1)
    assert len(await scene.work()) == 1


async def a_broken_line_does_not_make_a_quota_forgotten(scene: Scene) -> None:
    await _too(scene, TOO_MUCH)
    await scene.advance(3600)
    (probe,) = await scene.work()
    await scene.end(probe, CUT)
    while scene.sessions[box(A)]:
        await scene.close(box(A))
    await scene.advance(60)
    assert await _wanted(scene) == 0
    assert await _health(scene) == ("waiting", "quota-exceeded")


async def a_refusal_for_now_of_the_sender_spends_no_try(scene: Scene) -> None:
    await _too(scene, NOT_NOW)
    await scene.advance(5 * 60)
    (probe,) = await scene.work()
    assert (probe.message, probe.tries, probe.is_probe) == ("m-1", 0, True)


# messages that are more than a message


async def _one_by_one(scene: Scene, outcome: Result, *recipients: str, kind: Kind = Kind.MAIL) -> None:
    for number, recipient in enumerate(recipients):
        await scene.store.put(message(f"{recipient}-{number}", A, recipient, client=f"client-{number}", kind=kind))
        (claim,) = await scene.work()
        await scene.send(claim, outcome)


async def mail_taken_for_spam_slows_the_mailbox_the_second_time_and_stops_it_the_third(scene: Scene) -> None:
    await scene.route(account(A), providers=[provider("p", "8/m")])
    await _one_by_one(scene, SPAM, "a@x.test")
    assert await _health(scene) == ("ok", None)
    await _one_by_one(scene, SPAM, "b@x.test")
    assert await _health(scene) == ("slowed", "spam-blocked")
    await scene.advance(61)
    await _one_by_one(scene, SPAM, "c@x.test")
    assert await _health(scene) == ("paused", "spam-blocked")
    await scene.mail(A, 1)
    await scene.advance(24 * 3600 - 1)
    assert await scene.work() == []
    await scene.advance(1)
    (probe,) = await scene.work()
    await scene.send(probe, SPAM)
    assert await _health(scene) == ("paused", "spam-blocked"), "after that one is enough"


async def a_report_that_is_taken_for_spam_is_no_message_of_its_doctor(scene: Scene) -> None:
    await scene.route(account(A), providers=[provider("p", "8/m")])
    await _one_by_one(scene, SPAM, "a@x.test")
    await _one_by_one(scene, SPAM, "a-report@x.test", kind=Kind.REPORT)
    await _one_by_one(scene, SPAM, "another-report@x.test", kind=Kind.REPORT)
    assert await _health(scene) == ("ok", None)
    await _one_by_one(scene, SPAM, "b@x.test")
    assert await _health(scene) == ("slowed", "spam-blocked")
    await scene.advance(61)
    await _one_by_one(scene, SPAM, "a-third-report@x.test", kind=Kind.REPORT)
    assert await _health(scene) == ("slowed", "spam-blocked")


async def one_message_that_two_sessions_carry_is_taken_for_spam_once(scene: Scene) -> None:
    await scene.route(account(A), providers=[provider(connections=2)])
    await scene.store.put(message("letter", A, "a@x.test", "b@x.test"))
    both = await scene.work()
    assert len(both) == 2
    for claim in both:
        await scene.send(claim, SPAM)
    assert await _health(scene) == ("ok", None)


async def what_was_taken_for_spam_is_not_sent_in_the_same_bytes_again(scene: Scene) -> None:
    await scene.route(account(A))
    await scene.store.put(message(1, A, "a@x.test", "b@x.test", "c@x.test"))
    await scene.store.put(message(2, A, "d@x.test"))
    (claim,) = await scene.work(1)
    await scene.send(claim, SPAM)
    outbox = await scene.store.outbox(10)
    assert [(entry.message, entry.reason) for entry in outbox] == [("m-1", "spam-blocked")] * 3
    assert {entry.envelope.recipients[0].address for entry in outbox} == {"a@x.test", "b@x.test", "c@x.test"}
    assert numbers(await scene.work()) == ["m-2"]


async def spam_in_different_hours_is_no_habit(scene: Scene) -> None:
    await scene.route(account(A))
    for number in range(4):
        await _one_by_one(scene, SPAM, f"{number}@x.test")
        await scene.advance(3601)
    assert await _health(scene) == ("ok", None)


async def three_domains_that_refuse_by_policy_pause_the_mailbox(scene: Scene) -> None:
    await scene.route(account(A))
    await _one_by_one(scene, POLICY, "a@x.test", "b@x.test", "c@X.test", "d@y.test")
    assert await _health(scene) == ("ok", None)
    await _one_by_one(scene, POLICY, "e@z.test")
    assert await _health(scene) == ("paused", "policy-refused")


async def a_line_that_breaks_for_one_message_alone_is_that_message_s(scene: Scene) -> None:
    await scene.route(account(A))
    await scene.mail(A, 1)
    (claim,) = await scene.work()
    await scene.end(claim, CUT)
    assert await _health(scene) == ("waiting", "network")
    await scene.mail(A, 2)
    await scene.advance(10)
    (probe,) = await scene.work()
    await scene.send(probe, DELIVERED)
    await scene.advance(300)
    (again,) = await scene.work()
    assert again.message == "m-1"
    await scene.end(again, CUT)
    assert (await _health(scene))[0] == "ok"
    await scene.mail(A, 3)
    assert numbers(await scene.work()) == ["m-3"]


async def a_recipient_s_refusal_is_nobody_else_s(scene: Scene) -> None:
    await scene.route(account(A))
    await _one_by_one(scene, BOUNCED, "a@x.test", "b@y.test", "c@z.test", "d@w.test")
    assert await _health(scene) == ("ok", None)


# an address that is blocked


async def where_this_machine_is_not_wanted_nobody_logs_in_before_a_knock_is_answered(scene: Scene) -> None:
    await scene.route(account(A), account(B))
    await scene.mail(A, 1)
    await scene.mail(B, 2)
    opened = (await scene.store.take(NODE, {}, 10)).open
    for mailbox in opened:
        await scene.store.refused(mailbox, ADDRESS_BLOCKED)
    for pause in (30 * 60, 3600, 3600):
        await scene.advance(pause - 1)
        assert (await scene.store.take(NODE, {}, 10)).open == {}
        await scene.advance(1)
        taken = await scene.store.take(NODE, {}, 10)
        (knocker,) = taken.open
        assert taken.knock == {knocker}, "one, and it says no AUTH"
        await scene.store.refused(knocker, ADDRESS_BLOCKED)
    await scene.advance(3600)
    (knocker,) = (await scene.store.take(NODE, {}, 10)).knock
    await scene.store.session(knocker, SessionEvent.KNOCKED)
    taken = await scene.store.take(NODE, {}, 10)
    assert (set(taken.open), taken.knock) == ({box(A), box(B)}, frozenset())
