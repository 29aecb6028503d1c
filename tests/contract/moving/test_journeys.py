"""A store is moved whole or not at all: there and back everything can still be told, and whatever breaks the move off,
the same command comes to the same end.
"""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from relay.core.limits import HOUR, parse_limit
from relay.core.relaytime import Reading
from relay.errors import StaleRouting, StoreBroken, StoreMoved, StoreUnavailable
from relay.store.needs import StoreSettings
from relay.store.ports.reading import AccountQuery, MessageQuery
from tests.contract.clock import SECOND, LoopClock
from tests.contract.harness import run
from tests.contract.moving.harness import STARTS, MovingHarness, OnDisk, OnRedis, Place, World, move
from tests.contract.moving.telling import D, fill, told
from tests.contract.scene import (
    AUTH_REFUSED,
    NODE,
    A,
    B,
    Scene,
    account,
    box,
    message,
    provider,
)
from tests.simulation.loop import VirtualLoop

SETTINGS = StoreSettings()

pytestmark = pytest.mark.needs("redis-server")


def scenario(begins: str, what: Callable[[Scene, MovingHarness], Any]) -> None:
    """Runs it with a store that can move."""

    async def whole() -> None:
        scene = Scene(STARTS[begins])
        harness = scene.harness
        assert isinstance(harness, MovingHarness)
        await what(scene, harness)
        await harness.close()

    run(whole)


async def _stop(scene: Scene) -> None:
    """The relay is stopped: its sessions are closed."""
    for mailbox, many in list(scene.sessions.items()):
        for _ in range(many):
            await scene.close(mailbox)


@pytest.mark.parametrize("begins", STARTS)
def test_everything_that_can_be_told_is_told_after_a_move_and_after_one_back(begins: str) -> None:
    async def check(scene: Scene, harness: MovingHarness) -> None:
        await fill(scene)
        await _stop(scene)
        before = await told(harness.store)
        states = {delivery.state for view in before["messages"] for delivery in view.deliveries}
        assert {str(state) for state in states} >= {"waiting", "held", "delivered", "bounced"}
        for _ in range(2):
            counted = await harness.move()
            after = await told(harness.store)
            for name, value in before.items():
                assert after[name] == value, name
            many = {each.name: each.origin.many for each in counted}
            assert min(many[name] for name in ("messages", "deliveries", "attempts", "bodies", "events", "outbox")) > 0

    scenario(begins, check)


@pytest.mark.parametrize("begins", STARTS)
def test_every_mail_leaves_once_and_limits_bind_as_before(begins: str) -> None:
    async def check(scene: Scene, harness: MovingHarness) -> None:
        await scene.route(account(A), providers=[provider("p", "3/1h")])
        await scene.mail(A, *range(1, 9))
        first = scene.store.now()
        assert await scene.send_all() == ["m-1", "m-2", "m-3"]
        await _stop(scene)
        await harness.move()
        assert await scene.work() == []
        assert (await scene.take()).wake_at == first + HOUR + 1
        await scene.advance_to(first + HOUR)
        assert await scene.work() == []
        await scene.advance(1 / SECOND)
        assert await scene.send_all() == ["m-4", "m-5", "m-6"]
        await _stop(scene)
        await harness.move()
        assert await scene.work() == []
        await scene.advance(HOUR / SECOND + 1)
        assert await scene.send_all() == ["m-7", "m-8"]

    scenario(begins, check)


@pytest.mark.parametrize("begins", STARTS)
def test_what_a_dead_process_left_is_in_doubt_and_holds_its_slots(begins: str) -> None:
    async def check(scene: Scene, harness: MovingHarness) -> None:
        await scene.route(account(A), providers=[provider("p", "1/1h", login_limit=parse_limit("2/1h"))])
        await scene.mail(A, 1, 2)
        (claim,) = await scene.work()
        assert await scene.store.gate(claim)
        died = scene.store.now()
        scene.sessions.clear()
        scene.running.clear()
        await harness.move()
        (view,) = [each for each in (await scene.store.messages(MessageQuery())).items if each.id == "m-1"]
        assert view.deliveries[0].state != "delivered"
        await scene.advance(600)
        assert await scene.work() == [], "the slot is held for an hour, and linger"
        await scene.advance_to(died + 90 * SECOND + HOUR + 1)
        assert len(await scene.work()) == 1

    scenario(begins, check)


class Died(BaseException):
    """As by SIGKILL."""


class DyingAt:
    """Dies when a step is passed for the so-manieth time."""

    def __init__(self, point: str, time: int) -> None:
        self._point, self._left = point, time

    def __call__(self, name: str) -> None:
        self._left -= name == self._point
        if not self._left:
            self._left = -1
            raise Died


POINTS = [
    ("sqlite", "move-prepared", 1), ("sqlite", "move-page", 1), ("sqlite", "move-page", 8),
    ("sqlite", "move-barred", 1),
    ("redis", "move-begun", 1), ("redis", "move-page", 15), ("redis", "move-carried", 1), ("redis", "move-barred", 1),
]  # fmt: skip


@pytest.mark.parametrize(("begins", "point", "time"), POINTS)
def test_move_that_was_broken_off_comes_to_the_same_end(begins: str, point: str, time: int) -> None:
    async def check(scene: Scene, harness: MovingHarness) -> None:
        await fill(scene)
        await _stop(scene)
        before = await told(harness.store)
        await harness.store.close()
        here, there = _places(harness)
        with pytest.raises(Died):
            await move(here, there, DyingAt(point, time))
        if point != "move-prepared":
            with pytest.raises(StoreMoved, match="is being moved here from"):
                there.open()
        counted = await move(here, there)
        assert all(each.is_same for each in counted)
        with pytest.raises(StoreMoved, match="it was moved to"):
            here.open()
        harness.store = there.open()
        after = await told(harness.store)
        assert {name: after[name] for name in before} == before

    scenario(begins, check)


def _places(harness: MovingHarness) -> tuple[Place, Place]:
    """The one where it is, and one for it to go to."""
    here = harness.places[-1]
    there: Place = OnRedis(here.world) if isinstance(here, OnDisk) else OnDisk(here.world)
    harness.places.append(there)
    return here, there


@pytest.mark.parametrize("begins", STARTS)
def test_move_begins_anew_where_the_relay_ran_meanwhile(begins: str) -> None:
    async def check(scene: Scene, harness: MovingHarness) -> None:
        await fill(scene)
        await _stop(scene)
        await harness.store.close()
        here, there = _places(harness)
        with pytest.raises(Died):
            await move(here, there, DyingAt("move-page", 12))
        harness.store = here.open()
        await harness.advance(5)
        await scene.store.put(message("late", A))
        await scene.books.control.resume(D)
        before = await told(harness.store)
        await harness.store.close()
        counted = await move(here, there)
        assert all(each.is_same for each in counted)
        harness.store = there.open()
        assert await told(harness.store) == before

    scenario(begins, check)


@pytest.mark.parametrize("begins", STARTS)
def test_place_with_another_store_in_it_is_refused_and_left_as_it_is(begins: str) -> None:
    async def check(scene: Scene, harness: MovingHarness) -> None:
        await scene.mail(A, 1)
        await harness.store.close()
        here, there = _places(harness)
        there.world.store_id = "77" * 16
        other = there.open()
        await other.put(message("other", B))
        await other.close()
        with pytest.raises((StoreMoved, StoreBroken), match="a store is moved only to where there is none"):
            await move(here, there)
        other = there.open()
        assert (await other.message("m-other")) is not None
        await other.close()
        harness.store = here.open()
        assert (await harness.store.message("m-1")) is not None

    scenario(begins, check)


def test_store_that_somebody_used_meanwhile_is_not_left() -> None:
    async def check(scene: Scene, harness: MovingHarness) -> None:
        await scene.mail(A, 1)
        await harness.store.close()
        here, there = _places(harness)
        assert isinstance(here, OnRedis)
        shared = here

        def meddle(name: str) -> None:
            if name == "move-carried":
                shared.use()

        with pytest.raises(StoreUnavailable, match="was used while it was being moved"):
            await move(here, there, meddle)
        with pytest.raises(StoreMoved, match="being moved here from"):
            there.open()
        harness.store = here.open()
        await scene.mail(A, 2)
        await harness.store.close()
        assert all(each.is_same for each in await move(here, there))
        harness.store = there.open()
        assert (await harness.store.message("m-2")) is not None

    scenario("redis", check)


def test_what_did_not_arrive_is_found_by_the_count_and_the_next_run_begins_anew() -> None:
    async def check(scene: Scene, harness: MovingHarness) -> None:
        await scene.mail(A, 1, 2)
        await harness.store.close()
        here, there = _places(harness)
        assert isinstance(there, OnRedis)
        shared = there

        def lose(name: str) -> None:
            if name == "move-carried":
                shared.lose_body(1)

        counted = await move(here, there, lose)
        assert {each.name for each in counted if not each.is_same} == {"bodies"}
        with pytest.raises(StoreMoved, match="being moved here from"):
            there.open()
        await here.open().close()
        assert all(each.is_same for each in await move(here, there))
        harness.store = there.open()

    scenario("sqlite", check)


def test_node_that_knew_nothing_of_the_move_takes_in_no_mail_and_hands_none_out() -> None:
    async def check(scene: Scene, harness: MovingHarness) -> None:
        await scene.route(account(A))
        await scene.mail(A, 1)
        here, there = _places(harness)
        assert all(each.is_same for each in await move(here, there))
        forgotten = harness.store
        for each in (message(2, A), message(3, "nobody@studio.test")):
            with pytest.raises(StoreMoved, match="it was moved to sqlite on a day"):
                await forgotten.put(each)
        with pytest.raises((StaleRouting, StoreMoved)):
            await forgotten.take(NODE, {}, 10)
        await forgotten.close()
        [ended] = harness.end()
        assert isinstance(ended, StoreMoved)
        harness.store = there.open()
        assert [each.id for each in (await harness.store.messages(MessageQuery())).items] == ["m-1"]

    scenario("redis", check)


class Rebooting(LoopClock):
    """A machine whose clock nobody set right before it was started anew."""

    boots = 0

    def reading(self) -> Reading:
        return Reading(f"boot-{self.boots}", self.boottime(), self.wall(), is_synchronised=False)


def test_limits_bind_as_before_where_queue_time_and_relay_time_are_apart() -> None:
    async def whole() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        world = World(Rebooting(loop), SETTINGS)
        place: Place = OnDisk(world)
        scene = Scene(MovingHarness, SETTINGS)
        old, scene.harness.store = scene.harness.store, place.open()
        await old.close()
        await scene.route(account(A), providers=[provider("p", "2/1h")])
        await scene.mail(A, 1, 2, 3, 4)
        assert await scene.send_all() == ["m-1", "m-2"]
        await scene.store.close()
        await asyncio.sleep(1800)
        world.clock.boots = 1  # type: ignore[attr-defined]
        scene.sessions.clear()
        scene.harness.store = place.open()
        await scene.store.recover(NODE)
        await scene.log_in()
        left = (await scene.take()).wake_at - scene.store.now()  # type: ignore[operator]
        assert left > 3590 * SECOND, "nobody knows how long the reboot took"
        await _stop(scene)
        shown = [each.accepted_at for each in (await scene.store.messages(MessageQuery())).items]
        for kind in (OnRedis, OnDisk, OnRedis):
            await scene.store.close()
            there = kind(world)
            assert all(each.is_same for each in await move(place, there))
            place, scene.harness.store = there, there.open()
            await scene.log_in()
            assert (await scene.take()).wake_at - scene.store.now() == left  # type: ignore[operator]
            await _stop(scene)
            assert [each.accepted_at for each in (await scene.store.messages(MessageQuery())).items] == shown
        await scene.advance((left - 1) / SECOND)
        assert await scene.work() == []
        await scene.advance(1 / SECOND)
        assert len(await scene.work()) == 2
        await scene.store.close()

    run(whole)


def test_login_that_was_refused_counts_after_a_move() -> None:
    async def check(scene: Scene, harness: MovingHarness) -> None:
        await scene.route(account(A), providers=[provider("p", login_limit=parse_limit("2/1h"))])
        await scene.mail(A, 1)
        (mailbox,) = (await scene.take()).open
        assert mailbox == box(A)
        await scene.store.refused(mailbox, AUTH_REFUSED)
        before = [each.health for each in (await scene.store.accounts(AccountQuery())).items]
        for _ in range(2):
            await harness.move()
            assert [each.health for each in (await scene.store.accounts(AccountQuery())).items] == before
            assert not (await scene.take()).open

    scenario("sqlite", check)
