"""Group commit by itself: a transaction that remembers, and a disk that does as it is told."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from relay.errors import CorruptValue, RelayError, StoreBroken, StoreFull, StoreUnavailable
from relay.store.engine.batches import Batches, Room, Step
from relay.store.needs import Outside
from tests.unit.store.workbench import Chance, Disk, HandClock, at_once


class Ledger:
    """A transaction of lines."""

    def __init__(self) -> None:
        self.fresh: list[str] = []
        self.durable: list[list[str]] = []
        self.fails = 0
        self.rooms: list[Room] = []
        self.asked: list[bool] = []
        self.broken_at = ""

    def _step(self, name: str) -> None:
        if self.broken_at == name:
            raise RuntimeError("a bug")

    def begin(self) -> None:
        self._step("begin")

    def has_written(self) -> bool:
        return bool(self.fresh)

    def finish(self) -> None:
        self._step("finish")

    def commit(self) -> None:
        self.durable.append(self.fresh)
        self.fresh = []

    def committed(self) -> None:
        self._step("committed")

    def failed(self) -> None:
        self.fails += 1
        self.fresh = []
        if self.broken_at == "failed":
            raise StoreBroken("cannot be loaded again")

    def make_room(self, *, is_urgent: bool) -> Room:
        self.asked.append(is_urgent)
        return self.rooms.pop(0) if self.rooms else Room.NONE

    def write(self, line: str) -> Callable[[], str]:
        def operation() -> str:
            self.fresh.append(line)
            return line

        return operation


class Scene:
    def __init__(self, crash_point: Callable[[str], None] | None = None) -> None:
        self.ledger, self.disk, self.fatal = Ledger(), Disk(), list[RelayError]()
        more: dict[str, Any] = {} if crash_point is None else {"crash_point": crash_point}
        outside = Outside(
            clock=HandClock(), random=Chance(), cipher_for=lambda *_: None,  # type: ignore[arg-type]
            commit=self.disk, read=at_once, fatal=self.fatal.append, free_bytes=lambda: 0, **more,
        )  # fmt: skip
        self.batches = Batches(self.ledger, outside)

    def put(self, line: str) -> "asyncio.Future[str]":
        return self.batches.submit(Step.PUT, self.ledger.write(line))

    def settle(self, line: str) -> "asyncio.Future[str]":
        return self.batches.submit(Step.SETTLE, self.ledger.write(line))


def refuse() -> str:
    raise CorruptValue


async def test_calls_of_one_moment_are_one_transaction_in_their_order() -> None:
    scene = Scene()
    assert await asyncio.gather(*(scene.put(line) for line in "abc")) == ["a", "b", "c"]
    assert scene.ledger.durable == [["a", "b", "c"]]


async def test_what_only_reads_is_answered_without_a_commit() -> None:
    scene = Scene()
    assert await scene.batches.submit(Step.NOTHING, lambda: 7) == 7
    assert scene.disk.commits == 0


async def test_nobody_is_answered_before_the_commit() -> None:
    scene = Scene()
    scene.disk.hold = asyncio.Event()
    put = scene.put("a")
    for _ in range(10):
        await asyncio.sleep(0)
    assert not put.done()
    scene.disk.hold.set()
    await put


async def test_one_that_raises_takes_nobody_with_it() -> None:
    scene = Scene()
    results = await asyncio.gather(
        scene.put("a"), scene.batches.submit(Step.SETTLE, refuse), scene.put("b"), return_exceptions=True
    )
    assert (results[0], type(results[1]), results[2]) == ("a", CorruptValue, "b")
    assert scene.ledger.durable == [["a", "b"]]
    assert scene.ledger.fails == 1


@pytest.mark.parametrize("error", [StoreUnavailable(), StoreFull()])
async def test_a_commit_that_fails_fails_all_of_it(error: RelayError) -> None:
    scene = Scene()
    scene.disk.refuse.append(error)
    results = await asyncio.gather(scene.put("a"), scene.put("b"), return_exceptions=True)
    assert list(results) == [error, error]
    assert scene.ledger.durable == []
    assert await scene.put("c") == "c"


async def test_on_a_full_disk_the_log_is_folded_and_all_go_on() -> None:
    scene = Scene()
    scene.ledger.rooms = [Room.PLENTY]
    scene.disk.refuse.append(StoreFull())
    assert list(await asyncio.gather(scene.put("a"), scene.settle("b"))) == ["a", "b"]


async def test_on_a_full_disk_what_is_under_way_goes_on_without_the_new_mail() -> None:
    scene = Scene()
    scene.disk.refuse.append(StoreFull())
    results = await asyncio.gather(scene.put("a"), scene.settle("b"), return_exceptions=True)
    assert isinstance(results[0], StoreFull)
    assert results[1] == "b"
    assert scene.ledger.asked == [False]


async def test_only_what_is_under_way_gets_the_reserve() -> None:
    scene = Scene()
    scene.ledger.rooms = [Room.SOME]
    scene.disk.refuse.append(StoreFull())
    assert await scene.settle("b") == "b"
    assert scene.ledger.asked == [True]


async def test_a_disk_that_stays_full_is_not_tried_for_ever() -> None:
    scene = Scene()
    scene.ledger.rooms = [Room.PLENTY] * 100
    scene.disk.refuse = [StoreFull() for _ in range(100)]
    with pytest.raises(StoreFull):
        await scene.settle("b")
    assert len(scene.disk.refuse) == 96


@pytest.mark.parametrize("step", ["begin", "finish", "committed"])
async def test_a_bug_anywhere_ends_the_store_and_leaves_nobody_waiting(step: str) -> None:
    scene = Scene()
    scene.ledger.broken_at = step
    first = scene.put("a")
    with pytest.raises(StoreBroken, match="a bug"):
        await first
    assert len(scene.fatal) == 1
    assert scene.batches.is_broken
    with pytest.raises(StoreBroken):
        await scene.put("b")


@pytest.mark.parametrize("operation", [refuse, None])
async def test_a_memory_that_cannot_be_loaded_again_ends_the_store(operation: Callable[[], str] | None) -> None:
    scene = Scene()
    scene.ledger.broken_at = "failed"
    if operation is None:
        scene.disk.refuse.append(StoreUnavailable())
    call = scene.batches.submit(Step.SETTLE, operation or scene.ledger.write("a"))
    with pytest.raises(StoreBroken, match="loaded again"):
        await call
    assert len(scene.fatal) == 1


async def test_who_gave_up_waiting_is_not_run_and_what_it_got_is_undone() -> None:
    scene = Scene()
    undone: list[str] = []
    never = scene.batches.submit(Step.TAKE, scene.ledger.write("never"), undone.append)
    never.cancel()
    scene.disk.hold = asyncio.Event()
    late = scene.batches.submit(Step.TAKE, scene.ledger.write("late"), undone.append)
    for _ in range(5):
        await asyncio.sleep(0)
    late.cancel()
    scene.disk.hold.set()
    await scene.put("after")
    assert scene.ledger.durable == [["late"], ["after"]]
    assert undone == ["late"]


async def test_whoever_is_refused_or_broken_while_he_gave_up_is_not_told() -> None:
    scene = Scene()
    scene.disk.hold = asyncio.Event()
    scene.disk.refuse.append(StoreUnavailable())
    call = scene.put("a")
    for _ in range(5):
        await asyncio.sleep(0)
    call.cancel()
    scene.disk.hold.set()
    assert await scene.put("b") == "b"


async def test_closing_finishes_what_was_called() -> None:
    scene = Scene()
    put = scene.put("a")
    await scene.batches.close()
    assert put.result() == "a"
    with pytest.raises(StoreUnavailable, match="closed"):
        await scene.put("b")


async def test_every_durable_step_is_passed_before_and_after_its_commit() -> None:
    passed: list[str] = []
    scene = Scene(passed.append)
    await asyncio.gather(scene.put("a"), scene.settle("b"), scene.batches.submit(Step.NOTHING, lambda: 1))
    await scene.batches.submit(Step.HEARTBEAT, lambda: 1)
    assert passed == ["put-recorded", "settle-recorded", "put-durable", "settle-durable"]
