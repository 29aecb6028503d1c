"""Few hashes run at once; whose password was right before goes first, and no address keeps another waiting."""

import asyncio

from relay.submission.turns import Turns


class Queue:
    """Turns, and who got one, in order."""

    def __init__(self, *, waiting_most: int = 100) -> None:
        self.turns = Turns(1, waiting_most=waiting_most)
        self.served: list[str] = []
        self.refused: list[str] = []
        self._tasks: list[asyncio.Task[None]] = []

    async def ask(self, name: str, address: str, *, is_first: bool = False) -> None:
        self._tasks.append(asyncio.create_task(self._ask(name, address, is_first)))
        await asyncio.sleep(0)

    async def _ask(self, name: str, address: str, is_first: bool) -> None:
        (self.served if await self.turns.take(address, is_first=is_first) else self.refused).append(name)

    async def serve_all(self) -> None:
        while len(self.served) + len(self.refused) < len(self._tasks):
            self.turns.give_back()
            for _ in range(3):
                await asyncio.sleep(0)
        self.turns.give_back()


async def test_addresses_take_turns_however_many_wait_behind_one() -> None:
    queue = Queue()
    for number in range(5):
        await queue.ask(f"a{number}", "a")
    await queue.ask("b0", "b")
    await queue.ask("c0", "c")
    await queue.serve_all()
    assert queue.served == ["a0", "a1", "b0", "c0", "a2", "a3", "a4"]


async def test_who_was_right_before_goes_first() -> None:
    queue = Queue()
    for number in range(3):
        await queue.ask(f"a{number}", "a")
    await queue.ask("known", "a", is_first=True)
    await queue.serve_all()
    assert queue.served == ["a0", "known", "a1", "a2"]


async def test_when_no_more_can_wait_the_address_with_the_most_gives_way() -> None:
    queue = Queue(waiting_most=3)
    for number in range(5):
        await queue.ask(f"a{number}", "a")
    assert queue.refused == ["a4"]
    await queue.ask("b0", "b")
    await asyncio.sleep(0)
    assert queue.refused == ["a4", "a3"]
    await queue.ask("known", "a", is_first=True)
    await queue.serve_all()
    assert queue.served == ["a0", "known", "a1", "b0", "a2"]


async def test_those_who_go_first_are_bounded_too() -> None:
    queue = Queue(waiting_most=2)
    for number in range(4):
        await queue.ask(f"k{number}", "a", is_first=True)
    assert queue.refused == ["k3"]
    await queue.serve_all()


async def test_a_turn_given_back_when_nobody_waits_is_free() -> None:
    turns = Turns(2, waiting_most=1)
    assert await turns.take("a", is_first=False)
    assert await turns.take("a", is_first=False)
    turns.give_back()
    assert await asyncio.wait_for(turns.take("b", is_first=False), 60)


async def test_who_gives_up_waiting_takes_no_turn_with_him() -> None:
    turns = Turns(1, waiting_most=5)
    assert await turns.take("a", is_first=False)
    early, late = (asyncio.create_task(turns.take("a", is_first=is_first)) for is_first in (False, True))
    await asyncio.sleep(0)
    early.cancel()
    turns.give_back()
    late.cancel()  # it has the turn already and does not know it yet
    await asyncio.gather(early, late, return_exceptions=True)
    assert await asyncio.wait_for(turns.take("b", is_first=False), 60)
