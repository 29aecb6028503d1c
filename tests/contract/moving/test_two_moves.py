"""Of several moves of one store one alone leaves its place: the others are refused, and say where it is."""

from contextlib import ExitStack

import pytest

from relay.errors import StoreMoved, StoreUnavailable
from relay.store.moving.move import Move
from relay.store.ports.reading import MessageQuery
from tests.contract.moving.harness import STARTS, MovingHarness, OnDisk, OnRedis, Place, begun, move
from tests.contract.moving.telling import fill, told
from tests.contract.moving.test_journeys import Died, DyingAt, scenario
from tests.contract.scene import A, Scene

pytestmark = pytest.mark.needs("redis-server")


def _places(harness: MovingHarness, *kinds: type[Place]) -> list[Place]:
    """The one where it is, and some for it to go to."""
    found = [harness.places[-1], *(kind(harness.places[-1].world) for kind in kinds)]
    harness.places += found[1:]
    return found


@pytest.mark.parametrize("kind", [OnDisk, OnRedis])
def test_of_two_moves_at_once_one_alone_leaves_the_place_and_the_other_says_where_it_went(kind: type[Place]) -> None:
    async def check(scene: Scene, harness: MovingHarness) -> None:
        await scene.mail(A, 1, 2)
        await harness.store.close()
        here, there, other = _places(harness, kind, kind)
        with ExitStack() as both:
            second = list[Move]()

            def prepared(name: str) -> None:
                if name == "move-prepared":  # and the first goes on in the very state in which the second found it
                    second.append(both.enter_context(begun(here, other)))

            first = both.enter_context(begun(here, there, prepared))
            assert all(each.is_same for each in first.run())
            with pytest.raises(StoreMoved, match=r"it was moved to .* is of no use"):
                second[0].run()
        for _ in range(2):
            with pytest.raises(StoreMoved, match="it was moved to"):
                await move(here, other)
            with pytest.raises(StoreMoved, match="it is being moved here from"):
                other.open()
        harness.store = there.open()
        assert len((await harness.store.messages(MessageQuery())).items) == 2

    scenario("redis", check)


@pytest.mark.parametrize("begins", STARTS)
@pytest.mark.parametrize("point", ["move-carried", "move-barred"])
def test_move_that_was_broken_off_and_the_one_that_was_made_instead_do_not_both_end(begins: str, point: str) -> None:
    async def check(scene: Scene, harness: MovingHarness) -> None:
        await scene.mail(A, 1, 2)
        await harness.store.close()
        here, there, other = _places(harness, OnRedis, OnRedis)
        with pytest.raises(Died):
            await move(here, there, DyingAt(point, 1))
        if point == "move-carried":
            there, other = other, there  # the source was not left yet
        assert all(each.is_same for each in await move(here, there))
        with pytest.raises(StoreMoved, match="it was moved to"):
            await move(here, other)
        harness.store = there.open()

    scenario(begins, check)


def test_of_two_runs_of_one_move_the_later_goes_on_and_the_earlier_writes_no_more() -> None:
    async def check(scene: Scene, harness: MovingHarness) -> None:
        await fill(scene)
        for mailbox, many in list(scene.sessions.items()):
            for _ in range(many):
                await scene.close(mailbox)
        before = await told(harness.store)
        await harness.store.close()
        here, there = _places(harness, OnRedis)
        pages, later = 0, list[Move]()
        with ExitStack() as both:

            def passes(name: str) -> None:
                nonlocal pages
                pages += name == "move-page"
                if pages == 9 and not later:
                    later.append(both.enter_context(begun(here, there)))

            earlier = both.enter_context(begun(here, there, passes))
            with pytest.raises(StoreUnavailable, match="another `relay queue migrate`"):
                earlier.run()
            assert all(each.is_same for each in later[0].run())
        harness.store = there.open()
        assert await told(harness.store) == before

    scenario("redis", check)


def test_a_run_that_found_an_empty_place_takes_nothing_away_from_a_store_that_is_in_use_by_now() -> None:
    async def check(scene: Scene, harness: MovingHarness) -> None:
        await scene.mail(A, 1)
        await harness.store.close()
        here, there = _places(harness, OnRedis)

        def prepared(name: str) -> None:
            if name == "move-prepared":
                with begun(here, there) as other:
                    assert all(each.is_same for each in other.run())

        with pytest.raises(StoreUnavailable, match="was written to just now by another"), begun(here, there, prepared):
            pass
        harness.store = there.open()
        assert len((await harness.store.messages(MessageQuery())).items) == 1

    scenario("redis", check)


@pytest.mark.parametrize("begins", STARTS)
def test_half_of_a_store_is_moved_nowhere(begins: str) -> None:
    async def check(scene: Scene, harness: MovingHarness) -> None:
        await scene.mail(A, 1)
        await harness.store.close()
        here, half, there = _places(harness, OnRedis if begins == "redis" else OnDisk, OnRedis)
        with pytest.raises(Died):
            await move(here, half, DyingAt("move-page", 9))
        with pytest.raises(StoreMoved, match="it is being moved here from"):
            await move(half, there)
        harness.store = here.open()
        assert len((await harness.store.messages(MessageQuery())).items) == 1

    scenario("redis", check)
