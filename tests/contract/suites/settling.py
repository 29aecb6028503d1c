"""How attempts end: once, with their slots, with what follows, and each kind of ending with its next try."""

from dataclasses import replace
from datetime import date

from relay.core.envelope import Verdict
from relay.core.limits import HOUR, MINUTE
from relay.core.remedy import Needs
from relay.core.reply import Reply
from relay.core.routing import InDoubt
from tests.contract.scene import (
    BOUNCED,
    DEFERRED,
    DELIVERED,
    DROPPED,
    IN_DOUBT,
    LINGER,
    MAIL_REFUSED,
    NEVER_MAIL,
    NOT_NOW,
    NOT_UNDERSTOOD,
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

RETRY = 5 * 60
"""Seconds before the second try."""


async def a_delivery_that_is_not_understood_is_held_alone(scene: Scene) -> None:
    await scene.route(account(A))
    await scene.mail(A, 1, 2)
    first, second = await scene.work()
    assert await scene.send(first, NOT_UNDERSTOOD)
    view = await scene.store.message(first.message)
    assert view is not None
    (delivery,) = view.deliveries
    assert (delivery.state, delivery.reason, delivery.needs) == ("held", "protocol-error", Needs.OPS)
    assert await scene.send(second, DELIVERED)
    assert list(await scene.store.outbox(10)) == []
    assert [count.health for count in await scene.store.health_counts()] == ["ok"]


async def what_came_to_nothing_past_the_gate_is_in_doubt_whatever_was_heard(scene: Scene) -> None:
    await scene.route(account(A))
    await scene.mail(A, 1)
    (claim,) = await scene.work()
    await scene.send(claim, replace(IN_DOUBT, reply_class="protocol-error", reply=Reply(354, None, "more")))
    view = await scene.store.message(claim.message)
    assert view is not None
    (delivery,) = view.deliveries
    assert (delivery.reason, delivery.needs) == ("in-doubt", None)


async def an_attempt_ends_once(scene: Scene) -> None:
    await scene.route(account(A))
    await scene.mail(A, 1, 2)
    first, second = await scene.work()
    assert await scene.send(first, BOUNCED)
    assert not await scene.end(first, BOUNCED)
    assert not await scene.end(first, DEFERRED)
    assert await scene.send(second, DEFERRED)
    assert not await scene.end(second, DEFERRED)
    assert len(await scene.store.outbox(10)) == 1
    await scene.advance(RETRY)
    (again,) = await scene.work()
    assert (again.message, again.tries) == ("m-2", 1)


async def the_gate_is_shut_when_the_attempt_is_over(scene: Scene) -> None:
    await scene.route(account(A))
    await scene.mail(A, 1)
    (claim,) = await scene.work()
    assert await scene.store.gate(claim)
    await scene.end(claim, DEFERRED)
    assert not await scene.store.gate(claim)


async def a_deferred_delivery_is_tried_again_after_the_delay_for_its_tries(scene: Scene) -> None:
    await scene.route(account(A))
    await scene.mail(A, 1)
    for tries, delay in enumerate((5 * 60, 15 * 60, 30 * 60)):
        (claim,) = await scene.work()
        assert claim.tries == tries
        due = scene.store.now() + delay * SECOND
        await scene.send(claim, replace(DEFERRED, reply_class="recipient-refused"))
        await scene.advance_to(due - 1)
        assert await scene.work() == []
        await scene.advance_to(due)


async def a_longer_delay_that_the_reply_asks_for_is_kept(scene: Scene) -> None:
    await scene.route(account(A))
    await scene.mail(A, 1)
    (claim,) = await scene.work()
    asked = result(Verdict.DEFERRED, "greylisted", retry_after=47 * MINUTE)
    await scene.send(claim, asked)
    await scene.advance(47 * 60 - 1)
    assert await scene.work() == []
    await scene.advance(1)
    (claim,) = await scene.work()
    await scene.send(claim, result(Verdict.DEFERRED, "greylisted", retry_after=1 * MINUTE))
    await scene.advance(15 * 60 - 1)
    assert await scene.work() == [], "a shorter one does not shorten the delay"


async def a_next_try_survives_a_crash(scene: Scene) -> None:
    await scene.route(account(A))
    await scene.mail(A, 1)
    (claim,) = await scene.work()
    await scene.send(claim, DEFERRED)
    await scene.restart()
    assert await scene.work() == []
    await scene.advance(RETRY)
    (claim,) = await scene.work()
    assert claim.tries == 1


async def a_dropped_claim_costs_the_delivery_nothing(scene: Scene) -> None:
    await scene.route(account(A))
    await scene.mail(A, 1)
    (claim,) = await scene.work()
    assert await scene.end(claim, DROPPED)
    (again,) = await scene.work()
    assert (again.delivery, again.tries) == (claim.delivery, 0)
    assert again.attempt != claim.attempt


# slots


async def a_slot_comes_back_if_mail_was_not_written(scene: Scene) -> None:
    await scene.route(account(A), account(B), providers=[provider("p", "1/m", totals=["1/m"])])
    await scene.mail(A, 1, 2)
    (claim,) = await scene.work()
    await scene.end(claim, NEVER_MAIL)
    (other,) = await scene.work()
    assert other.message == "m-2", "the slot is free, and the delay of the first is not shortened"
    await scene.advance(RETRY - 1)
    await scene.send(other)


async def a_slot_is_kept_whatever_the_outcome_if_mail_was_written(scene: Scene) -> None:
    for outcome in (DELIVERED, DEFERRED, BOUNCED, result(Verdict.DROPPED, "dropped", reply=None)):
        each = scene.another()
        await each.route(account(A), providers=[provider("p", "1/m")])
        await each.mail(A, 1, 2)
        (claim,) = await each.work()
        ended = each.store.now()
        await each.end(claim, outcome)
        assert await each.work() == []
        await each.advance_to(ended + MINUTE)
        assert await each.work() == []
        await each.advance_to(ended + MINUTE + 1)
        assert len(await each.work()) == 1


async def an_attempt_whose_last_reply_is_missing_ends_after_linger(scene: Scene) -> None:
    await scene.route(account(A), providers=[provider("p", "1/m")])
    await scene.mail(A, 1, 2)
    (claim,) = await scene.work()
    await scene.advance(3)
    opens = scene.store.now() + LINGER * SECOND + MINUTE + 1
    await scene.end(claim, result(Verdict.DEFERRED, "greylisted", reply=None, is_end_known=False))
    taken = await scene.take()
    assert taken.claims == ()
    assert taken.wake_at == opens
    await scene.advance_to(opens - 1)
    assert await scene.work() == []
    await scene.advance_to(opens)
    assert len(await scene.work()) == 1


# held


async def a_refused_mailbox_keeps_its_mail_in_place_and_stops_alone(scene: Scene) -> None:
    await scene.route(account(A), account(B))
    await scene.mail(A, 1, 2)
    await scene.mail(B, 3)
    claims = {claim.message: claim for claim in await scene.work()}
    await scene.end(claims["m-1"], MAIL_REFUSED)
    await scene.end(claims["m-2"], DROPPED)
    assert await scene.work() == []
    await scene.send(claims["m-3"])
    await scene.mail(B, 4)
    assert await scene.send_all() == ["m-4"]
    assert await scene.store.outbox(10) == [], "such a refusal bounces nothing"


async def a_stopped_mailbox_is_tried_by_one_probe_at_its_time(scene: Scene) -> None:
    await scene.route(account(A))
    await scene.mail(A, 1, 2, 3)
    claims = await scene.work()
    for claim in claims:
        await scene.end(claim, MAIL_REFUSED if claim is claims[0] else DROPPED)
    probe_at = (await scene.take()).wake_at
    assert probe_at == scene.store.now() + 24 * HOUR
    await scene.advance_to(probe_at - 1)
    assert await scene.work() == []
    await scene.advance_to(probe_at)
    (probe,) = await scene.work()
    assert (probe.message, probe.is_probe, probe.tries) == ("m-1", True, 0)
    await scene.send(probe)
    rest = await scene.work()
    assert numbers(rest) == ["m-2", "m-3"]
    assert not any(claim.is_probe for claim in rest)


async def a_probe_that_is_refused_waits_longer(scene: Scene) -> None:
    await scene.route(account(A))
    await scene.mail(A, 1)
    for pause in (5, 15, 30, 60, 60):
        (claim,) = await scene.work()
        await scene.end(claim, NOT_NOW)
        await scene.advance(pause * 60 - 1)
        assert await scene.work() == []
        await scene.advance(1)
    assert len(await scene.work()) == 1


# in doubt


async def what_is_in_doubt_is_sent_once_more_after_linger(scene: Scene) -> None:
    await scene.route(account(A))
    await scene.mail(A, 1)
    (claim,) = await scene.work()
    await scene.send(claim, IN_DOUBT)
    await scene.advance(LINGER - 1)
    assert await scene.work() == []
    await scene.advance(1)
    (again,) = await scene.work()
    assert (again.delivery, again.doubts) == (claim.delivery, 1)


async def a_second_doubt_holds_it(scene: Scene) -> None:
    await scene.route(account(A))
    await scene.mail(A, 1)
    for _ in range(2):
        (claim,) = await scene.work()
        await scene.send(claim, IN_DOUBT)
        await scene.advance(10 * LINGER)
    assert await scene.work() == []
    (count,) = await scene.store.queue_counts()
    assert (count.waiting, count.held) == (0, 1)
    assert await scene.store.outbox(10) == []


async def an_account_may_hold_what_is_in_doubt_at_once(scene: Scene) -> None:
    await scene.route(account(A, in_doubt=InDoubt.HOLD))
    await scene.mail(A, 1)
    (claim,) = await scene.work()
    await scene.send(claim, IN_DOUBT)
    await scene.advance(10 * LINGER)
    assert await scene.work() == []


async def a_connection_that_broke_before_the_gate_is_not_in_doubt(scene: Scene) -> None:
    await scene.route(account(A))
    await scene.mail(A, 1)
    (claim,) = await scene.work()
    await scene.end(claim, IN_DOUBT)
    await scene.advance(RETRY)
    (again,) = await scene.work()
    assert again.doubts == 0


# lifetimes


async def what_is_too_old_bounces_and_says_why(scene: Scene) -> None:
    await scene.route(account(A))
    await scene.store.put(message(1, A, lifetime=20 * MINUTE))
    for delay in (5, 15):
        (claim,) = await scene.work()
        await scene.send(claim, DEFERRED)
        await scene.advance(delay * 60)
    assert await scene.work() == []
    (entry,) = await scene.store.outbox(10)
    assert (entry.message, entry.reason) == ("m-1", "greylisted")


async def what_nobody_tried_expires_as_such(scene: Scene) -> None:
    await scene.route(account(A, lifetime=10 * MINUTE))
    await scene.mail(A, 1)
    await scene.advance(600)
    assert await scene.work() == []
    (entry,) = await scene.store.outbox(10)
    assert entry.reason == "expired"


async def a_stopped_mailbox_keeps_its_mail_for_the_longer_lifetime(scene: Scene) -> None:
    await scene.route(account(A, lifetime=10 * MINUTE))
    await scene.mail(A, 1)
    (claim,) = await scene.work()
    await scene.end(claim, MAIL_REFUSED)
    await scene.close(box(A))
    await scene.advance(3600)
    assert await scene.store.outbox(10) == []
    await scene.advance(7 * 24 * 3600)
    await scene.take()
    (entry,) = await scene.store.outbox(10)
    assert entry.reason == "sender-refused"


async def what_is_dated_is_worth_nothing_after_its_day_even_while_its_mailbox_is_stopped(scene: Scene) -> None:
    await scene.route(account(A))
    await scene.mail(A, 1, lifetime=2 * HOUR, is_dated=True)
    await scene.mail(A, 2)
    (claim,) = await scene.work(1)
    await scene.end(claim, MAIL_REFUSED)
    await scene.close(box(A))
    await scene.advance(2 * 3600)
    await scene.take()
    (entry,) = await scene.store.outbox(10)
    assert (entry.message, entry.reason) == ("m-1", "sender-refused")
    assert entry.deadline is not None, "its report says that the time was its own"
    assert entry.deadline - entry.accepted_at == 2 * HOUR


async def what_is_dated_never_waits_longer_than_its_account_lets_it(scene: Scene) -> None:
    await scene.route(account(A, lifetime=10 * MINUTE))
    await scene.mail(A, 1, lifetime=2 * HOUR, is_dated=True)
    await scene.advance(600)
    assert await scene.work() == []
    (entry,) = await scene.store.outbox(10)
    assert entry.message == "m-1"


async def what_a_retired_account_has_queued_still_leaves(scene: Scene) -> None:
    await scene.route(account(A, retires=date(2027, 1, 15)), providers=[provider("p", "1/1h")])
    await scene.mail(A, 1, 2)
    (claim,) = await scene.work()
    await scene.send(claim, DELIVERED)
    await scene.advance(24 * 3600)
    (late,) = await scene.work()
    assert late.message == "m-2"


async def what_a_retired_account_has_queued_and_cannot_send_bounces(scene: Scene) -> None:
    await scene.route(account(A, retires=date(2027, 1, 15)))
    await scene.mail(A, 1)
    await scene.advance(3 * 24 * 3600)
    assert await scene.work() == []
    (entry,) = await scene.store.outbox(10)
    assert (entry.message, entry.reason) == ("m-1", "expired")
