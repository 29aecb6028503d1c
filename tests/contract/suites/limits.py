"""The limits as the ports keep them: exact, all together, woken to the microsecond, and used to the full."""

from datetime import datetime
from fractions import Fraction
from random import Random
from zoneinfo import ZoneInfo

from relay.core.envelope import Claim, Verdict
from relay.core.limits import HOUR, MINUTE, parse_limit
from relay.core.words import Stage
from relay.store.ports.sessions import SessionEvent
from tests.contract.scene import DEFERRED, NODE, SECOND, A, B, Scene, account, box, numbers, provider, result
from tests.judge import worst_window


async def a_slot_opens_one_instant_after_its_window(scene: Scene) -> None:
    await scene.route(account(A), providers=[provider("p", "2/10s")])
    await scene.mail(A, 1, 2, 3)
    first, second = await scene.work()
    await scene.advance(4)
    await scene.send(first)
    opens = scene.store.now() + 10 * SECOND + 1
    await scene.advance(1)
    await scene.send(second)
    assert (await scene.take()).wake_at == opens
    await scene.advance_to(opens - 1)
    assert (await scene.take()).claims == ()
    await scene.advance_to(opens)
    assert numbers((await scene.take()).claims) == ["m-3"]


async def an_attempt_under_way_holds_its_slot_however_long_it_takes(scene: Scene) -> None:
    await scene.route(account(A), providers=[provider("p", "1/s")])
    await scene.mail(A, 1, 2)
    (claim,) = await scene.work()
    await scene.advance(300)
    taken = await scene.take()
    assert taken.claims == ()
    await scene.send(claim)
    assert (await scene.take()).wake_at == scene.store.now() + SECOND + 1


async def a_total_wakes_whoever_waits_for_it(scene: Scene) -> None:
    await scene.route(account(A), account(B), providers=[provider("p", totals=["1/10s"])])
    await scene.mail(A, 1)
    await scene.mail(B, 2)
    await scene.send_all()
    opens = scene.store.now() + 10 * SECOND + 1
    assert (await scene.take()).wake_at == opens
    await scene.advance_to(opens - 1)
    assert await scene.work() == []
    await scene.advance_to(opens)
    assert len(await scene.work()) == 1


async def whoever_may_send_meanwhile_goes_next_though_only_a_heart_beat(scene: Scene) -> None:
    """Which of the two is first is not promised; that the total holds and the other one follows at once, is."""
    await scene.route(account(A), account(B), providers=[provider("p", totals=["1/5s"])])
    paused = result(Verdict.DEFERRED, "rate-limited", stage=Stage.MAIL, retry_after=2 * MINUTE)
    await scene.mail(A, 1, 2)
    (claim,) = await scene.work()
    await scene.send(claim, paused)
    await scene.mail(B, 3)
    await scene.advance(5.000001)
    (claim,) = await scene.work()
    await scene.send(claim, DEFERRED)
    for _ in range(60):
        await scene.advance(20)
    first = numbers(await scene.work())
    await scene.advance(5)
    assert await scene.work() == [], "the first of them holds the total while it is under way"
    for claim in list(scene.running):
        await scene.send(claim)
    await scene.advance(5.000001)
    second = numbers(await scene.work())
    assert [first, second] in ([["m-1"], ["m-3"]], [["m-3"], ["m-1"]])


async def limits_are_taken_together_or_not_at_all(scene: Scene) -> None:
    await scene.route(account(A), account(B), providers=[provider("p", "1/10s", totals=["2/10s"])])
    await scene.mail(A, 1, 2, 3)
    assert await scene.send_all() == ["m-1"], "its own limit is closed"
    await scene.mail(B, 4, 5)
    assert await scene.send_all() == ["m-4"], "what its neighbour could not take of the total is there"
    await scene.advance(10.000001)
    assert await scene.send_all() in (["m-2", "m-5"], ["m-5", "m-2"])


async def a_closed_total_costs_a_mailbox_nothing_of_its_own(scene: Scene) -> None:
    await scene.route(account(A), account(B), providers=[provider("p", "1/10s", totals=["1/5s"])])
    await scene.mail(B, 9)
    await scene.send_all()
    await scene.mail(A, 1)
    assert await scene.work() == []
    await scene.advance(5.000001)
    assert await scene.send_all() == ["m-1"]


async def every_limit_of_a_mailbox_binds(scene: Scene) -> None:
    limits = (parse_limit("3/h"),)
    await scene.route(account(A, limits=limits), providers=[provider("p", "2/10s")])
    await scene.mail(A, *range(5))
    assert len(await scene.send_all()) == 2
    await scene.advance(10.000001)
    assert len(await scene.send_all()) == 1
    await scene.advance(3580)
    assert await scene.send_all() == []
    await scene.advance(11)
    assert len(await scene.send_all()) == 2


async def one_doctors_limit_is_not_anothers(scene: Scene) -> None:
    await scene.route(account(A), account(B), providers=[provider("p", "1/h")])
    await scene.mail(A, 1, 2)
    await scene.mail(B, 3, 4)
    assert sorted(await scene.send_all()) == ["m-1", "m-3"]


async def accounts_of_one_mailbox_share_its_limit(scene: Scene) -> None:
    await scene.route(account(A, username="shared"), account(B, username="shared"), providers=[provider("p", "3/h")])
    await scene.mail(A, 1, 2, 3)
    await scene.mail(B, 4, 5)
    assert await scene.send_all() == ["m-1", "m-4", "m-2"]


async def bulk_leaves_express_its_share(scene: Scene) -> None:
    await scene.route(account(A), providers=[provider("p", "10/h", express_share=Fraction(1, 5))])
    await scene.mail(A, *range(12), client="batch")
    assert len(await scene.send_all()) == 8
    await scene.mail(A, 98, 99, client="somebody else")
    assert await scene.send_all() == ["m-98", "m-99"]


async def a_calendar_day_opens_five_minutes_after_midnight_in_rome(scene: Scene) -> None:
    await scene.route(account(A), providers=[provider("p", "2/calendar-day")])
    await scene.mail(A, 1, 2, 3)
    assert len(await scene.send_all()) == 2
    now = datetime.fromtimestamp(scene.store.now() / SECOND, ZoneInfo("Europe/Rome"))
    morning = now.replace(hour=0, minute=5, second=0, microsecond=0).timestamp() + 24 * 3600
    assert (await scene.take()).wake_at == round(morning) * SECOND
    await scene.advance_to(round(morning) * SECOND - 1)
    assert await scene.work() == []
    await scene.advance_to(round(morning) * SECOND)
    assert len(await scene.work()) == 1


async def the_memory_of_a_limit_survives_a_crash(scene: Scene) -> None:
    await scene.route(account(A), account(B), providers=[provider("p", "2/10m", totals=["3/10m"])])
    await scene.mail(A, 1, 2, 3)
    await scene.mail(B, 4, 5)
    assert len(await scene.send_all()) == 3
    opens = scene.store.now() + 10 * MINUTE + 1
    await scene.restart()
    assert await scene.work() == []
    await scene.advance_to(opens - 1)
    await scene.restart()
    assert await scene.work() == []
    await scene.advance_to(opens)
    assert len(await scene.work()) == 2


async def no_step_of_the_wall_clock_opens_a_window(scene: Scene) -> None:
    await scene.route(account(A), providers=[provider("p", "1/h")])
    await scene.mail(A, 1, 2)
    await scene.send_all()
    for step in (2 * 3600, -24 * 3600, 48 * 3600):
        scene.harness.step_wall_clock(step)
        assert await scene.work() == []
        await scene.restart()
        assert await scene.work() == []
    await scene.advance(3600.000001)
    assert len(await scene.work()) == 1


async def a_limit_that_becomes_longer_starts_with_its_past(scene: Scene) -> None:
    await scene.route(account(A), providers=[provider("p", "2/s")])
    await scene.mail(A, *range(6))
    await scene.send_all()
    await scene.advance(30 * 60)
    assert len(await scene.send_all()) == 2
    await scene.route(account(A), providers=[provider("p", "4/h")])
    assert await scene.work() == []
    await scene.advance(30 * 60 + 1)
    assert len(await scene.work()) == 2


async def a_limit_counts_the_mailbox_wherever_its_account_moves(scene: Scene) -> None:
    await scene.route(account(A), account(B), providers=[provider("p", "1/h")])
    await scene.mail(A, 1, 2)
    await scene.send_all()
    await scene.route(account(A, username="new"), account(B), providers=[provider("p", "1/h")])
    assert await scene.send_all() == ["m-2"], "another mailbox has its own limit"
    await scene.mail(A, 3)
    await scene.route(account(A), account(B), providers=[provider("p", "1/h")])
    assert await scene.work() == [], "the first mailbox is still remembered"


async def a_login_is_a_limit_too(scene: Scene) -> None:
    await scene.route(account(A), providers=[provider("p", login_limit=parse_limit("2/10m"))])
    await scene.mail(A, 1)
    for _ in range(2):
        taken = await scene.store.take(NODE, {}, 10)
        assert taken.open == {box(A): 1}
        await scene.advance(3)
        await scene.store.session(box(A), SessionEvent.OPENED)
        await scene.store.session(box(A), SessionEvent.CLOSED)
    opens = scene.store.now() - 3 * SECOND + 10 * MINUTE + 1
    taken = await scene.store.take(NODE, {}, 10)
    assert taken.open == {}
    assert taken.wake_at == opens
    await scene.advance_to(opens - 1)
    assert (await scene.store.take(NODE, {}, 10)).open == {}
    await scene.advance_to(opens)
    assert (await scene.store.take(NODE, {}, 10)).open == {box(A): 1}


async def a_day_limit_of_many_is_kept_over_a_crash(scene: Scene) -> None:
    await scene.route(account(A), providers=[provider("p", "4/d")])
    await scene.mail(A, *range(6))
    assert len(await scene.send_all()) == 4
    await scene.advance(24 * 3600)
    await scene.restart()
    assert await scene.work() == [], "a rolling day is taken as 25 hours"
    await scene.advance((HOUR + MINUTE) / SECOND)
    assert len(await scene.work()) == 2


async def nothing_exceeds_a_limit_and_nearly_all_of_it_is_used(scene: Scene) -> None:
    """A flood with random latencies and hang-ups, judged from the provider's side."""
    limits, span = ["3/2s", "20/60s"], 240
    await scene.route(account(A), account(B), providers=[provider("p", *limits, totals=["25/60s"], linger=SECOND)])
    await scene.mail(A, *range(90))
    await scene.mail(B, *range(100, 190))
    counted = await _flood(scene, Random(7), span)
    for sender in (A, B):
        own = [at for mailbox, at in counted if mailbox == box(sender)]
        assert worst_window(own, 2 * SECOND) <= 3
        assert worst_window(own, 60 * SECOND) <= 20
    total = [at for _, at in counted]
    assert worst_window(total, 60 * SECOND) <= 25
    assert len(total) >= 0.99 * 25 * span / (60 + 0.3)


async def _flood(scene: Scene, dice: Random, span: int) -> list[tuple[object, int]]:
    """Sends for so many seconds; what the provider counted, at random moments of the attempts."""
    counted: list[tuple[object, int]] = []
    ends: list[tuple[int, int, Claim]] = []
    until = scene.store.now() + span * SECOND
    while scene.store.now() < until:
        now = scene.store.now()
        for claim in await scene.work():
            latency = dice.randrange(1, 600_000)
            ends.append((now + latency, claim.attempt, claim))
            counted.append((claim.mailbox, now + dice.choice([0, latency, dice.randrange(latency)])))
        wake_at = (await scene.take()).wake_at or until
        ends.sort()
        await scene.advance_to(min([until, *(at for at, _, _ in ends[:1]), *([wake_at] if wake_at > now else [])]))
        while ends and ends[0][0] <= scene.store.now():
            await scene.send(ends.pop(0)[2])
    return counted
