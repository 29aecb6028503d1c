"""What is held: the mail behind a stop that somebody has to mend, be it the mailbox's or its provider's."""

from dataclasses import replace

from relay.core.envelope import LoginFailure
from relay.core.remedy import Needs
from relay.store.ports.reading import MessageQuery
from tests.contract.clock import START
from tests.contract.scene import DEFERRED, HOST_DOWN, HOST_UNTRUSTED, HOUR, NODE, A, B, Scene, account

BUSY = replace(DEFERRED, reply_class="recipient-mailbox-full")

LIFETIME, HOLD = 72 * 3600, 168 * 3600
"""Seconds, as the settings have them."""


async def _behind(scene: Scene, failure: LoginFailure) -> None:
    """Mail of A and B behind a provider whose host failed, and nobody has a session."""
    await scene.route(account(A), account(B))
    await scene.mail(A, 1)
    await scene.mail(B, 2)
    opened = (await scene.store.take(NODE, {}, 100)).open
    for mailbox in opened:
        await scene.store.refused(mailbox, failure)


async def _states(scene: Scene) -> list[str]:
    return sorted(each.state for each in (await scene.store.messages(MessageQuery())).items)


async def _counts(scene: Scene) -> list[tuple[int, int]]:
    return [(count.waiting, count.held) for count in await scene.store.queue_counts()]


async def a_provider_that_somebody_has_to_mend_holds_its_mail(scene: Scene) -> None:
    await _behind(scene, HOST_UNTRUSTED)
    assert await _states(scene) == ["held", "held"]
    assert await _counts(scene) == [(0, 2)]
    assert len((await scene.store.messages(MessageQuery(states=frozenset({"held"})))).items) == 2
    assert (await scene.store.messages(MessageQuery(states=frozenset({"waiting"})))).items == ()
    view = await scene.store.message("m-1")
    assert view is not None
    (delivery,) = view.deliveries
    assert (delivery.reason, delivery.needs) == ("tls-untrusted", Needs.ADMIN)


async def a_provider_that_time_heals_lets_its_mail_wait(scene: Scene) -> None:
    await _behind(scene, HOST_DOWN)
    assert await _states(scene) == ["waiting", "waiting"]
    assert await _counts(scene) == [(2, 0)]
    await scene.advance(LIFETIME)
    assert [(entry.reason, entry.since) for entry in await scene.store.outbox(10)] == [("network", START)] * 2


async def what_a_provider_holds_lives_as_long_as_what_is_held(scene: Scene) -> None:
    await _behind(scene, HOST_UNTRUSTED)
    await scene.advance(LIFETIME + 1)
    assert await scene.store.outbox(10) == []
    assert await _states(scene) == ["held", "held"]
    await scene.advance(HOLD - LIFETIME - 1)
    entries = await scene.store.outbox(10)
    assert [(entry.reason, entry.since) for entry in entries] == [("tls-untrusted", START)] * 2


async def what_a_provider_held_leaves_at_once_when_it_is_mended(scene: Scene) -> None:
    await _behind(scene, HOST_UNTRUSTED)
    await scene.advance(LIFETIME + 24 * 3600)
    (probing,) = (await scene.store.take(NODE, {}, 100)).open
    await scene.open(probing)
    assert await _states(scene) == ["waiting", "waiting"]
    assert await _counts(scene) == [(2, 0)]
    assert sorted(await scene.send_all()) == ["m-1", "m-2"]


async def what_is_refused_again_for_the_same_reason_keeps_its_first_time(scene: Scene) -> None:
    await scene.route(account(A))
    await scene.mail(A, 1)
    for since, outcome in ((0, DEFERRED), (0, DEFERRED), (2, BUSY), (3, DEFERRED), (3, DEFERRED)):
        (claim,) = await scene.work()
        await scene.send(claim, outcome)
        view = await scene.store.message("m-1")
        assert view is not None
        assert (view.deliveries[0].reason, view.deliveries[0].since) == (outcome.reply_class, START + since * HOUR)
        await scene.advance(3600)
    await scene.advance(LIFETIME)
    (entry,) = await scene.store.outbox(10)
    assert (entry.reason, entry.since) == (DEFERRED.reply_class, START + 3 * HOUR)


async def a_notice_of_what_is_held_names_the_end_of_its_hold(scene: Scene) -> None:
    scene = scene.under(delay_notice=4 * HOUR)
    await _behind(scene, HOST_UNTRUSTED)
    await scene.advance(4 * 3600)
    entry, _ = await scene.store.outbox(10)
    assert entry.delay is not None
    assert (entry.reason, entry.delay.needs) == ("tls-untrusted", Needs.ADMIN)
    assert entry.delay.until == START + 168 * HOUR


async def what_stops_it_may_change_its_name(scene: Scene) -> None:
    await _behind(scene, HOST_DOWN)
    await scene.advance(3600)
    (probing,) = (await scene.store.take(NODE, {}, 100)).open
    await scene.store.refused(probing, replace(HOST_UNTRUSTED, fault="tls-expired"))
    assert await _states(scene) == ["held", "held"]
    view = await scene.store.message("m-2")
    assert view is not None
    assert (view.deliveries[0].reason, view.deliveries[0].since) == ("tls-expired", START + HOUR)
