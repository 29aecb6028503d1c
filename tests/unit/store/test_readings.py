"""Bodies read ahead: together, once, and never more than fits."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from relay.errors import CorruptValue
from relay.store.sqlite import readings
from tests.unit.store.workbench import DROPPED, NODE, ROSSI, Bench, T, account, message


class Reader:
    """Counts the calls; waits while `hold` is set."""

    def __init__(self) -> None:
        self.calls = 0
        self.hold: asyncio.Event | None = None

    async def __call__(self, work: Callable[[], T]) -> T:
        self.calls += 1
        if self.hold is not None:
            await self.hold.wait()
        return work()


async def restarted(many: int = 3) -> tuple[Bench, Reader]:
    """Mail whose bodies are on disk only."""
    bench = Bench()
    await bench.route(account(ROSSI))
    for number in range(many):
        await bench.store.put(message(number, content=f"body {number}".encode()))
    bench.crash()
    reader = Reader()
    object.__setattr__(bench.store._outside, "read", reader)
    object.__setattr__(bench.store._readings, "_read", reader)
    await bench.store.recover(NODE)
    return bench, reader


async def test_the_bodies_of_one_take_are_read_in_one_go() -> None:
    bench, reader = await restarted()
    claims = await bench.take()
    assert [await bench.store.content(claim) for claim in claims] == [b"body 0", b"body 1", b"body 2"]
    assert reader.calls == 1


async def test_a_body_asked_for_again_is_read_again() -> None:
    bench, reader = await restarted()
    (first, *_) = await bench.take()
    assert await bench.store.content(first) == await bench.store.content(first) == b"body 0"
    assert reader.calls == 2


async def test_large_bodies_are_not_read_before_they_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readings, "AHEAD_BYTES", 5)
    bench, reader = await restarted()
    claims = await bench.take()
    await asyncio.sleep(0)
    assert reader.calls == 0
    assert await bench.store.content(claims[1]) == b"body 1"


async def test_a_body_that_does_not_open_spoils_no_other() -> None:
    bench, _ = await restarted()
    bench.rows('UPDATE messages SET "offset" = 0')
    claims = await bench.take()
    assert await bench.store.content(claims[0]) == b"body 0"
    for claim in claims[1:]:
        with pytest.raises(CorruptValue):
            await bench.store.content(claim)


async def test_who_gives_up_waiting_for_a_body_takes_none_from_the_others() -> None:
    bench, reader = await restarted()
    reader.hold = asyncio.Event()
    claims = await bench.take()
    contents = [asyncio.create_task(bench.store.content(claim)) for claim in claims]
    await asyncio.sleep(0)
    contents[0].cancel()
    reader.hold.set()
    results: list[Any] = await asyncio.gather(*contents, return_exceptions=True)
    assert isinstance(results[0], asyncio.CancelledError)
    assert results[1:] == [b"body 1", b"body 2"]


async def test_what_nobody_asked_for_is_forgotten_with_its_claim() -> None:
    bench, _ = await restarted()
    for claim in await bench.take():
        await bench.store.settle(claim, DROPPED)
    assert not bench.store._readings._under_way
