"""Logging in: who may, how often, how many at once, and whose trouble a refusal is."""

from dataclasses import replace

from relay.core.limits import HOUR, MINUTE, parse_limit
from relay.core.words import MailboxId
from relay.store.ports.sessions import SessionEvent
from tests.contract.scene import (
    AUTH_LATER,
    AUTH_REFUSED,
    CROWDED,
    HOST_DOWN,
    LOGIN_CROWDED,
    NODE,
    OTHER,
    SECOND,
    A,
    B,
    C,
    Scene,
    account,
    box,
    numbers,
    provider,
)

CROWD_SECONDS = 45


async def _wanted(scene: Scene) -> dict[MailboxId, int]:
    """Sessions that the store wants opened, asked without an idle one to claim anything with."""
    return dict((await scene.store.take(NODE, {}, 100)).open)


async def only_who_has_mail_logs_in(scene: Scene) -> None:
    await scene.route(account(A), account(B))
    assert await _wanted(scene) == {}
    await scene.mail(A, 1)
    assert await _wanted(scene) == {box(A): 1}


async def what_is_named_is_reserved(scene: Scene) -> None:
    await scene.route(account(A))
    await scene.mail(A, 1)
    assert await _wanted(scene) == {box(A): 1}
    assert await _wanted(scene) == {}


async def mailboxes_that_a_node_leaves_to_others_keep_their_turns_and_keep_nobody_waiting(scene: Scene) -> None:
    """A node cannot log in as them: its `env:` or `file:` has nothing for them."""
    await scene.route(account(A), account(B), account(C), providers=[provider("p", total_connections=4)])
    for sender in (A, B, C):
        await scene.mail(sender, sender)
    scene.store.leave([box(A), box(B)])
    assert await _wanted(scene) == {box(C): 1}
    assert (await scene.store.take(NODE, {}, 100)).wake_at is None
    peer = scene.harness.peer()
    if peer is not None:
        assert (await peer.take(OTHER, {}, 100)).open == {box(A): 1}, "of new ones half of the places, and no more"
        await peer.session(box(A), SessionEvent.DECLINED)
    scene.store.leave([box(B)])
    assert await _wanted(scene) == {box(A): 1}, "the first in order again"


async def nobody_logs_in_without_room_in_its_own_limits(scene: Scene) -> None:
    await scene.route(account(A), providers=[provider("p", "1/m")])
    await scene.mail(A, 1, 2)
    await scene.send_all()
    await scene.close(box(A))
    opens = scene.store.now() + MINUTE + 1
    taken = await scene.take()
    assert taken.open == {}
    assert taken.wake_at == opens
    await scene.advance_to(opens)
    assert await _wanted(scene) == {box(A): 1}


async def who_is_next_logs_in_while_a_total_is_closed(scene: Scene) -> None:
    await scene.route(account(A), account(B), providers=[provider("p", totals=["1/m"])])
    await scene.mail(A, 1)
    await scene.send_all()
    await scene.mail(B, 2)
    assert await _wanted(scene) == {box(B): 1}


async def until_a_login_has_worked_one_is_tried_at_a_time(scene: Scene) -> None:
    await scene.route(account(A), providers=[provider("p", connections=3)])
    await scene.mail(A, *range(5))
    assert await _wanted(scene) == {box(A): 1}
    await scene.open(box(A))
    assert await _wanted(scene) == {box(A): 2}


async def no_mailbox_has_more_sessions_than_it_may_or_can_use(scene: Scene) -> None:
    await scene.route(account(A), account(B), providers=[provider("p", connections=3)])
    await scene.mail(A, *range(9))
    await scene.mail(B, 20, 21)
    await scene.log_in()
    assert scene.sessions == {box(A): 3, box(B): 2}


async def a_provider_has_a_ceiling_for_all(scene: Scene) -> None:
    await scene.route(account(A), account(B), account(C, "q"), providers=[provider("p", total_connections=1)])
    await scene.mail(A, 1)
    await scene.mail(B, 2)
    await scene.mail(C, 3)
    wanted = await _wanted(scene)
    assert wanted == {box(A): 1, box(C, "q"): 1}
    await scene.open(box(A))
    await scene.open(box(C, "q"))
    assert await _wanted(scene) == {}
    await scene.close(box(A))
    assert sum((await _wanted(scene)).values()) == 1


async def an_idle_session_makes_place_for_who_needs_it(scene: Scene) -> None:
    await scene.route(account(A), account(B), providers=[provider("p", total_connections=1)])
    await scene.mail(A, 1)
    assert await scene.send_all() == ["m-1"]
    assert (await scene.take()).close == {}, "nobody else needs it"
    await scene.mail(B, 2)
    taken = await scene.take()
    assert taken.close == {box(A): 1}
    await scene.close(box(A))
    assert numbers(await scene.work()) == ["m-2"]


async def a_declined_session_costs_nothing(scene: Scene) -> None:
    await scene.route(account(A), providers=[provider("p", login_limit=parse_limit("2/10m"))])
    await scene.mail(A, 1)
    for _ in range(5):
        assert await _wanted(scene) == {box(A): 1}
        await scene.store.session(box(A), SessionEvent.DECLINED)


async def a_closed_session_may_be_opened_again(scene: Scene) -> None:
    await scene.route(account(A), providers=[provider("p", connections=1)])
    await scene.mail(A, 1)
    await scene.log_in()
    assert await _wanted(scene) == {}
    await scene.close(box(A))
    assert await _wanted(scene) == {box(A): 1}


async def who_hangs_up_after_the_login_is_left_alone_longer_each_time(scene: Scene) -> None:
    await scene.route(account(A), account(B))
    await scene.mail(A, 1)
    for seconds in (10, 30, 60):
        assert await _wanted(scene) == {box(A): 1}
        await scene.open(box(A))
        await scene.store.session(box(A), SessionEvent.LOST)
        scene.sessions[box(A)] -= 1
        assert await _wanted(scene) == {}
        view = await scene.store.account(A)
        assert view is not None
        assert (view.health, view.reason) == ("waiting", "network")
        await scene.mail(B, seconds)
        await scene.log_in()
        assert await scene.send_all() == [f"m-{seconds}"], "a neighbour's sessions are fine"
        await scene.advance(seconds - 1)
        assert await _wanted(scene) == {}
        await scene.advance(1)
    await scene.log_in()
    assert await scene.send_all() == ["m-1"]
    view = await scene.store.account(A)
    assert view is not None
    assert view.health == "ok"


async def a_session_that_is_left_is_used_although_there_are_too_many(scene: Scene) -> None:
    await scene.route(account(A), providers=[provider("p", connections=2)])
    await scene.mail(A, 1, 2)
    assert await _wanted(scene) == {box(A): 1}
    await scene.open(box(A))
    assert await _wanted(scene) == {box(A): 1}
    await scene.store.refused(box(A), LOGIN_CROWDED)
    view = await scene.store.account(A)
    assert view is not None
    assert view.health == "ok"
    assert sorted(await scene.send_all()) == ["m-1", "m-2"]


# refused


async def a_refused_password_stops_that_mailbox_alone(scene: Scene) -> None:
    await scene.route(account(A), account(B))
    await scene.mail(A, 1)
    await scene.mail(B, 2)
    assert await _wanted(scene) == {box(A): 1, box(B): 1}
    await scene.store.refused(box(A), AUTH_REFUSED)
    await scene.open(box(B))
    assert await scene.send_all() == ["m-2"]
    taken = await scene.take()
    assert taken.open == {}
    assert taken.wake_at == scene.store.now() + HOUR


async def a_refused_password_is_tried_after_an_hour_then_six_then_daily(scene: Scene) -> None:
    await scene.route(account(A))
    await scene.mail(A, 1)
    for hours in (1, 6, 24, 24):
        assert await _wanted(scene) == {box(A): 1}
        await scene.store.refused(box(A), AUTH_REFUSED)
        await scene.advance(hours * 3600 - 1)
        assert await _wanted(scene) == {}
        await scene.advance(1)


async def a_refused_login_spends_no_try_of_a_message(scene: Scene) -> None:
    await scene.route(account(A))
    await scene.mail(A, 1)
    await _wanted(scene)
    await scene.store.refused(box(A), AUTH_REFUSED)
    await scene.advance(3600)
    (claim,) = await scene.work()
    assert (claim.tries, claim.doubts) == (0, 0)


async def a_login_that_works_again_frees_the_mailbox(scene: Scene) -> None:
    await scene.route(account(A))
    await scene.mail(A, 1, 2)
    await _wanted(scene)
    await scene.store.refused(box(A), AUTH_REFUSED)
    await scene.advance(3600)
    assert numbers(await scene.work()) == ["m-1", "m-2"]


async def a_refused_login_stops_a_mailbox_over_a_crash(scene: Scene) -> None:
    await scene.route(account(A))
    await scene.mail(A, 1)
    await _wanted(scene)
    await scene.store.refused(box(A), AUTH_REFUSED)
    await scene.restart()
    assert await _wanted(scene) == {}
    await scene.advance(3600)
    assert await _wanted(scene) == {box(A): 1}


async def a_new_password_is_tried_at_once(scene: Scene) -> None:
    await scene.route(account(A))
    await scene.mail(A, 1)
    await _wanted(scene)
    await scene.store.refused(box(A), AUTH_REFUSED)
    mark = (await scene.take()).mark
    await scene.route(account(A), credentials={A: "second"})
    await scene.store.wait(mark, None)
    assert await _wanted(scene) == {box(A): 1}


async def credentials_that_were_refused_are_unproven_again(scene: Scene) -> None:
    await scene.route(account(A), providers=[provider("p", connections=3)])
    await scene.mail(A, *range(5))
    assert await _wanted(scene) == {box(A): 1}
    await scene.open(box(A))
    assert await _wanted(scene) == {box(A): 2}
    await scene.store.refused(box(A), AUTH_REFUSED)
    await scene.store.refused(box(A), AUTH_REFUSED)
    await scene.close(box(A))
    await scene.advance(6 * 3600)
    assert await _wanted(scene) == {box(A): 1}


# too many sessions


async def a_session_too_many_is_no_failure(scene: Scene) -> None:
    await scene.route(account(A), providers=[provider("p", connections=3)])
    await scene.mail(A, *range(9))
    await scene.log_in()
    first, *others = await scene.work()
    assert len(others) == 2
    await scene.send(first, CROWDED)
    await scene.close(box(A))
    assert await _wanted(scene) == {}, "one session fewer"
    for claim in others:
        await scene.send(claim)
    assert len((await scene.take()).claims) == 2, "those that are open go on"
    await scene.advance(CROWD_SECONDS - 1)
    assert await _wanted(scene) == {}
    await scene.advance(1)
    assert await _wanted(scene) == {box(A): 1}


async def who_met_a_session_too_many_is_tried_again_soon_and_loses_no_try(scene: Scene) -> None:
    await scene.route(account(A))
    await scene.mail(A, 1)
    for _ in range(3):
        (claim,) = await scene.work()
        assert (claim.tries, claim.doubts, claim.is_probe) == (0, 0, False)
        await scene.send(claim, CROWDED)
        await scene.close(box(A))
        await scene.advance(CROWD_SECONDS - 1)
        assert await scene.work() == []
        await scene.advance(1)
    assert await scene.send_all() == ["m-1"]


async def a_login_too_many_is_no_failure_either(scene: Scene) -> None:
    await scene.route(account(A), providers=[provider("p", connections=2)])
    await scene.mail(A, 1, 2, 3)
    assert await _wanted(scene) == {box(A): 1}
    await scene.open(box(A))
    assert await _wanted(scene) == {box(A): 1}
    await scene.store.refused(box(A), LOGIN_CROWDED)
    assert await scene.send_all() == ["m-1", "m-2", "m-3"]


async def too_many_sessions_of_all_keep_out_whoever_has_none(scene: Scene) -> None:
    await scene.route(account(A), account(B), account(C, "q"))
    await scene.mail(A, 1)
    (claim,) = await scene.work()
    await scene.send(claim, replace(CROWDED, is_provider=True))
    await scene.mail(B, 2)
    await scene.mail(C, 3)
    assert await _wanted(scene) == {box(C, "q"): 1}, "the other provider has not said so"
    await scene.advance(CROWD_SECONDS)
    assert box(B) in await _wanted(scene)


# a host that fails


async def a_host_that_is_down_is_the_providers_trouble(scene: Scene) -> None:
    await scene.route(account(A), account(B), account(C, "q"))
    await scene.mail(A, 1)
    assert await _wanted(scene) == {box(A): 1}
    await scene.store.refused(box(A), HOST_DOWN)
    await scene.mail(B, 2)
    await scene.mail(C, 3)
    assert await _wanted(scene) == {box(C, "q"): 1}, "the other provider works"


async def a_host_that_is_down_is_tried_by_one(scene: Scene) -> None:
    await scene.route(account(A), account(B))
    await scene.mail(A, 1)
    await scene.mail(B, 2)
    assert len(await _wanted(scene)) == 2
    await scene.store.refused(box(A), HOST_DOWN)
    await scene.store.refused(box(B), HOST_DOWN)
    wake_at = (await scene.take()).wake_at
    assert wake_at is not None
    assert 10 * SECOND <= wake_at - scene.store.now() <= 30 * SECOND
    await scene.advance_to(wake_at - 1)
    assert await _wanted(scene) == {}
    await scene.advance_to(wake_at)
    wanted = await _wanted(scene)
    assert sum(wanted.values()) == 1
    assert await _wanted(scene) == {}
    (probing,) = wanted
    await scene.open(probing)
    assert sum((await _wanted(scene)).values()) == 1, "it answers: the other one follows"


async def open_sessions_go_on_while_new_ones_fail(scene: Scene) -> None:
    await scene.route(account(A), account(B))
    await scene.mail(A, 1)
    await scene.send_all()
    await scene.mail(B, 2)
    await scene.mail(A, 3)
    assert (await scene.store.take(NODE, {}, 100)).open == {box(B): 1}
    await scene.store.refused(box(B), HOST_DOWN)
    assert await scene.send_all() == ["m-3"]


async def logins_of_who_never_worked_have_half_of_a_providers_places(scene: Scene) -> None:
    others = [f"new{number}@studio.test" for number in range(3)]
    await scene.route(*map(account, (A, *others)), providers=[provider("p", total_connections=4)])
    await scene.mail(A, "before")
    await scene.send_all()
    await scene.close(box(A))
    for other in others:
        await scene.mail(other, other)
    assert sorted((await scene.take()).open) == sorted(map(box, others[:2]))
    await scene.mail(A, "a-1")
    assert (await scene.take()).open == {box(A): 1}, "who works finds a place at once"
    await scene.open(box(others[0]))
    assert (await scene.take()).open == {box(others[2]): 1}, "who is let in has shown that it does not hang"


async def who_is_only_new_does_not_wait_behind_who_met_trouble(scene: Scene) -> None:
    await scene.route(account(A), account(B), providers=[provider("p", total_connections=2)])
    await scene.mail(A, 1)
    assert await _wanted(scene) == {box(A): 1}
    await scene.store.refused(box(A), AUTH_LATER)
    await scene.advance(301)
    await scene.mail(B, 2)
    assert await _wanted(scene) == {box(B): 1}, "of the two places that there are one is for logins that may hang"
    await scene.open(box(B))
    assert await _wanted(scene) == {box(A): 1}
