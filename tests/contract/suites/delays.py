"""Who waits longer than `queue.delay_notice` is told once, with what is known, and not five hundred times."""

from dataclasses import replace

from relay.core.envelope import Kind, Recipient
from relay.core.remedy import Needs
from relay.store.ports import OutboxKind
from tests.contract.clock import START
from tests.contract.scene import (
    BOUNCED,
    DEFERRED,
    HOUR,
    MAIL_REFUSED,
    SECOND,
    A,
    B,
    Scene,
    account,
    message,
    provider,
)

LATE = 4 * 3600
"""Seconds."""

TIMES = {"delay_notice": LATE * SECOND}


async def _late(scene: Scene) -> list[str]:
    """Whose notices are in the outbox."""
    return [entry.message for entry in await scene.store.outbox(100) if entry.kind is OutboxKind.DELAYED]


async def _waiting(scene: Scene) -> Scene:
    """A store in which one mail of A has to wait for a day."""
    scene = scene.under(**TIMES)
    await scene.route(account(A), account(B), providers=[provider("p", "1/1d")])
    await scene.mail(A, 0)
    await scene.send_all()
    await scene.mail(A, 1)
    return scene


async def a_mail_that_is_late_is_told_once_and_at_its_time(scene: Scene) -> None:
    scene = await _waiting(scene)
    taken = await scene.take()
    assert taken.wake_at == scene.store.now() + LATE * SECOND
    await scene.advance(LATE - 1)
    await scene.take()
    assert await _late(scene) == []
    await scene.advance(1)
    assert await _late(scene) == ["m-1"]
    (entry,) = await scene.store.outbox(10)
    assert (entry.reason, entry.account, entry.since) == ("limit", A, None)
    assert entry.delay is not None
    assert (entry.delay.until, entry.delay.others, entry.delay.needs) == (START + 72 * HOUR, 0, None)
    assert entry.delay.eta is not None
    assert abs(entry.delay.eta - (START + 25 * HOUR)) <= SECOND
    await scene.store.done(entry.id)
    await scene.advance(LATE)
    await scene.restart()
    await scene.advance(LATE)
    assert await _late(scene) == []


async def a_notice_is_owed_over_a_crash(scene: Scene) -> None:
    scene = await _waiting(scene)
    await scene.advance(LATE)
    assert await _late(scene) == ["m-1"]
    await scene.restart()
    assert await _late(scene) == ["m-1"]


async def what_became_late_while_nobody_ran_is_told_at_the_start(scene: Scene) -> None:
    scene = await _waiting(scene)
    await scene.harness.advance(LATE + 5)
    await scene.restart()
    await scene.advance(0)
    assert await _late(scene) == ["m-1"]


async def what_leaves_in_time_or_before_the_notice_was_sent_is_not_late(scene: Scene) -> None:
    scene = scene.under(**TIMES)
    await scene.route(account(A))
    await scene.mail(A, 1, 2)
    first, second = await scene.work()
    await scene.send(first)
    await scene.send(second, replace(DEFERRED, retry_after=2 * LATE * SECOND))
    await scene.advance(LATE)
    assert await _late(scene) == ["m-2"]
    await scene.advance(LATE)
    await scene.send_all()
    assert await _late(scene) == []
    assert (await scene.take()).wake_at is None


async def a_notice_says_who_has_to_act(scene: Scene) -> None:
    scene = scene.under(**TIMES)
    await scene.route(account(A), account(B))
    await scene.mail(A, 1, 2)
    for claim in await scene.work():
        await scene.end(claim, MAIL_REFUSED)
    await scene.advance(LATE)
    entries = await scene.store.outbox(10)
    assert [entry.message for entry in entries] == ["m-1", "m-2"]
    for entry in entries:
        assert entry.delay is not None
        assert (entry.reason, entry.delay.needs, entry.delay.others) == ("sender-refused", Needs.OWNER, 1)
        assert entry.is_mailbox_stopped


async def nobody_is_told_who_does_not_want_it(scene: Scene) -> None:
    scene = scene.under(**TIMES)
    await scene.route(account(A))
    await scene.close_mailbox(A)
    for number, notify in enumerate([("NEVER",), ("SUCCESS", "FAILURE"), ("FAILURE", "DELAY"), ()]):
        new = message(number, A)
        to = Recipient("paziente@example.test", notify)
        await scene.store.put(replace(new, envelope=replace(new.envelope, recipients=(to,))))
    await scene.store.put(message("report", A, kind=Kind.REPORT))
    nobody = message("nobody", A)
    await scene.store.put(replace(nobody, envelope=replace(nobody.envelope, sender="")))
    await scene.advance(LATE)
    assert await _late(scene) == ["m-2", "m-3"]


async def a_burst_is_not_told_mail_by_mail(scene: Scene) -> None:
    scene = scene.under(**TIMES)
    await scene.route(account(A), account(B))
    await scene.close_mailbox(A)
    await scene.mail(A, *range(10))
    await scene.mail(B, 20)
    await scene.close_mailbox(B)
    await scene.advance(LATE)
    assert await _late(scene) == ["m-0", "m-1", "m-2", "m-20"], "three of an account within an hour"
    assert all(entry.delay is not None for entry in await scene.store.outbox(10))
    first = (await scene.store.outbox(1))[0]
    assert first.delay is not None
    assert first.delay.others == 10, "and each says how many wait"
    await scene.mail(A, 11)
    await scene.advance(LATE)
    assert (await _late(scene))[4:] == ["m-11"]


async def a_bounce_is_not_late(scene: Scene) -> None:
    scene = await _waiting(scene)
    await scene.advance(LATE)
    await scene.advance(21 * 3600 + 1)
    await scene.send_all(BOUNCED)
    assert [entry.kind for entry in await scene.store.outbox(10)] == [OutboxKind.BOUNCE]


async def never_is_never(scene: Scene) -> None:
    await scene.route(account(A))
    await scene.close_mailbox(A)
    await scene.mail(A, 1)
    await scene.advance(10 * LATE)
    assert await _late(scene) == []
