"""Whose trouble it is: what several mailboxes meet is not theirs, and what one meets is nobody else's.

Law: the innocent do not wait; who is acquitted is as if nothing had been; what is kept back goes out once.
"""

from dataclasses import replace

from relay.core.envelope import Kind, LoginFailure, Result, Verdict
from relay.core.limits import Limit
from relay.core.reply import Reply
from relay.core.words import AccountId, MailboxId, Stage
from relay.store.ports import OutboxEntry
from relay.store.ports.sessions import SessionEvent
from tests.contract.scene import (
    AUTH_REFUSED,
    BOUNCED,
    DELIVERED,
    GUESSED,
    HOUR,
    IN_DOUBT,
    NODE,
    A,
    B,
    C,
    Scene,
    account,
    box,
    message,
    numbers,
    provider,
    result,
)

D, E, F = "d@studio.test", "e@studio.test", "f@studio.test"
CUT = result(Verdict.DEFERRED, "network", stage=Stage.DATA, reply=None, is_end_known=False)
HUNG_UP = LoginFailure("network", Stage.AUTH, None, is_provider=False, is_login_sent=True)
METHOD = LoginFailure(
    "auth-method", Stage.AUTH, Reply(535, "5.7.139", "disabled"), is_provider=False, is_login_sent=True
)


async def _wanted(scene: Scene) -> list[MailboxId]:
    """Whose logins are asked for now."""
    return sorted((await scene.store.take(NODE, {}, 100)).open)


async def _health(scene: Scene, sender: AccountId) -> tuple[str, str | None]:
    view = await scene.store.account(sender)
    assert view is not None
    return view.health, view.reason


async def _are_well(scene: Scene, *senders: AccountId) -> bool:
    """Whether nothing is wrong with their mailboxes, whatever keeps their mail back."""
    return all([(await _health(scene, each))[0] == "ok" for each in senders])


async def _host(scene: Scene, name: str = "p") -> tuple[str, str | None]:
    (view,) = [each for each in await scene.store.providers() if each.provider == name]
    return view.health, view.reason


async def _state(scene: Scene, number: object) -> str:
    view = await scene.store.message(f"m-{number}")
    assert view is not None
    return view.state


async def _worked(scene: Scene, *senders: AccountId, waiting: int = 1) -> None:
    """Mailboxes that were let in, have no session now, and have a mail each that waits."""
    for sender in senders:
        await scene.mail(sender, f"before-{sender[0]}-{waiting}")
    await scene.send_all()
    await _close_all(scene)
    for sender in senders:
        await scene.mail(sender, f"{sender[0]}-{waiting}")


async def _close_all(scene: Scene) -> None:
    for mailbox, many in list(scene.sessions.items()):
        for _ in range(many):
            await scene.close(mailbox)


async def _refuse(scene: Scene, *senders: AccountId, failure: LoginFailure = AUTH_REFUSED) -> None:
    """One login of each is asked for, and refused; others that are asked for are not tried yet."""
    wanted = await _wanted(scene)
    assert {*wanted} >= {*map(box, senders)}, wanted
    for mailbox in wanted:
        if mailbox.username not in senders:
            await scene.store.session(mailbox, SessionEvent.DECLINED)
    for sender in senders:
        await scene.store.refused(box(sender), failure)


# logins


async def three_that_worked_and_are_refused_are_not_paused_and_others_do_not_wait(scene: Scene) -> None:
    await scene.route(account(A), account(B), account(C), account(D, "q"))
    await _worked(scene, A, B, C)
    await _refuse(scene, A, B, C)
    assert await _are_well(scene, A, B, C)
    assert await _host(scene) == ("waiting", "auth-outage")
    await scene.mail(D, "d-1")
    assert await _wanted(scene) == [box(D, "q")], "logins stop at that provider alone"
    await scene.open(box(D, "q"))
    assert await scene.send_all() == ["m-d-1"]


async def in_an_outage_of_logins_those_that_worked_take_turns_to_probe(scene: Scene) -> None:
    await scene.route(account(A), account(B), account(C))
    await _worked(scene, A, B, C)
    await _refuse(scene, A, B, C)
    probing = []
    for minutes in (5, 15, 30, 60, 60):
        await scene.advance(minutes * 60 - 1)
        assert await _wanted(scene) == []
        await scene.advance(1)
        (prober,) = await _wanted(scene)
        probing.append(prober)
        await scene.store.refused(prober, AUTH_REFUSED)
        assert await _wanted(scene) == []
    assert len({*probing[:3]}) == 3, "each in its turn"
    assert await _are_well(scene, A, B, C)
    await scene.advance(3600)
    assert sorted(await scene.send_all()) == ["m-a-1", "m-b-1", "m-c-1"]
    assert await _host(scene) == ("ok", None)


async def a_login_that_had_begun_before_shows_nothing_against_an_outage(scene: Scene) -> None:
    await scene.route(account(A), account(B), account(C), account(D))
    await _worked(scene, A, B, C, D)
    wanted = await _wanted(scene)
    assert len(wanted) == 4
    for sender in (A, B, C):
        await scene.store.refused(box(sender), AUTH_REFUSED)
    await scene.open(box(D))
    assert await _host(scene) == ("waiting", "auth-outage")
    assert await scene.send_all() == ["m-d-1"], "but it is used"


async def probes_in_an_outage_count_in_no_budget_of_refused_logins(scene: Scene) -> None:
    scene = scene.under(health=replace(scene.settings.health, refused_logins=Limit(1, 24 * HOUR)))
    await scene.route(account(A), account(B), account(C))
    await _worked(scene, A, B, C)
    await _refuse(scene, A, B, C)
    for minutes in (5, 15, 30, 60):
        await scene.advance(minutes * 60)
        (prober,) = await _wanted(scene)
        await scene.store.refused(prober, AUTH_REFUSED)
    await scene.advance(3600)
    assert sorted(await scene.send_all()) == ["m-a-1", "m-b-1", "m-c-1"]


async def an_outage_of_logins_outlasts_a_crash(scene: Scene) -> None:
    await scene.route(account(A), account(B), account(C))
    await _worked(scene, A, B, C)
    await _refuse(scene, A, B)
    await scene.restart()
    await _refuse(scene, C)
    await scene.restart()
    assert await _wanted(scene) == []
    await scene.advance(300)
    assert len(await _wanted(scene)) == 1


async def two_that_are_refused_have_two_wrong_passwords(scene: Scene) -> None:
    await scene.route(account(A), account(B), account(C))
    await _worked(scene, A, B, C)
    await _refuse(scene, A, B)
    assert [await _health(scene, each) for each in (A, B)] == [("doubted", "auth-rejected")] * 2
    await scene.log_in()
    assert await scene.send_all() == ["m-c-1"]


async def who_never_worked_is_no_witness_and_stays_paused(scene: Scene) -> None:
    await scene.route(account(A), account(B), account(C), account(D))
    await _worked(scene, A, B, C)
    await scene.mail(D, "d-1")
    await _refuse(scene, A, B, D)
    assert await _health(scene, D) == ("paused", "auth-rejected")
    assert await _health(scene, A) == ("doubted", "auth-rejected")
    await _refuse(scene, C)
    assert await _are_well(scene, A, B, C)
    assert await _health(scene, D) == ("paused", "auth-rejected")


async def a_pause_of_the_ten_minutes_before_is_undone_and_an_older_one_is_not(scene: Scene) -> None:
    await scene.route(account(A), account(B), account(C), account(D))
    await _worked(scene, A, D)
    await _refuse(scene, A, D)
    await scene.advance(300)
    await _refuse(scene, D)
    assert await _health(scene, D) == ("paused", "auth-rejected"), "asked for again, and refused"
    assert await scene.send_all() == ["m-a-1"], "that one had been a slip"
    await _close_all(scene)
    await scene.advance(3300)
    await _worked(scene, A, B, C, waiting=2)
    await scene.advance(300)
    await _refuse(scene, A, B, D)
    assert await _health(scene, A) == ("doubted", "auth-rejected"), "that an old pause goes on is no news"
    await scene.advance(300)
    await _refuse(scene, A)
    assert await _health(scene, A) == ("paused", "auth-rejected")
    await _refuse(scene, C)
    assert await _are_well(scene, A, B, C)
    assert await _health(scene, D) == ("paused", "auth-rejected")


async def refusals_that_are_far_apart_are_not_one(scene: Scene) -> None:
    await scene.route(account(A), account(B), account(C))
    await _worked(scene, A, B, C)
    await _refuse(scene, A)
    await scene.advance(601)
    await _refuse(scene, B, C)
    assert await _host(scene) == ("ok", None)
    assert await _health(scene, C) == ("doubted", "auth-rejected")


async def that_another_way_of_logging_in_is_wanted_is_for_each_owner_to_follow(scene: Scene) -> None:
    await scene.route(account(A), account(B), account(C))
    await _worked(scene, A, B, C)
    await _refuse(scene, A, B, C, failure=METHOD)
    assert [await _health(scene, each) for each in (A, B, C)] == [("paused", "auth-method")] * 3
    assert await _host(scene) == ("ok", None)


async def logins_that_are_not_understood_all_at_once_are_an_outage(scene: Scene) -> None:
    await scene.route(account(A), account(B), account(C))
    await _worked(scene, A, B, C)
    what = LoginFailure("protocol-error", Stage.AUTH, Reply(500, None, "what"), is_provider=False, is_login_sent=True)
    await _refuse(scene, A, B, C, failure=what)
    assert await _are_well(scene, A, B, C)
    assert await _host(scene) == ("waiting", "auth-outage")


async def nobody_new_is_tried_while_logins_are_out_and_one_that_worked_can_be(scene: Scene) -> None:
    await scene.route(account(A), account(B), account(C), account(D))
    await _worked(scene, A, B, C)
    await scene.mail(D, "d-1")
    await _refuse(scene, A, B, C)
    await scene.advance(300)
    (prober,) = await _wanted(scene)
    assert prober != box(D)
    await scene.open(prober)
    assert "m-d-1" in await scene.send_all(), "it goes as soon as that is over"


async def where_nobody_else_is_left_somebody_new_shows_whether_logins_are_out(scene: Scene) -> None:
    await scene.route(account(A), account(B), account(C), account(D))
    await _worked(scene, A, B, C)
    await _refuse(scene, A, B, C)
    await scene.route(account(D))
    await scene.mail(D, "d-1")
    await scene.advance(300)
    await _refuse(scene, D)
    assert (await _health(scene, D))[0] != "paused", "nobody is told that his password is wrong"
    await scene.advance(900)
    assert await scene.send_all() == ["m-d-1"]


# lines


async def _break(scene: Scene, *senders: AccountId, outcome: Result = CUT) -> None:
    """The line of each breaks under its next mail."""
    for sender in senders:
        (claim,) = [each for each in await scene.work() if each.account == sender]
        if outcome.verdict is Verdict.IN_DOUBT:
            await scene.store.gate(claim)
        await scene.end(claim, outcome)
        await scene.close(box(sender))


async def lines_of_three_mailboxes_that_break_are_their_providers_trouble(scene: Scene) -> None:
    await scene.route(account(A), account(B), account(C), account(D, "q"))
    for sender in (A, B, C):
        await scene.mail(sender, f"{sender[0]}-1")
        await _break(scene, sender)
        await scene.mail(sender, f"{sender[0]}-2")
    assert await _are_well(scene, A, B, C)
    assert await _host(scene) == ("waiting", "network")
    await scene.mail(D, "d-1")
    await scene.log_in()
    assert await scene.send_all() == ["m-d-1"]
    await scene.advance(10)
    (prober,) = await _wanted(scene)
    await scene.open(prober)
    assert await _host(scene) == ("waiting", "network"), "that it lets in shows nothing against it"
    (claim,) = (await scene.take()).claims
    await scene.send(claim)
    assert await _host(scene) == ("ok", None)
    assert sorted(await scene.send_all()) == ["m-b-2", "m-c-2"]


async def three_lines_that_break_at_the_login_are_three_too(scene: Scene) -> None:
    await scene.route(account(A), account(B), account(C))
    for sender in (A, B, C):
        await scene.mail(sender, f"{sender[0]}-1")
    await _refuse(scene, A, B, C, failure=HUNG_UP)
    assert await _host(scene) == ("waiting", "network")
    assert await _are_well(scene, A, B, C)
    await scene.advance(10)
    assert len(await _wanted(scene)) == 1


async def two_lines_that_break_are_two_mailboxes_trouble(scene: Scene) -> None:
    await scene.route(account(A), account(B), account(C))
    for sender in (A, B):
        await scene.mail(sender, f"{sender[0]}-1")
        await _break(scene, sender)
    assert [await _health(scene, each) for each in (A, B)] == [("waiting", "network")] * 2
    await scene.mail(C, "c-1")
    await scene.log_in()
    assert await scene.send_all() == ["m-c-1"]


async def three_that_are_hung_up_on_before_they_could_say_anything_are_three_too(scene: Scene) -> None:
    await scene.route(account(A), account(B), account(C))
    for sender in (A, B, C):
        await scene.mail(sender, f"{sender[0]}-1")
    for mailbox in await _wanted(scene):
        await scene.open(mailbox)
    for sender in (A, B, C):
        scene.sessions[box(sender)] -= 1
        await scene.store.session(box(sender), SessionEvent.LOST)
    assert await _host(scene) == ("waiting", "network")
    assert await _are_well(scene, A, B, C)


async def a_line_that_breaks_for_others_in_between_is_the_mailboxs(scene: Scene) -> None:
    await scene.route(account(A))
    for number in (1, 2):
        await scene.mail(A, number)
        await _break(scene, A)
        await scene.advance(10)
    await scene.advance(290)
    await scene.log_in()
    (claim, *_) = (await scene.take(1)).claims
    assert claim.message == "m-1"
    await scene.end(claim, CUT)
    assert await _health(scene, A) == ("waiting", "network")


async def a_provider_that_drops_after_the_dot_for_three_mailboxes_is_out(scene: Scene) -> None:
    await scene.route(account(A), account(B), account(C))
    for sender in (A, B, C):
        assert await _host(scene) == ("ok", None)
        await scene.mail(sender, f"{sender[0]}-1")
        await _break(scene, sender, outcome=IN_DOUBT)
        if sender != C:
            await scene.advance(400)
            await scene.send_all()
            await _close_all(scene)
    assert await _host(scene) == ("waiting", "network")


async def who_drops_again_while_others_are_served_is_alone_with_it(scene: Scene) -> None:
    await scene.route(account(A), account(B), account(C), account(D))
    for sender in (A, B, C):
        await scene.mail(sender, f"{sender[0]}-1")
        await _break(scene, sender, outcome=IN_DOUBT)
        if sender != C:
            await scene.advance(305)
            await scene.send_all()
            await _close_all(scene)
    assert await _host(scene) == ("waiting", "network")
    await scene.mail(C, "c-2")
    await scene.mail(D, "d-1")
    await scene.advance(10)
    assert await _wanted(scene) == [box(D)], "it lost nothing, so it shows how its provider is"
    await scene.open(box(D))
    (claim,) = (await scene.take()).claims
    await scene.send(claim)
    assert await _host(scene) == ("ok", None)
    (claim,) = [each for each in await scene.work() if each.message == "m-c-2"]
    await scene.store.gate(claim)
    await scene.end(claim, IN_DOUBT)
    assert await _host(scene) == ("ok", None)
    assert await _health(scene, C) == ("waiting", "network")


async def drops_that_others_have_outlived_are_no_part_of_another_one(scene: Scene) -> None:
    await scene.route(*map(account, (A, B, C, D, E, F)))
    await _worked(scene, D, E, F)
    await scene.send_all()
    await _close_all(scene)
    for sender in (A, B, C):
        await scene.mail(sender, f"{sender[0]}-1")
        await _break(scene, sender, outcome=IN_DOUBT)
    assert await _host(scene) == ("waiting", "network")
    await scene.mail(D, "d-2")
    await scene.advance(10)
    assert await _wanted(scene) == [box(D)]
    await scene.open(box(D))
    (claim,) = (await scene.take()).claims
    await scene.send(claim)
    assert await _host(scene) == ("ok", None)
    await scene.advance(301)
    await scene.mail(E, "e-2")
    await _break(scene, E, outcome=IN_DOUBT)
    assert await _host(scene) == ("ok", None)


async def _broke_and_others_sent(scene: Scene) -> None:
    """Logins of A, B and C hang until their provider is stopped; D's mail goes through, and then none."""
    await scene.route(*map(account, (A, B, C, D, E, F)))
    for sender in (A, B, C):
        await scene.mail(sender, f"{sender[0]}-1")
    await _refuse(scene, A, B, C, failure=HUNG_UP)
    assert await _host(scene) == ("waiting", "network")
    await scene.mail(D, "d-1")
    await scene.advance(10)
    assert await _wanted(scene) == [box(D)]
    await scene.open(box(D))
    (claim,) = (await scene.take()).claims
    await scene.send(claim)
    assert await _host(scene) == ("ok", None)
    await _close_all(scene)
    await scene.advance(301)


async def who_breaks_again_after_others_sent_is_alone_with_it_however_quiet_it_is(scene: Scene) -> None:
    await _broke_and_others_sent(scene)
    for _ in range(3):
        await _refuse(scene, A, B, C, failure=HUNG_UP)
        assert await _host(scene) == ("ok", None)
        assert [await _health(scene, each) for each in (A, B, C)] == [("waiting", "network")] * 3
        await scene.advance(300)
    await scene.mail(D, "d-2")
    assert box(D) in await _wanted(scene), "nobody else waits"


async def three_others_show_that_lines_break_and_who_is_alone_with_it_probes_last(scene: Scene) -> None:
    await _broke_and_others_sent(scene)
    await _refuse(scene, A, B, C, failure=HUNG_UP)
    for sender in (D, E, F):
        assert await _host(scene) == ("ok", None), "two are two"
        await scene.mail(sender, f"{sender[0]}-2")
        await _refuse(scene, sender, failure=HUNG_UP)
    assert await _host(scene) == ("waiting", "network")
    await scene.advance(10)
    for _ in range(3):
        (prober,) = await _wanted(scene)
        assert prober in {*map(box, (D, E, F))}
        await scene.store.refused(prober, HUNG_UP)
        await scene.advance(900)
    await scene.route(*map(account, (A, B, C)))
    (prober,) = await _wanted(scene)
    await scene.store.refused(prober, HUNG_UP)
    assert await _health(scene, prober.username) == ("waiting", "network"), "which shows nothing of its provider"
    assert len(await _wanted(scene)) == 1, "so another one probes at once"


async def who_sent_since_shows_again_how_its_provider_is(scene: Scene) -> None:
    await _broke_and_others_sent(scene)
    await scene.send_all()
    await _close_all(scene)
    await scene.advance(301)
    for sender in (A, B, C):
        await scene.mail(sender, f"{sender[0]}-2")
    await _refuse(scene, A, B, C, failure=HUNG_UP)
    assert await _host(scene) == ("waiting", "network")


async def a_line_that_broke_half_a_day_ago_is_forgotten(scene: Scene) -> None:
    await _broke_and_others_sent(scene)
    await scene.advance(12 * 3600)
    await _refuse(scene, A, B, C, failure=HUNG_UP)
    assert await _host(scene) == ("waiting", "network")


async def doubts_that_the_relays_own_death_left_accuse_nobody(scene: Scene) -> None:
    await scene.route(account(A), account(B), account(C))
    for sender in (A, B):
        await scene.mail(sender, f"{sender[0]}-1")
        (claim,) = await scene.work()
        await scene.store.gate(claim)
        assert await scene.restart() == 1
    await scene.mail(C, "c-1")
    await _break(scene, C, outcome=IN_DOUBT)
    assert await _host(scene) == ("ok", None)
    assert await _are_well(scene, A, B)
    assert await _health(scene, C) == ("waiting", "network")


# bounces


async def _send_to(scene: Scene, outcome: Result, *recipients: str, sender: AccountId = A) -> list[bool]:
    """A mail to each, one after the other, that ends like this."""
    taken = []
    for recipient in recipients:
        await scene.store.put(message(recipient, sender, f"{recipient}@x.test", client=f"client-{recipient}"))
        (claim,) = await scene.work()
        taken.append(await scene.send(claim, outcome))
    return taken


async def the_same_words_for_three_recipients_bounce_nothing_and_pause_the_mailbox(scene: Scene) -> None:
    await scene.route(account(A), account(B))
    await _send_to(scene, GUESSED, "one", "two")
    assert len(await scene.store.outbox(10)) == 2
    await _send_to(scene, GUESSED, "three")
    assert await scene.store.outbox(10) == [], "bounces of which nobody was told are taken back"
    assert [await _state(scene, each) for each in ("one", "two", "three")] == ["held"] * 3
    assert await _health(scene, A) == ("paused", "bounce-guard")
    await scene.mail(B, "b-1")
    assert await scene.send_all() == ["m-b-1"], "a neighbour is no matter of this"


async def whoever_ends_an_attempt_is_told_what_became_of_it(scene: Scene) -> None:
    await scene.route(account(A))
    assert await _ended(scene, "one", "two", "three") == [Verdict.BOUNCED, Verdict.BOUNCED, Verdict.HELD]
    await scene.store.put(message("four", A))
    await scene.advance(300)
    (probe,) = await scene.work()
    assert await scene.store.settle(probe, GUESSED) is Verdict.ASIDE, "another one is there to be the next probe"
    assert await scene.store.settle(probe, GUESSED) is None, "too late"


async def _ended(scene: Scene, *recipients: str) -> list[Verdict | None]:
    ended = []
    for recipient in recipients:
        await scene.store.put(message(recipient, A, f"{recipient}@x.test", client=f"client-{recipient}"))
        (claim,) = await scene.work()
        scene.running.remove(claim)
        ended.append(await scene.store.settle(claim, GUESSED))
    return ended


async def what_the_guard_held_goes_out_once_when_a_probe_is_delivered(scene: Scene) -> None:
    await scene.route(account(A))
    await _send_to(scene, GUESSED, "one", "two", "three")
    await scene.mail(A, "new")
    assert await scene.work() == []
    await scene.advance(300)
    (probe,) = await scene.work()
    await scene.send(probe)
    assert await _health(scene, A) == ("ok", None)
    await scene.send_all()
    assert [await _state(scene, each) for each in ("one", "two", "three", "new")] == ["delivered"] * 4
    assert await scene.store.outbox(10) == []


async def the_last_one_that_is_left_is_the_probe_and_stays_held_while_it_is_refused(scene: Scene) -> None:
    await scene.route(account(A))
    await _send_to(scene, GUESSED, "one", "two", "three")
    for minutes in (5, 15, 30, 60):
        await scene.advance(minutes * 60)
        (probe,) = await scene.work()
        assert (probe.message, probe.is_probe) == ("m-three", True)
        await scene.send(probe, GUESSED)
        assert await scene.store.outbox(10) == []
    assert await _health(scene, A) == ("paused", "bounce-guard")
    await scene.advance(3600)
    assert sorted(await scene.send_all()) == ["m-one", "m-three", "m-two"]


async def _report(scene: Scene, entry: OutboxEntry, *, through: AccountId = B) -> str:
    """A report of a bounce is put."""
    number = f"report-{entry.message}-{through}"
    await scene.store.put(message(number, through, A, answers=entry.id, kind=Kind.REPORT, client="relay"))
    return f"m-{number}"


async def a_bounce_of_which_its_sender_was_told_stays_one(scene: Scene) -> None:
    await scene.route(account(A), account(B))
    await _send_to(scene, GUESSED, "one", "two")
    entry, _ = await scene.store.outbox(10)
    report = await _report(scene, entry)
    assert await scene.send_all() == [report]
    await _send_to(scene, GUESSED, "three")
    assert [await _state(scene, each) for each in ("one", "two", "three")] == ["bounced", "held", "held"]


async def a_bounce_whose_report_is_still_in_the_queue_is_taken_back_with_it(scene: Scene) -> None:
    await scene.route(account(A), account(B))
    await _send_to(scene, GUESSED, "one", "two")
    for entry in await scene.store.outbox(10):
        await _report(scene, entry)
    assert await scene.store.outbox(10) == []
    await scene.restart()
    await scene.store.put(message("three", A, "three@x.test", client="client-three"))
    third = next(each for each in await scene.work(2) if each.message == "m-three")
    (other,) = [each for each in scene.running if each.message != "m-three"]
    await scene.send(third, GUESSED)
    states = [await _state(scene, each) for each in ("one", "two", "three")]
    assert sorted(states) == ["bounced", "held", "held"], "one of the reports is being sent"
    await scene.send(other)
    assert await scene.send_all() == [], "and the other is not any more"
    assert await scene.store.outbox(10) == []


async def a_bounce_whose_report_was_refused_is_taken_back(scene: Scene) -> None:
    await scene.route(account(A), account(B))
    await _send_to(scene, GUESSED, "one")
    (entry,) = await scene.store.outbox(10)
    await _report(scene, entry, through=A)
    await scene.send_all(GUESSED)
    await _send_to(scene, GUESSED, "two")
    assert [await _state(scene, each) for each in ("one", "two")] == ["held", "held"], "the report counts as one"
    assert await scene.store.outbox(10) == []
    assert await _health(scene, A) == ("paused", "bounce-guard")
    await scene.advance(300)
    assert sorted(await scene.send_all()) == ["m-one", "m-two"]


async def a_report_that_is_the_last_straw_takes_its_bounce_back_and_is_gone(scene: Scene) -> None:
    await scene.route(account(A), account(B))
    await _send_to(scene, GUESSED, "one", "two")
    first, second = await scene.store.outbox(10)
    report = await _report(scene, first, through=A)
    assert await scene.send_all(GUESSED) == [report]
    assert [await _state(scene, each) for each in ("one", "two")] == ["held", "held"]
    view = await scene.store.message(report)
    assert view is not None
    assert view.state == "bounced"
    assert await _health(scene, A) == ("paused", "bounce-guard")
    assert await scene.store.outbox(10) == []
    await scene.store.put(message("late", B, A, answers=second.id, kind=Kind.REPORT))
    await scene.advance(300)
    assert sorted(await scene.send_all()) == ["m-one", "m-two"]


async def a_report_that_comes_when_its_bounce_was_taken_back_is_not_sent(scene: Scene) -> None:
    await scene.route(account(A), account(B))
    await _send_to(scene, GUESSED, "one", "two")
    first, second = await scene.store.outbox(10)
    await scene.store.put(message("report-1", B, A, answers=first.id, kind=Kind.REPORT))
    assert [entry.id for entry in await scene.store.outbox(10)] == [second.id], "with the report it is being told"
    assert await scene.send_all() == ["m-report-1"]
    await _send_to(scene, GUESSED, "three")
    await scene.store.put(message("report-2", B, A, answers=second.id))
    assert [await _state(scene, each) for each in ("one", "two", "three")] == ["bounced", "held", "held"]
    assert await scene.send_all() == []


async def what_a_rule_reads_as_the_recipients_bounces_however_often(scene: Scene) -> None:
    await scene.route(account(A))
    await _send_to(scene, BOUNCED, "one", "two", "three", "four")
    assert len(await scene.store.outbox(10)) == 4
    assert await _health(scene, A) == ("ok", None)


TEN = tuple(f"patient-{number}" for number in range(10))


async def ten_that_are_unknown_while_nothing_goes_through_stop_the_mailbox(scene: Scene) -> None:
    await scene.route(account(A))
    await _send_to(scene, BOUNCED, *TEN[:9])
    assert await _health(scene, A) == ("ok", None)
    await _send_to(scene, BOUNCED, TEN[9])
    assert await _health(scene, A) == ("paused", "bounce-guard")
    assert [await _state(scene, each) for each in TEN] == ["held"] * 10, "nobody was told of any yet"
    for minutes in (5, 15, 30, 60):
        await scene.advance(minutes * 60)
        (probe,) = await scene.work()
        await scene.send(probe, BOUNCED)
        assert await scene.store.outbox(10) == [], "no probe bounces either"
    await scene.advance(3600)
    assert len(await scene.send_all()) == 10


async def ten_that_are_unknown_between_others_are_unknown(scene: Scene) -> None:
    await scene.route(account(A))
    await _send_to(scene, BOUNCED, *TEN[:5])
    await _send_to(scene, DELIVERED, "somebody")
    await _send_to(scene, BOUNCED, *TEN[5:])
    assert await _health(scene, A) == ("ok", None)
    assert len(await scene.store.outbox(20)) == 10


async def the_same_recipient_again_and_again_is_one(scene: Scene) -> None:
    await scene.route(account(A))
    for number in range(4):
        await scene.store.put(message(number, A, "same@x.test", client=f"client-{number}"))
        (claim,) = await scene.work()
        await scene.send(claim, GUESSED)
    assert await _health(scene, A) == ("ok", None)


async def the_same_words_in_different_quarters_of_an_hour_bounce(scene: Scene) -> None:
    await scene.route(account(A))
    await _send_to(scene, GUESSED, "one", "two")
    await scene.advance(901)
    await _send_to(scene, GUESSED, "three")
    assert await _health(scene, A) == ("ok", None)


async def who_is_refused_again_after_the_guard_bounces(scene: Scene) -> None:
    await scene.route(account(A))
    await _send_to(scene, GUESSED, "one", "two", "three")
    await scene.advance(300)
    (probe,) = [each for each in await scene.work() if each.message == "m-three"]
    await scene.mail(A, "new")
    await scene.send(probe, GUESSED)
    await scene.advance(900)
    (probe,) = await scene.work()
    assert probe.message == "m-new", "one that is not known to be refused comes next"
    await scene.send(probe)
    await scene.send_all(GUESSED)
    assert [await _state(scene, each) for each in ("one", "two", "three")] == ["bounced"] * 3
    assert await _health(scene, A) == ("ok", None)
    await _send_to(scene, GUESSED, "four")
    assert await _health(scene, A) == ("ok", None), "what was before is no matter of the mailbox, as has been shown"


async def a_new_secret_ends_the_guard(scene: Scene) -> None:
    await scene.route(account(A))
    await _send_to(scene, GUESSED, "one", "two", "three")
    await _close_all(scene)
    await scene.route(account(A), credentials={A: "second"})
    assert sorted(await scene.send_all()) == ["m-one", "m-three", "m-two"]


async def an_account_that_moves_takes_along_what_the_guard_of_its_mailbox_held(scene: Scene) -> None:
    await scene.route(account(A))
    await _send_to(scene, GUESSED, "one", "two", "three")
    await scene.route(account(A, "q"))
    assert sorted(await scene.send_all()) == ["m-one", "m-three", "m-two"]


async def what_the_guard_holds_is_held_over_a_crash(scene: Scene) -> None:
    await scene.route(account(A))
    await _send_to(scene, GUESSED, "one", "two", "three")
    await scene.restart()
    assert [await _state(scene, each) for each in ("one", "two", "three")] == ["held"] * 3
    await scene.advance(300)
    assert sorted(await scene.send_all(DELIVERED)) == ["m-one", "m-three", "m-two"]


async def a_neighbour_in_the_same_words_is_counted_by_itself(scene: Scene) -> None:
    await scene.route(account(A), account(B), providers=[provider("p")])
    await _send_to(scene, GUESSED, "one", "two")
    await _send_to(scene, GUESSED, "b-one", "b-two", sender=B)
    assert await _are_well(scene, A, B)
    assert numbers(await scene.work()) == []


# who shows whether it is over

CROWDED = LoginFailure(
    "too-many-connections", Stage.AUTH, Reply(421, "4.7.0", "too many"), is_provider=True, is_login_sent=True
)


async def one_that_hears_of_too_many_sessions_keeps_nobody_else_waiting(scene: Scene) -> None:
    await scene.route(account(A), account(B))
    await scene.mail(A, "a-1")
    await _refuse(scene, A, failure=CROWDED)
    await scene.mail(B, "b-1")
    assert await _wanted(scene) == []
    await scene.advance(45)
    assert await _wanted(scene) == [box(B)], "A waits for longer, and met it"
    await scene.open(box(B))
    for number in (2, 3, 4):
        await _refuse(scene, A, failure=CROWDED)
        assert await _host(scene) == ("ok", None), "that others are let in shows whose it is"
        (claim,) = await scene.work()
        await scene.send(claim)
        await _close_all(scene)
        await scene.mail(B, f"b-{number}")
        assert await _wanted(scene) == [box(B)]
        await scene.open(box(B))
        await scene.advance(45)


async def who_stopped_a_provider_probes_it_after_all_others(scene: Scene) -> None:
    await scene.route(account(A), account(B), account(C), account(D))
    for sender in (A, B, C):
        await scene.mail(sender, f"{sender[0]}-1")
        await _break(scene, sender)
        await scene.mail(sender, f"{sender[0]}-2")
    assert await _host(scene) == ("waiting", "network")
    await scene.mail(D, "d-1")
    await scene.advance(10)
    assert await _wanted(scene) == [box(D)]


async def _probe_an_outage_by_who_was_not_refused(scene: Scene) -> None:
    """A, B and C, who had worked, are refused within minutes; D, who was not, has mail when the probe is due."""
    await scene.route(account(A), account(B), account(C), account(D))
    await scene.mail(D, "before")
    await scene.send_all()
    await _worked(scene, A, B, C)
    await _refuse(scene, A, B, C)
    await scene.mail(D, "d-1")
    await scene.advance(300)
    assert await _wanted(scene) == [box(D)]


async def in_an_outage_of_logins_those_that_were_not_refused_probe_first(scene: Scene) -> None:
    await _probe_an_outage_by_who_was_not_refused(scene)


async def when_an_outage_is_over_for_others_who_is_still_refused_has_a_wrong_password(scene: Scene) -> None:
    await _probe_an_outage_by_who_was_not_refused(scene)
    await scene.open(box(D))
    assert await _host(scene) == ("ok", None)
    await _refuse(scene, A, B, C)
    assert await _host(scene) == ("ok", None), "the very same are no new outage"
    assert [await _health(scene, each) for each in (A, B, C)] == [("doubted", "auth-rejected")] * 3
    await scene.advance(300)
    await _refuse(scene, A, B, C)
    assert [await _health(scene, each) for each in (A, B, C)] == [("paused", "auth-rejected")] * 3
    assert await scene.send_all() == ["m-d-1"]


async def an_outage_that_nobody_but_the_refused_has_probed_for_a_day_is_theirs(scene: Scene) -> None:
    await scene.route(account(A), account(B), account(C), account(D))
    await scene.mail(D, "before")
    await scene.send_all()
    await _worked(scene, A, B, C)
    await _refuse(scene, A, B, C)
    probes = 0
    while (await _host(scene))[0] != "ok":
        await scene.advance(60)
        for prober in await _wanted(scene):
            await scene.store.refused(prober, AUTH_REFUSED)
            probes += 1
    assert probes == 8
    await _refuse(scene, *[each for each in (A, B, C) if (await _health(scene, each))[0] == "ok"])
    assert [await _health(scene, each) for each in (A, B, C)] == [("doubted", "auth-rejected")] * 3
    await scene.mail(D, "d-1")
    await scene.log_in()
    assert await scene.send_all() == ["m-d-1"]


# evidence that a provider is well


OTHERS = ("d@studio.test", "e@studio.test", "f@studio.test")


async def _break_with_others_in_between(scene: Scene, *others: AccountId) -> None:
    await scene.route(*map(account, (A, B, C, *others)))
    for sender in (A, B, C):
        await scene.mail(sender, f"{sender[0]}-1")
        await _break(scene, sender)
        for other in others if sender == B else ():
            await scene.mail(other, f"{other[0]}-1")
            assert await scene.send_all() == [f"m-{other[0]}-1"]


async def lines_that_break_while_as_many_others_are_served_are_each_mailboxs_own(scene: Scene) -> None:
    await _break_with_others_in_between(scene, *OTHERS)
    assert await _host(scene) == ("ok", None)
    assert [await _health(scene, each) for each in (A, B, C)] == [("waiting", "network")] * 3


async def lines_that_break_while_fewer_others_are_served_are_their_providers(scene: Scene) -> None:
    await _break_with_others_in_between(scene, *OTHERS[:2])
    assert await _host(scene) == ("waiting", "network")
    assert await _are_well(scene, A, B, C)


async def logins_that_hang_while_others_are_let_in_are_each_mailboxs_own(scene: Scene) -> None:
    await scene.route(*map(account, (A, B, C, *OTHERS)))
    for sender in (A, B, C):
        await scene.mail(sender, f"{sender[0]}-1")
    assert len(await _wanted(scene)) == 3
    await scene.advance(1)
    for other in OTHERS:
        await scene.mail(other, f"{other[0]}-1")
        assert await scene.send_all() == [f"m-{other[0]}-1"]
    await scene.advance(240)
    for sender in (A, B, C):
        await scene.store.refused(box(sender), HUNG_UP)
    assert await _host(scene) == ("ok", None)
    assert [(await _health(scene, each))[0] for each in (A, B, C)] == ["waiting"] * 3


# what is said to one in the name of all

BLOCKED = LoginFailure(
    "ip-blocked", Stage.AUTH, Reply(554, "5.7.1", "Your IP is blocked"), is_provider=True, is_login_sent=True
)
ENCRYPT = LoginFailure(
    "tls-required", Stage.AUTH, Reply(530, "5.7.0", "STARTTLS first"), is_provider=True, is_login_sent=True
)
SHUT_OUT = result(Verdict.HELD, "ip-blocked", stage=Stage.MAIL, reply=Reply(554, "5.7.1", "blocked"), is_provider=True)


async def a_block_that_one_mailbox_is_told_of_is_its_own(scene: Scene) -> None:
    for failure in (BLOCKED, ENCRYPT):
        scene = scene.another()
        await scene.route(*map(account, (A, B, C, D)))
        await scene.mail(A, "a-1")
        await _refuse(scene, A, failure=failure)
        assert await _health(scene, A) == ("paused", failure.reply_class)
        assert await _host(scene) == ("ok", None)
        await scene.mail(B, "b-1")
        assert await scene.send_all() == ["m-b-1"]


async def a_block_that_one_mailbox_is_told_of_at_its_mail_is_its_own(scene: Scene) -> None:
    await scene.route(*map(account, (A, B, C, D)))
    await scene.mail(A, "a-1")
    await _break(scene, A, outcome=SHUT_OUT)
    assert await _health(scene, A) == ("paused", "ip-blocked")
    assert await _host(scene) == ("ok", None)
    assert await _state(scene, "a-1") in ("held", "waiting"), "it keeps its place"
    await scene.mail(B, "b-1")
    assert await scene.send_all() == ["m-b-1"]


async def a_block_that_three_are_told_of_and_nobody_is_let_in_is_their_providers(scene: Scene) -> None:
    await scene.route(*map(account, (A, B, C, D)))
    for sender in (A, B, C):
        assert await _host(scene) == ("ok", None)
        await scene.mail(sender, f"{sender[0]}-1")
        await _refuse(scene, sender, failure=BLOCKED)
    assert await _host(scene) == ("paused", "ip-blocked")
    assert await _are_well(scene, A, B, C)
    await scene.mail(D, "d-1")
    assert await _wanted(scene) == [], "nobody logs in there"
    await scene.advance(300)
    taken = await scene.store.take(NODE, {}, 100)
    assert [*taken.open] == [box(D)], "who was not told shows whether it is over"
    assert not taken.knock, "by a login"
    await scene.store.refused(box(D), BLOCKED)
    assert await _host(scene) == ("paused", "ip-blocked")
    assert await _are_well(scene, A, B, C, D)


async def a_block_that_three_are_told_of_at_their_mails_is_their_providers(scene: Scene) -> None:
    await scene.route(*map(account, (A, B, C, D)))
    for sender in (A, B, C):
        await scene.mail(sender, f"{sender[0]}-1")
        await _break(scene, sender, outcome=SHUT_OUT)
    assert await _host(scene) == ("paused", "ip-blocked"), "that they were let in shows nothing against it"
    assert await _are_well(scene, A, B, C)
    await scene.mail(D, "d-1")
    assert await _wanted(scene) == []


async def a_block_that_all_mailboxes_of_a_small_provider_are_told_of_is_its_own(scene: Scene) -> None:
    await scene.route(account(A), account(B, "q"))
    await scene.mail(A, "a-1")
    await _refuse(scene, A, failure=BLOCKED)
    assert await _host(scene) == ("paused", "ip-blocked")
    assert await _are_well(scene, A)


async def blocks_that_three_are_told_of_while_others_are_let_in_are_each_mailboxs_own(scene: Scene) -> None:
    await scene.route(*map(account, (A, B, C, D)))
    await scene.mail(A, "a-1")
    await scene.mail(B, "b-1")
    await _refuse(scene, A, B, failure=BLOCKED)
    await scene.mail(D, "d-1")
    await scene.log_in()
    assert await scene.send_all() == ["m-d-1"]
    await scene.mail(C, "c-1")
    await _refuse(scene, C, failure=BLOCKED)
    assert await _host(scene) == ("ok", None)
    assert [await _health(scene, each) for each in (A, B, C)] == [("paused", "ip-blocked")] * 3
    for _ in range(3):
        await scene.advance(3600)
        wanted = await _wanted(scene)
        assert wanted
        for mailbox in wanted:
            await scene.store.refused(mailbox, BLOCKED)
        assert (await _host(scene)) == ("ok", None), "whom others outlived is alone with it, however often he hears it"


async def a_login_under_way_shows_nothing_against_a_block_of_mails_and_a_mail_that_goes_does(scene: Scene) -> None:
    await scene.route(*map(account, (A, B, C, D, OTHERS[1])))
    for sender in (D, OTHERS[1]):
        await scene.mail(sender, f"{sender[0]}-1")
    assert len(await _wanted(scene)) == 2
    await scene.open(box(D))
    (going,) = (await scene.take()).claims
    for sender in (A, B, C):
        await scene.mail(sender, f"{sender[0]}-1")
        (claim,) = [each for each in await scene.work() if each.account == sender]
        await scene.end(claim, SHUT_OUT)
    assert await _host(scene) == ("paused", "ip-blocked")
    await scene.open(box(OTHERS[1]))
    assert await _host(scene) == ("paused", "ip-blocked")
    await scene.send(going)
    assert await _host(scene) == ("ok", None)
