"""Recipients that get many mails a day: listed by hash and domain, of each account and day by itself."""

from relay.core.busiest import LISTED_FROM, TOLD_FROM
from relay.core.concerns import ConcernKind
from relay.core.envelope import Kind
from relay.store.ports.recipients import BusyRecipient
from tests.contract.scene import NODE, A, B, Scene, account, message

PATIENT, OTHER = "paziente@Famiglia.test", "altro@famiglia.test"
DAY = 24 * 3600


async def _send(scene: Scene, many: int, sender: str = A, to: str = PATIENT, **more: object) -> None:
    await scene.harness.advance(1)  # an id is never given twice
    for number in range(many):
        await scene.store.put(message(f"{sender[0]}-{to[:3]}-{scene.store.now()}-{number}", sender, to, **more))


async def _listed(scene: Scene, sender: str | None = None, least: int = 0, most: int = 100) -> list[BusyRecipient]:
    return list(await scene.books.recipients.busiest(account=sender, least=least, most=most))


async def who_gets_many_is_listed_and_nobody_else(scene: Scene) -> None:
    await scene.route(account(A))
    await _send(scene, LISTED_FROM - 1)
    assert await _listed(scene) == []
    await _send(scene, 3)
    await _send(scene, LISTED_FROM - 1, to=OTHER)
    (found,) = await _listed(scene)
    assert (found.account, found.recipient_domain, found.many) == (A, "famiglia.test", LISTED_FROM + 2)
    assert "paziente" not in str(found)


async def each_account_counts_by_itself(scene: Scene) -> None:
    await scene.route(account(A, aliases=("info@studio.test",)), account(B))
    await _send(scene, LISTED_FROM)
    await _send(scene, LISTED_FROM + 1, B)
    assert [found.account for found in await _listed(scene)] == [B, A], "the most first"
    assert [found.account for found in await _listed(scene, "Info@Studio.test")] == [A]
    assert await _listed(scene, "nobody@studio.test") == []
    assert len(await _listed(scene, most=1)) == 1
    assert [found.account for found in await _listed(scene, least=LISTED_FROM + 1)] == [B]


async def each_day_counts_by_itself_and_the_day_before_yesterday_is_gone(scene: Scene) -> None:
    await scene.route(account(A))
    await _send(scene, LISTED_FROM)
    await scene.harness.advance(DAY)
    await _send(scene, LISTED_FROM + 5)
    first, second = await _listed(scene)
    assert (first.many, second.many) == (LISTED_FROM + 5, LISTED_FROM)
    assert (first.day - second.day).days == 1
    await scene.harness.advance(DAY)
    await _send(scene, LISTED_FROM)
    assert [found.many for found in await _listed(scene)] == [LISTED_FROM, LISTED_FROM + 5]


async def a_restart_counts_again_and_nothing_twice(scene: Scene) -> None:
    await scene.route(account(A))
    await _send(scene, LISTED_FROM)
    before = await _listed(scene)
    await scene.restart()
    assert await _listed(scene) == before
    await _send(scene, 1)
    assert [found.many for found in await _listed(scene)] == [LISTED_FROM + 1]


async def reports_of_ours_do_not_count(scene: Scene) -> None:
    await scene.route(account(A))
    await _send(scene, LISTED_FROM, kind=Kind.REPORT)
    assert await _listed(scene) == []


async def somebody_is_told_once_a_day_of_each_recipient(scene: Scene) -> None:
    await scene.route(account(A))
    await _send(scene, TOLD_FROM - 1)
    await scene.store.heartbeat(NODE)
    assert await _told(scene) == 0
    await _send(scene, 5)
    await scene.store.heartbeat(NODE)
    assert await _told(scene) == 1
    await _send(scene, TOLD_FROM, to=OTHER)
    await scene.store.heartbeat(NODE)
    assert await _told(scene) == 2
    await scene.restart()
    await scene.store.heartbeat(NODE)
    await _send(scene, 5)
    await scene.store.heartbeat(NODE)
    assert await _told(scene) == 2
    await scene.harness.advance(DAY)
    await _send(scene, TOLD_FROM)
    await scene.store.heartbeat(NODE)
    assert await _told(scene) == 3


async def _told(scene: Scene) -> int:
    """Of how many recipients and days somebody hears, none of them by name."""
    due = [each.concern for each in await scene.books.notices.due(100)]
    assert all(concern.kind is ConcernKind.MANY_TO_ONE for concern in due)
    assert not any("famiglia" in str(concern) for concern in due)
    return len(due)
