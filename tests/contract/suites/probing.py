"""Whose turn it is to show that a stopped mailbox works, and what that shows.

Law: one recipient's trouble that was read as the mailbox's ends with the next probe, which is somebody else's mail; and
what goes to the doctor himself proves nothing of his patients.
"""

from relay.core.envelope import Kind, Result, Verdict
from relay.core.reply import Reply
from relay.core.routing import Account
from relay.core.words import Stage
from tests.contract.scene import DEFERRED, DELIVERED, GUESSED, A, B, Scene, account, message, result

OVER = result(Verdict.DEFERRED, "quota-exceeded", stage=Stage.RCPT, reply=Reply(452, "4.2.2", "over quota"))
TOO_FAST = result(Verdict.DEFERRED, "rate-limited", stage=Stage.RCPT, reply=Reply(450, "4.7.1", "too fast"))
NOT_YOURS = result(Verdict.HELD, "sender-refused", stage=Stage.RCPT, reply=Reply(550, "5.7.1", "not allowed"))
PUZZLING = result(Verdict.HELD, "unknown", stage=Stage.MAIL, reply=Reply(550, None, "boh"))
DAY = 24 * 3600


async def _put(scene: Scene, number: object, to: str, **more: object) -> None:
    filled: dict[str, object] = {"client": f"client-{number}", **more}
    await scene.store.put(message(number, A, f"{to}@x.test", **filled))


async def _probe(scene: Scene, seconds: float, outcome: Result) -> str:
    """The one delivery that goes after so long; it ends so."""
    await scene.advance(seconds)
    (claim,) = await scene.work()
    assert claim.is_probe
    await scene.send(claim, outcome)
    return claim.message


async def _refused(scene: Scene, outcome: Result, to: str = "full", *others: Account) -> None:
    """Somebody's mail is refused, and stops the mailbox."""
    await scene.route(account(A), *others)
    await _put(scene, "first", to)
    (claim,) = await scene.work()
    await scene.send(claim, outcome)
    assert (await _health(scene))[0] != "ok"


async def _health(scene: Scene) -> tuple[str, str | None]:
    view = await scene.store.account(A)
    assert view is not None
    return view.health, view.reason


async def _state(scene: Scene, number: object) -> str:
    view = await scene.store.message(f"m-{number}")
    assert view is not None
    return view.state


async def the_next_probe_is_another_recipients_mail(scene: Scene) -> None:
    for outcome, after in ((OVER, 3600), (TOO_FAST, 1200), (NOT_YOURS, DAY), (PUZZLING, 300)):
        scene = scene.another()
        await _refused(scene, outcome)
        await _put(scene, "other", "well")
        assert await _probe(scene, after, DELIVERED) == "m-other", outcome.reply_class
        assert (await _health(scene))[0] in ("ok", "slowed")


async def it_may_wait_behind_more_mail_to_whom_was_refused_and_in_the_other_lane(scene: Scene) -> None:
    await _refused(scene, OVER)
    await _put(scene, "again", "full")
    for number in range(5):
        await _put(scene, number, "full" if number < 4 else "well", client="one")
    assert await _probe(scene, 3600, DELIVERED) == "m-4"


async def each_probe_is_somebody_elses_and_then_the_oldest(scene: Scene) -> None:
    await _refused(scene, OVER)
    await _put(scene, "second", "two")
    await _put(scene, "third", "three")
    found = [await _probe(scene, 3600, OVER) for _ in range(4)]
    assert found == ["m-second", "m-third", "m-first", "m-first"]
    await _put(scene, "late", "four")
    assert await _probe(scene, 3600, DELIVERED) == "m-late"
    assert await scene.send_all() == ["m-first", "m-second", "m-third"]


async def the_oldest_takes_its_turn_before_others_to_whom_nothing_was_refused_either(scene: Scene) -> None:
    await scene.route(account(A))
    await _put(scene, "oldest", "well")
    (claim,) = await scene.work()
    await scene.send(claim, DEFERRED)
    await scene.advance(60)
    await _put(scene, "refused", "full")
    (claim,) = await scene.work()
    await scene.send(claim, OVER)
    assert (await _health(scene))[0] != "ok"
    await _put(scene, "other", "fine")
    assert await _probe(scene, 3600, DELIVERED) == "m-oldest"


async def whoever_hears_it_alone_stops_nobody_again(scene: Scene) -> None:
    await _refused(scene, OVER)
    for number in range(3):
        await _put(scene, number, f"well{number}")
    assert await _probe(scene, 3600, DELIVERED) == "m-0"
    for pause in (0, 300, 900):
        await _put(scene, f"more-{pause}", f"more{pause}")
        await scene.advance(pause)
        sent = []
        while claims := await scene.work():
            for claim in claims:
                await scene.send(claim, OVER if claim.message == "m-first" else DELIVERED)
                sent.append(claim.message)
        assert "m-first" in sent
        assert f"m-more-{pause}" in sent, "nobody else waits for it"
        assert await _health(scene) == ("ok", None)
    assert await _state(scene, "first") == "waiting", "it is tried again, and never bounces for this"


async def what_is_held_for_one_recipient_alone_is_tried_again_later(scene: Scene) -> None:
    await _refused(scene, NOT_YOURS)
    await _put(scene, "other", "well")
    assert await _probe(scene, DAY, DELIVERED) == "m-other"
    (claim,) = await scene.work()
    assert await scene.store.settle(claim, NOT_YOURS) is Verdict.DEFERRED
    scene.running.clear()
    assert await _health(scene) == ("ok", None)
    await scene.advance(300)
    assert await scene.send_all() == ["m-first"]


async def another_mail_to_him_stops_nobody_either(scene: Scene) -> None:
    await _refused(scene, OVER)
    await _put(scene, "other", "well")
    await _put(scene, "second", "full")
    assert await _probe(scene, 3600, DELIVERED) == "m-other"
    assert await scene.send_all(OVER) == ["m-first", "m-second"]
    assert await _health(scene) == ("ok", None)


async def what_others_meet_too_is_the_mailboxs(scene: Scene) -> None:
    await _refused(scene, OVER)
    await _put(scene, "other", "well")
    await _put(scene, "third", "three")
    assert await _probe(scene, 3600, DELIVERED) == "m-other"
    (claim,) = await scene.work(1)
    assert claim.message == "m-first"
    await scene.send(claim, OVER)
    assert await _health(scene) == ("ok", None)
    (claim,) = await scene.work()
    await scene.send(claim, OVER)
    assert await _health(scene) == ("waiting", "quota-exceeded"), "the third was not refused before"


async def who_was_served_since_is_not_alone_with_it(scene: Scene) -> None:
    await _refused(scene, OVER)
    await _put(scene, "other", "well")
    assert await _probe(scene, 3600, DELIVERED) == "m-other"
    await scene.send_all()
    await _put(scene, "new", "full")
    (claim,) = await scene.work()
    await scene.send(claim, OVER)
    assert await _health(scene) == ("waiting", "quota-exceeded")


async def it_is_remembered_over_a_crash(scene: Scene) -> None:
    await _refused(scene, OVER)
    await _put(scene, "other", "well")
    await scene.restart()
    assert await _probe(scene, 3600, DELIVERED) == "m-other"
    await scene.restart()
    assert await scene.send_all(OVER) == ["m-first"]
    assert await _health(scene) == ("ok", None)


# reports


async def _guarded(scene: Scene, *others: Account) -> None:
    """Three patients are refused in the same words; one of them is left as the probe."""
    await scene.route(account(A), *others)
    for number in ("one", "two", "three"):
        await _put(scene, number, number)
        (claim,) = await scene.work()
        await scene.send(claim, GUESSED)
    assert await _health(scene) == ("paused", "bounce-guard")


async def a_report_does_not_probe_while_a_patients_mail_waits(scene: Scene) -> None:
    await _guarded(scene)
    await _put(scene, "report", "doctor", kind=Kind.REPORT)
    assert await _probe(scene, 300, GUESSED) == "m-three"
    assert await _probe(scene, 900, DELIVERED) == "m-three"
    assert await _health(scene) == ("ok", None)


async def a_report_that_arrives_does_not_end_the_guard(scene: Scene) -> None:
    await _guarded(scene, account(B, username=A))
    await scene.mail(B, "report", kind=Kind.REPORT)
    await scene.advance(300)
    for pause in (0, 900):
        await scene.advance(pause)
        (claim,) = await scene.work()
        await scene.send(claim, DELIVERED if claim.message == "m-report" else GUESSED)
    assert await _state(scene, "report") == "delivered"
    assert await _health(scene) == ("paused", "bounce-guard")
    assert await _state(scene, "one") == "held"


async def nor_a_pause_of_the_sender(scene: Scene) -> None:
    await _refused(scene, NOT_YOURS, "full", account(B, username=A))
    await scene.mail(B, "report", kind=Kind.REPORT)
    for _ in range(2):
        await scene.advance(DAY)
        (claim,) = await scene.work()
        await scene.send(claim, DELIVERED if claim.message == "m-report" else NOT_YOURS)
    assert await _state(scene, "report") == "delivered"
    assert await _health(scene) == ("paused", "sender-refused")


async def a_report_shows_that_a_quota_is_free(scene: Scene) -> None:
    await _refused(scene, OVER)
    await _put(scene, "report", "doctor", kind=Kind.REPORT)
    assert await _probe(scene, 3600, DELIVERED) == "m-report"
    assert await _health(scene) == ("ok", None)
