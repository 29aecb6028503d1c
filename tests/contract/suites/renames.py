"""A mailbox under another name: an edit that leads the same login through another entry, at one host and port, moves
none of its past away.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from relay.core.envelope import Verdict
from relay.core.health import HealthState
from relay.core.healthsettings import HealthSettings
from relay.core.limits import parse_limit
from relay.core.routing import Account, Provider, Routing
from relay.core.words import Stage
from relay.store.ports.sessions import SessionEvent
from tests.contract.scene import (
    ADDRESS_BLOCKED,
    AUTH_REFUSED,
    LINGER,
    MAIL_REFUSED,
    NODE,
    SECOND,
    A,
    B,
    Scene,
    account,
    box,
    numbers,
    provider,
    result,
)

RATE_LIMITED = result(Verdict.DEFERRED, "rate-limited", stage=Stage.MAIL)


def _entry(name: str, *limits: str, **more: Any) -> Provider:
    """One of several entries that lead to the same host and port."""
    return replace(provider(name, *limits, **more), host="SMTP.same.test")


async def _route(scene: Scene, entries: Iterable[Provider], *accounts: Account, credential: str = "first") -> None:
    """Applies a routing with these entries alone."""
    known = {one.name: one for one in entries}
    routing = Routing(providers=known, accounts={one.sender: one for one in accounts})
    await scene.store.apply(routing, dict.fromkeys(routing.mailboxes(), credential))


async def a_renamed_entry_takes_no_slot_more(scene: Scene) -> None:
    await _route(scene, [_entry("old", "5/h")], account(A, "old"))
    await scene.mail(A, *range(12))
    assert len(await scene.send_all()) == 5
    opens = scene.store.now() + 3600 * SECOND + 1
    await _route(scene, [_entry("new", "5/h")], account(A, "new"))
    assert await scene.work() == []
    await scene.restart()
    assert await scene.work() == []
    await scene.advance_to(opens - 1)
    assert await scene.work() == []
    await scene.advance_to(opens)
    assert len(await scene.send_all()) == 5


async def another_entry_for_the_same_login_takes_no_slot_more(scene: Scene) -> None:
    entries = [_entry("one", "5/h"), _entry("two", "5/h")]
    await _route(scene, entries, account(A, "one"))
    await scene.mail(A, *range(12))
    assert len(await scene.send_all(most=1)) == 5
    for at in ("two", "one", "two"):
        await _route(scene, entries, account(A, at))
        assert await scene.work() == []
    await _route(scene, entries)
    await _route(scene, entries, account(A, "one"))
    assert await scene.work() == [], "nor by way of no entry at all"


async def what_is_under_way_at_an_edit_holds_its_slot(scene: Scene) -> None:
    await _route(scene, [_entry("old", "2/10s")], account(A, "old"))
    await scene.mail(A, 1, 2, 3)
    first, second = await scene.work()
    await _route(scene, [_entry("new", "2/10s")], account(A, "new"))
    await scene.advance(60)
    assert await scene.work() == []
    await scene.send(first)
    opens = scene.store.now() + 10 * SECOND + 1
    assert (await scene.take()).wake_at == opens
    await scene.advance_to(opens - 1)
    assert await scene.work() == []
    await scene.advance_to(opens)
    assert numbers(await scene.work()) == ["m-3"]
    assert await scene.send(second)


async def a_renamed_entry_keeps_its_totals(scene: Scene) -> None:
    await _route(scene, [_entry("old", totals=["3/10s"])], account(A, "old"), account(B, "old"))
    await scene.mail(A, 1, 2)
    await scene.mail(B, 3, 4)
    claims = await scene.work()
    assert len(claims) == 3
    await _route(scene, [_entry("new", totals=["3/10s"])], account(A, "new"), account(B, "new"))
    assert await scene.work() == []
    for claim in claims:
        await scene.send(claim)
    assert await scene.work() == []
    await scene.advance(10.000001)
    assert len(await scene.work()) == 1


async def what_ends_before_anybody_uses_the_new_entry_counts_there_too(scene: Scene) -> None:
    await _route(scene, [_entry("old", totals=["1/10s"])], account(A, "old"))
    await scene.mail(A, 1, 2)
    (claim,) = await scene.work()
    await _route(scene, [_entry("new", totals=["1/10s"])])
    await scene.send(claim)
    await _route(scene, [_entry("new", totals=["1/10s"])], account(A, "new"))
    assert await scene.work() == []
    await scene.advance(10.000001)
    assert numbers(await scene.work()) == ["m-2"]


async def two_entries_with_one_login_count_together(scene: Scene) -> None:
    """Whose mail it is makes no difference to who counts it."""
    entries = [_entry("one", "3/10s"), _entry("two", "4/10s")]
    await _route(scene, entries, account(A, "one", username="shared"), account(B, "two", username="shared"))
    await scene.mail(A, *range(6))
    claims = await scene.work(2)
    await scene.mail(B, *range(10, 16))
    claims += await scene.work()
    assert len(claims) == 4
    assert {claim.account for claim in claims} == {A, B}
    await scene.restart()
    assert await scene.work() == []


async def refused_logins_count_under_every_name(scene: Scene) -> None:
    entries = [_entry("one"), _entry("two")]
    for number, at in enumerate(["one", "two", "one", "two"]):
        await _route(scene, entries, account(A, at), credential=f"{number}")
        await scene.mail(A, number)
        if (await scene.store.take(NODE, {}, 10)).open:
            await scene.store.refused(box(A, at), AUTH_REFUSED)
    await scene.advance(300)
    for at in ("one", "two"):
        await _route(scene, entries, account(A, at), credential="0")
        assert (await scene.store.take(NODE, {}, 10)).open == {}, "refused within the hour, wherever it was"


async def the_budget_of_refused_logins_is_one_under_every_name(scene: Scene) -> None:
    scene = scene.under(health=HealthSettings(refused_logins=parse_limit("1/h")))
    entries = [_entry("one"), _entry("two")]
    await _route(scene, entries, account(A, "one"))
    await scene.mail(A, 1, 2)
    (claim, *_) = await scene.work(1)
    await scene.send(claim)
    await scene.close(box(A, "one"))
    assert (await scene.store.take(NODE, {}, 10)).open == {box(A, "one"): 1}
    await scene.store.refused(box(A, "one"), AUTH_REFUSED)
    opens = scene.store.now() + 3600 * SECOND + 1
    await _route(scene, entries, account(A, "two"))
    await scene.advance(1200)
    assert (await scene.store.take(NODE, {}, 10)).open == {}, "it was refused once under its other name"
    await scene.advance_to(opens)
    assert (await scene.store.take(NODE, {}, 10)).open == {box(A, "two"): 1}


async def logins_count_under_every_name(scene: Scene) -> None:
    entries = [_entry("one", login_limit=parse_limit("2/10m")), _entry("two", login_limit=parse_limit("2/10m"))]
    await _route(scene, entries, account(A, "one"))
    await scene.mail(A, 1)
    for at in ("one", "two"):
        await _route(scene, entries, account(A, at))
        assert (await scene.store.take(NODE, {}, 10)).open == {box(A, at): 1}
        await scene.store.session(box(A, at), SessionEvent.OPENED)
        await scene.store.session(box(A, at), SessionEvent.CLOSED)
    opens = scene.store.now() + 600 * SECOND + 1
    await _route(scene, entries, account(A, "one"))
    taken = await scene.store.take(NODE, {}, 10)
    assert (taken.open, taken.wake_at) == ({}, opens)


async def a_login_that_a_crash_cut_off_counts_under_every_name_and_no_longer(scene: Scene) -> None:
    entries = [_entry(name, login_limit=parse_limit("1/10m")) for name in ("one", "two")]
    await _route(scene, entries, account(A, "one"))
    await scene.mail(A, 1)
    assert (await scene.store.take(NODE, {}, 10)).open == {box(A, "one"): 1}
    await _route(scene, entries, account(A, "two"))
    await scene.restart()
    opens = scene.store.now() + (LINGER + 600) * SECOND + 1
    await scene.advance_to(opens - 1)
    assert (await scene.store.take(NODE, {}, 10)).open == {}
    await scene.advance_to(opens)
    assert (await scene.store.take(NODE, {}, 10)).open == {box(A, "two"): 1}


async def a_paused_mailbox_stays_paused_however_often_it_is_moved(scene: Scene) -> None:
    entries = [_entry("one"), _entry("two")]
    await _route(scene, entries, account(A, "one"))
    await scene.mail(A, 1)
    assert (await scene.store.take(NODE, {}, 10)).open == {box(A, "one"): 1}
    await scene.store.refused(box(A, "one"), AUTH_REFUSED)
    for at in ("two", "one", "two", "one"):
        await _route(scene, entries, account(A, at))
        await scene.advance(400)
        assert (await scene.store.take(NODE, {}, 10)).open == {}
        pause = scene.store.pause_of(A)
        assert pause is not None
        assert pause.reason == "auth-rejected"
    await _route(scene, entries, account(A, "two"), credential="second")
    assert await scene.send_all() == ["m-1"]
    assert scene.store.has_worked(box(A, "two"))


async def what_stops_a_mailbox_goes_with_it(scene: Scene) -> None:
    entries = [_entry("one", "10/h"), _entry("two", "10/h")]
    await _route(scene, entries, account(A, "one"))
    await scene.mail(A, 1, 2)
    (claim, *_) = await scene.work()
    await scene.end(claim, MAIL_REFUSED)
    await scene.close(box(A, "one"))
    await _route(scene, entries, account(A, "two"))
    assert scene.store.pause_of(A) is not None
    assert await scene.work() == []
    await scene.restart()
    assert scene.store.pause_of(A) is not None
    (count,) = await scene.store.health_counts()
    assert count.health == HealthState.PAUSED.value


async def of_two_names_that_logged_in_at_one_instant_each_keeps_what_it_met(scene: Scene) -> None:
    entries, both = [_entry("one"), _entry("two")], [account(A, "one"), account(B, "two", username=A)]
    await _route(scene, entries, *both)
    await scene.mail(A, 1)
    await scene.mail(B, 2)
    first, second = sorted(await scene.work(), key=lambda claim: claim.message)
    await scene.end(first, RATE_LIMITED)
    await scene.end(second, MAIL_REFUSED)
    for name in ("one", "two"):
        await scene.close(box(A, name))
    await _route(scene, entries, account("c@studio.test", "one"))
    await _route(scene, entries, account(A, "one"))
    (count,) = await scene.store.health_counts()
    assert count.health == HealthState.WAITING.value


async def a_slowed_mailbox_stays_slowed(scene: Scene) -> None:
    await _route(scene, [_entry("old", "8/10m")], account(A, "old"))
    await scene.mail(A, *range(20))
    (claim,) = await scene.work(1)
    await scene.end(claim, RATE_LIMITED)
    await _route(scene, [_entry("new", "8/10m")], account(A, "new"))
    assert await scene.work() == []
    await scene.advance(1201)
    assert len(await scene.send_all()) == 4


async def what_a_login_under_way_at_an_edit_meets_is_known_after_it(scene: Scene) -> None:
    await _route(scene, [_entry("old")], account(A, "old"))
    await scene.mail(A, 1)
    assert (await scene.store.take(NODE, {}, 10)).open == {box(A, "old"): 1}
    await _route(scene, [_entry("new")], account(A, "new"))
    await scene.store.refused(box(A, "old"), AUTH_REFUSED)
    assert scene.store.pause_of(A) is not None
    assert (await scene.store.take(NODE, {}, 10)).open == {}


async def an_edit_of_name_and_secret_is_tried_at_once(scene: Scene) -> None:
    await _route(scene, [_entry("old")], account(A, "old"))
    await scene.mail(A, 1)
    assert (await scene.store.take(NODE, {}, 10)).open == {box(A, "old"): 1}
    await scene.store.refused(box(A, "old"), AUTH_REFUSED)
    await _route(scene, [_entry("new")], account(A, "new"), credential="second")
    assert await scene.send_all() == ["m-1"]


async def a_stopped_host_stays_stopped_under_another_name(scene: Scene) -> None:
    await _route(scene, [_entry("old")], account(A, "old"))
    await scene.mail(A, 1)
    assert (await scene.store.take(NODE, {}, 10)).open == {box(A, "old"): 1}
    await scene.store.refused(box(A, "old"), ADDRESS_BLOCKED)
    await _route(scene, [_entry("new")], account(A, "new"))
    assert (await scene.store.take(NODE, {}, 10)).open == {}
    await scene.advance(1801)
    assert (await scene.store.take(NODE, {}, 10)).open == {box(A, "new"): 1}


async def the_same_name_at_another_host_is_another_mailbox(scene: Scene) -> None:
    elsewhere = provider("two", "5/h")
    await _route(scene, [_entry("one", "5/h"), elsewhere], account(A, "one"))
    await scene.mail(A, *range(12))
    assert len(await scene.send_all()) == 5
    await _route(scene, [_entry("one", "5/h"), elsewhere], account(A, "two"))
    assert len(await scene.send_all()) == 5
