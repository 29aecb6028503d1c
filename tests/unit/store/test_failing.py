import asyncio

import pytest

from relay.errors import StoreFull, StoreUnavailable
from tests.unit.store.workbench import (
    DEFERRED,
    DELIVERED,
    NODE,
    ROSSI,
    Bench,
    message,
    replace,
)

PATIENCE = 60.0
"""Seconds after which what should come at once does not come at all."""


async def queued(*senders: str, many: int = 1) -> Bench:
    bench = Bench()
    await bench.route()
    for index, sender in enumerate(senders or (ROSSI,)):
        for number in range(many):
            await bench.store.put(message(f"{index}-{number}", sender))
    return bench


async def test_a_take_that_could_not_be_written_claimed_nothing() -> None:
    bench = await queued(many=3)
    bench.disk.refuse.append(StoreUnavailable())
    with pytest.raises(StoreUnavailable):
        await bench.take()
    assert len(await bench.take()) == 3


async def test_a_settle_that_could_not_be_written_is_settled_the_next_time() -> None:
    bench = await queued()
    (claim,) = await bench.take()
    await bench.store.gate(claim)
    bench.disk.refuse.append(StoreUnavailable())
    with pytest.raises(StoreUnavailable):
        await bench.store.settle(claim, DELIVERED)
    assert await bench.store.settle(claim, DELIVERED)
    assert bench.rows("SELECT state FROM deliveries") == [(2,)]


async def test_on_a_full_disk_mail_is_refused_and_what_is_under_way_is_settled() -> None:
    bench = await queued()
    (claim,) = await bench.take()
    bench.disk.refuse.append(StoreFull())
    put = asyncio.create_task(bench.store.put(message("new")))
    settle = asyncio.create_task(bench.store.settle(claim, DELIVERED))
    assert await settle
    with pytest.raises(StoreFull):
        await put
    assert bench.rows("SELECT id, state FROM deliveries") == [(1, 2)]


async def test_the_reserve_is_given_up_for_what_is_under_way() -> None:
    bench = await queued()
    (claim,) = await bench.take()
    bench.reserves = 1
    bench.disk.refuse.append(StoreFull())
    assert await bench.store.settle(claim, DELIVERED)
    assert bench.reserves == 0


async def test_who_was_cancelled_while_taking_holds_nothing() -> None:
    bench = await queued(many=2)
    bench.disk.hold = asyncio.Event()
    take = asyncio.create_task(bench.take())
    for _ in range(4):
        await asyncio.sleep(0)
    take.cancel()
    bench.disk.hold.set()
    await bench.store.put(message("later"))
    await bench.rest()
    assert [claim.message for claim in await bench.take()] == ["m-0-0", "m-0-1", "m-later"]


async def test_an_operation_that_goes_wrong_spoils_no_other() -> None:
    bench = await queued()
    (claim,) = await bench.take()
    broken = asyncio.create_task(bench.store.settle(claim, replace(DELIVERED, stage="nonsense")))  # type: ignore[arg-type]
    put = asyncio.create_task(bench.store.put(message("fine")))
    with pytest.raises(AttributeError):
        await broken
    await put
    assert [each.message for each in await bench.take()] == ["m-fine"]
    assert await bench.store.settle(claim, DELIVERED)


async def test_a_broken_disk_ends_everything() -> None:
    from relay.errors import StoreBroken

    bench = await queued()
    bench.disk.refuse.append(StoreBroken())
    first, second = asyncio.create_task(bench.take()), asyncio.create_task(bench.take())
    for each in (first, second):
        with pytest.raises(StoreBroken):
            await each
    with pytest.raises(StoreBroken):
        await bench.store.put(message("x"))
    assert len(bench.fatal) == 1


async def test_the_count_of_changes_never_goes_back_so_no_mark_fits_twice() -> None:
    bench = await queued()
    before = (await bench.store.take(NODE, {}, 0)).mark
    bench.disk.refuse.append(StoreUnavailable())
    with pytest.raises(StoreUnavailable):
        await bench.store.put(message("new"))
    assert (await bench.store.take(NODE, {}, 0)).mark > before


async def test_without_its_reserve_the_store_takes_no_mail_until_it_is_kept_again() -> None:
    bench = await queued()
    (claim,) = await bench.take()
    bench.reserves = 1
    bench.disk.refuse += [StoreFull()]
    assert await bench.store.settle(claim, DELIVERED)
    assert not bench.store.has_space()
    with pytest.raises(StoreFull):
        await bench.store.put(message("new"))
    bench.may_keep_reserve = True
    await bench.store.heartbeat(NODE)
    await bench.rest()
    assert bench.store.has_space()
    await bench.store.put(message("new"))


async def test_wait_returns_at_once_when_something_changed_since_the_mark() -> None:
    bench = await queued()
    taken = await bench.store.take(NODE, {}, 0)
    await bench.store.put(message("new"))
    async with asyncio.timeout(PATIENCE):
        await bench.store.wait(taken.mark, None)


async def test_wait_wakes_for_a_change_and_for_nothing_else() -> None:
    bench = await queued()
    (claim,) = await bench.take()
    taken = await bench.store.take(NODE, {}, 0)
    wait = asyncio.create_task(bench.store.wait(taken.mark, None))
    for _ in range(20):
        await asyncio.sleep(0)
    assert not wait.done()
    await bench.store.settle(claim, DEFERRED)
    async with asyncio.timeout(PATIENCE):
        await wait


async def test_wait_returns_at_its_time() -> None:
    bench = await queued()
    taken = await bench.store.take(NODE, {}, 0)
    async with asyncio.timeout(PATIENCE):
        await bench.store.wait(taken.mark, bench.store.now())


async def test_no_change_between_take_and_wait_is_lost_when_a_commit_failed() -> None:
    bench = await queued()
    taken = await bench.store.take(NODE, {}, 0)
    bench.disk.refuse.append(StoreUnavailable())
    with pytest.raises(StoreUnavailable):
        await bench.store.put(message("new"))
    async with asyncio.timeout(PATIENCE):
        await bench.store.wait(taken.mark, None)


async def test_closing_twice_is_harmless_and_nothing_is_taken_after_it() -> None:
    bench = await queued()
    await bench.store.close()
    await bench.store.close()
    with pytest.raises(StoreUnavailable):
        await bench.store.put(message("x"))
