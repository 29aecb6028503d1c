"""A store that was moved is no older copy: nodes that remember how far it was go on with it."""

from itertools import pairwise

import pytest

from relay.errors import StoreReplaced
from relay.store.moving.counting import Counted
from relay.store.ports.reading import MessageQuery
from relay.store.redis.rowkeys import STATE
from tests.contract.moving.harness import MovingHarness, OnDisk, OnRedis, Place, move
from tests.contract.moving.test_journeys import Died, DyingAt, scenario
from tests.contract.moving.test_two_moves import _places
from tests.contract.scene import A, Scene

pytestmark = pytest.mark.needs("redis-server")

MAILS = 60
"""Each of them is a change; the schedule that a move makes is a few."""


def changes(place: Place) -> int:
    assert isinstance(place, OnRedis)
    return int(place.client.hget(STATE, "changes") or 0)


async def whole(here: Place, there: Place) -> None:
    counted: list[Counted] = await move(here, there)
    assert not [each for each in counted if not each.is_same]


async def worked(scene: Scene, harness: MovingHarness) -> int:
    """Mail came, and the relay was stopped; what every node may remember."""
    for number in range(MAILS):
        await scene.mail(A, number)
    await harness.store.close()
    return changes(harness.places[-1])


async def opens(harness: MovingHarness, there: Place, seen: int) -> None:
    """Another node, which had no part in the move, starts on the new place and finds all."""
    assert isinstance(there, OnRedis)
    harness.store = there.open(seen)
    assert len((await harness.store.messages(MessageQuery(limit=MAILS + 1))).items) == MAILS


@pytest.mark.parametrize("between", [(), (OnDisk,), (OnRedis, OnDisk)])
def test_a_node_that_remembers_the_old_place_works_with_the_new_one(between: tuple[type[Place], ...]) -> None:
    async def check(scene: Scene, harness: MovingHarness) -> None:
        seen = await worked(scene, harness)
        assert seen >= MAILS
        places = _places(harness, *between, OnRedis)
        for here, there in pairwise(places):
            await whole(here, there)
        await opens(harness, places[-1], seen)

    scenario("redis", check)


@pytest.mark.parametrize("point", ["move-carried", "move-barred"])
def test_so_it_is_after_a_move_that_was_broken_off(point: str) -> None:
    async def check(scene: Scene, harness: MovingHarness) -> None:
        seen = await worked(scene, harness)
        here, there = _places(harness, OnRedis)
        with pytest.raises(Died):
            await move(here, there, DyingAt(point, 1))
        await whole(here, there)
        await opens(harness, there, seen)

    scenario("redis", check)


def test_a_life_on_disk_between_takes_nothing_back() -> None:
    async def check(scene: Scene, harness: MovingHarness) -> None:
        seen = await worked(scene, harness)
        here, disk, there = _places(harness, OnDisk, OnRedis)
        await whole(here, disk)
        harness.store = disk.open()
        await harness.store.close()
        await whole(disk, there)
        await opens(harness, there, seen)

    scenario("redis", check)


def test_an_older_copy_at_the_new_place_is_still_refused() -> None:
    async def check(scene: Scene, harness: MovingHarness) -> None:
        seen = await worked(scene, harness)
        here, there = _places(harness, OnRedis)
        await whole(here, there)
        assert isinstance(there, OnRedis)
        with pytest.raises(StoreReplaced, match="is older than what this node has worked with"):
            there.open(changes(there) + 1)
        await opens(harness, there, seen)

    scenario("redis", check)


def test_what_is_further_already_is_never_set_back() -> None:
    async def check(scene: Scene, harness: MovingHarness) -> None:
        seen = await worked(scene, harness)
        here, there = _places(harness, OnRedis)
        assert isinstance(there, OnRedis)

        def passes(name: str) -> None:
            if name == "move-barred":
                there.client.hset(STATE, "changes", seen + 1_000)

        await move(here, there, passes)
        assert changes(there) == seen + 1_000
        await opens(harness, there, seen)

    scenario("redis", check)


def test_a_store_that_never_was_on_redis_is_moved_there_as_well() -> None:
    async def check(scene: Scene, harness: MovingHarness) -> None:
        for number in range(MAILS):
            await scene.mail(A, number)
        await harness.store.close()
        here, there = _places(harness, OnRedis)
        await whole(here, there)
        await opens(harness, there, 0)

    scenario("sqlite", check)
