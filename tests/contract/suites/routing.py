"""The routing in force: what waits follows its account, what is under way keeps its route, and who is gone is held."""

from relay.core.routing import Routing
from relay.errors import StaleRouting
from tests.contract.scene import (
    AUTH_REFUSED,
    DEFERRED,
    DROPPED,
    MAIL_REFUSED,
    NODE,
    OTHER,
    A,
    B,
    Scene,
    account,
    box,
    numbers,
    provider,
)


async def nothing_is_in_force_at_first(scene: Scene) -> None:
    assert await scene.store.applied() is None
    assert (await scene.take()).claims == ()


async def what_is_in_force_is_kept_over_a_crash(scene: Scene) -> None:
    given = Routing(providers={"p": provider("p", "8/m")}, accounts={A: account(A), B: account(B)})
    version = await scene.store.apply(given, {box(A): "print", box(B): None})
    await scene.restart()
    applied = await scene.store.applied()
    assert applied is not None
    assert (applied.version, applied.routing) == (version, given)
    assert dict(applied.fingerprints) == {box(A): "print", box(B): None}


async def an_equal_routing_is_no_new_version(scene: Scene) -> None:
    first = await scene.route(account(A))
    assert await scene.route(account(A)) == first
    second = await scene.route(account(A), account(B))
    assert second > first
    assert await scene.route(account(A)) > second


async def what_waits_follows_its_account_in_order(scene: Scene) -> None:
    await scene.route(account(A))
    await scene.mail(A, 1, 2, 3)
    await scene.route(account(A, "q"))
    claims = await scene.work()
    assert numbers(claims) == ["m-1", "m-2", "m-3"]
    assert {claim.mailbox for claim in claims} == {box(A, "q")}


async def what_waits_for_its_next_try_follows_too(scene: Scene) -> None:
    await scene.route(account(A))
    await scene.mail(A, 1)
    (claim,) = await scene.work()
    await scene.send(claim, DEFERRED)
    await scene.route(account(A, "q"))
    assert await scene.work() == []
    await scene.advance(300)
    (claim,) = await scene.work()
    assert claim.mailbox == box(A, "q")


async def what_a_stopped_mailbox_held_goes_through_the_new_one_at_once(scene: Scene) -> None:
    await scene.route(account(A))
    await scene.mail(A, 1)
    (claim,) = await scene.work()
    await scene.end(claim, MAIL_REFUSED)
    await scene.route(account(A, "q"))
    (claim,) = await scene.work()
    assert (claim.mailbox, claim.is_probe) == (box(A, "q"), False)


async def an_attempt_under_way_keeps_its_route(scene: Scene) -> None:
    await scene.route(account(A), account(B), providers=[provider("p", "1/h")])
    await scene.mail(A, 1)
    (claim,) = await scene.work()
    await scene.route(account(A, "q"), account(B, username=A), providers=[provider("p", "1/h")])
    await scene.mail(B, 2)
    await scene.mail(A, 3)
    assert [(c.message, c.mailbox) for c in await scene.work()] == [("m-3", box(A, "q"))]
    assert await scene.send(claim)
    assert await scene.work() == [], "its slot is the old mailbox's"


async def what_comes_back_from_the_old_route_takes_the_new_one(scene: Scene) -> None:
    await scene.route(account(A))
    await scene.mail(A, 1)
    (claim,) = await scene.work()
    await scene.route(account(A, "q"))
    await scene.end(claim, DROPPED)
    (claim,) = await scene.work()
    assert claim.mailbox == box(A, "q")


async def a_removed_accounts_mail_is_held_and_not_lost(scene: Scene) -> None:
    await scene.route(account(A), account(B))
    await scene.mail(A, 1, 2)
    await scene.route(account(B))
    assert await scene.work() == []
    counts = {count.provider: count for count in await scene.store.queue_counts()}
    assert "none" in counts
    assert (counts["none"].waiting, counts["none"].held) == (0, 2)
    await scene.restart()
    assert await scene.work() == []
    await scene.route(account(A), account(B))
    assert numbers(await scene.work()) == ["m-1", "m-2"]


async def mail_without_credentials_is_held_and_no_login_is_tried(scene: Scene) -> None:
    await scene.route(account(A), account(B), credentials={A: None})
    await scene.mail(A, 1)
    await scene.mail(B, 2)
    taken = await scene.take()
    assert taken.open == {box(B): 1}
    (count,) = await scene.store.queue_counts()
    assert (count.provider, count.waiting, count.held) == ("p", 1, 1)
    await scene.open(box(B))
    await scene.restart()
    assert await scene.send_all() == ["m-2"]
    await scene.route(account(A), account(B), credentials={A: "there"})
    assert await scene.send_all() == ["m-1"]


async def credentials_that_are_taken_away_hold_the_mail(scene: Scene) -> None:
    await scene.route(account(A))
    await scene.mail(A, 1)
    await scene.route(account(A), credentials={A: None})
    assert (await scene.take()).open == {}
    await scene.route(account(A))
    assert numbers(await scene.work()) == ["m-1"]


async def another_fingerprint_wakes_a_stopped_mailbox(scene: Scene) -> None:
    await scene.route(account(A))
    await scene.mail(A, 1)
    (claim,) = await scene.work()
    await scene.end(claim, MAIL_REFUSED)
    assert await scene.work() == []
    await scene.route(account(A), credentials={A: "second"})
    (claim,) = await scene.work()
    assert not claim.is_probe


async def a_credential_that_was_refused_within_the_hour_is_not_new_when_it_is_set_again(scene: Scene) -> None:
    await scene.route(account(A))
    await scene.mail(A, 1)
    for credential, is_tried in [("first", True), ("second", True), ("first", False), ("second", False)]:
        await scene.route(account(A), credentials={A: credential})
        opened = (await scene.store.take(NODE, {}, 10)).open
        assert opened == ({box(A): 1} if is_tried else {}), credential
        if is_tried:
            await scene.store.refused(box(A), AUTH_REFUSED)
    await scene.route()
    await scene.route(account(A), credentials={A: None})
    await scene.restart()
    await scene.route(account(A))
    assert (await scene.store.take(NODE, {}, 10)).open == {}, "taken away and set again"
    await scene.route(account(A), credentials={A: "third"})
    await scene.route(account(A))
    assert (await scene.store.take(NODE, {}, 10)).open == {}, "another one in between that nobody tried"
    await scene.route(account(A), credentials={A: "third"})
    assert await scene.send_all() == ["m-1"]


async def a_credential_that_was_refused_long_ago_is_tried_again(scene: Scene) -> None:
    await scene.route(account(A))
    await scene.mail(A, 1)
    await scene.close_mailbox(A)
    await scene.route(account(A), credentials={A: "second"})
    assert (await scene.store.take(NODE, {}, 10)).open == {box(A): 1}
    await scene.store.refused(box(A), AUTH_REFUSED)
    await scene.advance(3599)
    await scene.route(account(A), credentials={A: "third"})
    await scene.advance(2)
    await scene.route(account(A))
    assert (await scene.store.take(NODE, {}, 10)).open == {box(A): 1}


async def an_edit_of_one_account_leaves_another_stopped(scene: Scene) -> None:
    await scene.route(account(A), account(B))
    await scene.mail(A, 1)
    (claim,) = await scene.work()
    await scene.end(claim, MAIL_REFUSED)
    await scene.route(account(A), account(B, weight=3), credentials={B: "second"})
    assert await scene.work() == []


async def new_limits_bind_at_once(scene: Scene) -> None:
    await scene.route(account(A))
    await scene.mail(A, *range(5))
    await scene.route(account(A), providers=[provider("p", "2/m")])
    assert len(await scene.work()) == 2


async def who_looked_before_another_edit_does_not_undo_it(scene: Scene) -> None:
    """What a node makes of what is in force counts only while that is in force."""
    await scene.route(account(A))
    seen = await scene.store.applied()
    assert seen is not None
    version = await scene.store.apply_on(seen, seen.routing, {box(A): "second"})
    assert version == seen.version
    try:
        await scene.store.apply_on(seen, Routing(), {})
    except StaleRouting:
        seen = await scene.store.applied()
    else:
        raise AssertionError("an old look was as good as a new one")
    assert seen is not None
    assert dict(seen.fingerprints) == {box(A): "second"}
    await scene.route(account(A), account(B))
    try:
        await scene.store.apply_on(seen, Routing(), {})
    except StaleRouting:
        return
    raise AssertionError("an old routing was put in force again")


async def an_older_node_is_told_to_load_the_routing(scene: Scene) -> None:
    """For adapters that serve several processes."""
    await scene.route(account(A))
    await scene.mail(A, 1)
    peer = scene.harness.peer()
    if peer is None:
        return
    await scene.route(account(A, "q"))
    try:
        await peer.take(OTHER, {}, 10)
    except StaleRouting:
        applied = await peer.applied()
    else:
        raise AssertionError("an older node was given work")
    assert applied is not None
    assert applied.routing.accounts[A].mailbox == box(A, "q")
    assert (await peer.take(OTHER, {}, 10)).open == {box(A, "q"): 1}
    assert (await scene.store.take(NODE, {}, 10)).open == {}
