"""What DNS said is remembered for a while; it holds nobody up, and its silence refuses nobody."""

import asyncio

import pytest

from relay.submission.domains import AT_ONCE, KEPT_MOST, MISSING_SECONDS, Domains, Finding, Standing
from tests.fakes.submission import Clock


class Names:
    """DNS that remembers what it was asked; it answers when `gate` is open."""

    def __init__(self, standing: Standing = Standing.FINE, seconds: float = 60) -> None:
        self.finding = Finding(standing, seconds)
        self.asked: list[str] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.news = asyncio.Event()

    async def __call__(self, domain: str) -> Finding:
        self.asked.append(domain)
        self.news.set()
        await self.gate.wait()
        return self.finding

    async def until(self, many: int) -> None:
        """Returns when so many were asked for."""
        while len(self.asked) < many:
            self.news.clear()
            await self.news.wait()


async def test_the_same_domain_is_asked_once_while_it_is_remembered() -> None:
    names, clock = Names(), Clock()
    domains = Domains(names, clock)
    for _ in range(3):
        assert await domains.standing("Example.ORG") is Standing.FINE
    assert names.asked == ["example.org"]
    clock.now += 60
    await domains.standing("example.org")
    assert names.asked == ["example.org"] * 2


async def test_what_is_missing_is_asked_again_soon() -> None:
    names, clock = Names(Standing.MISSING, MISSING_SECONDS), Clock()
    domains = Domains(names, clock)
    assert await domains.standing("new.example") is Standing.MISSING
    names.finding = Finding(Standing.FINE, 60)
    assert await domains.standing("new.example") is Standing.MISSING
    clock.now += MISSING_SECONDS
    assert await domains.standing("new.example") is Standing.FINE


async def test_who_asks_meanwhile_waits_for_the_same_answer() -> None:
    names = Names(Standing.MISSING)
    names.gate.clear()
    domains = Domains(names, Clock())
    asking = [asyncio.create_task(domains.standing("example.org")) for _ in range(5)]
    await names.until(1)
    names.gate.set()
    assert await asyncio.gather(*asking) == [Standing.MISSING] * 5
    assert names.asked == ["example.org"]


async def test_who_gives_up_does_not_take_the_answer_from_the_others() -> None:
    names = Names(Standing.MISSING)
    names.gate.clear()
    domains = Domains(names, Clock())
    first, second = (asyncio.create_task(domains.standing("example.org")) for _ in range(2))
    await names.until(1)
    first.cancel()
    names.gate.set()
    assert await second is Standing.MISSING


async def test_dns_that_hangs_refuses_nobody_and_is_not_waited_for_again() -> None:
    names = Names(Standing.MISSING)
    names.gate.clear()
    domains = Domains(names, Clock(), within=0.01)
    assert await domains.standing("example.org") is Standing.FINE
    assert await domains.standing("example.org") is Standing.FINE
    assert names.asked == ["example.org"]


async def test_looks_at_once_are_bounded_and_who_comes_beyond_is_taken() -> None:
    names = Names(Standing.MISSING)
    names.gate.clear()
    domains = Domains(names, Clock())
    asking = [asyncio.create_task(domains.standing(f"d{number}.example")) for number in range(AT_ONCE)]
    await names.until(AT_ONCE)
    assert await domains.standing("one-more.example") is Standing.FINE
    names.gate.set()
    assert set(await asyncio.gather(*asking)) == {Standing.MISSING}
    assert len(names.asked) == AT_ONCE


async def test_a_look_that_fails_in_an_unforeseen_way_is_said_and_blocks_nothing() -> None:
    async def broken(_: str) -> Finding:
        raise RuntimeError("a defect")

    domains = Domains(broken, Clock())
    for _ in range(2):
        with pytest.raises(RuntimeError):
            await domains.standing("example.org")


@pytest.mark.parametrize("many", [KEPT_MOST + 10])
async def test_what_is_remembered_is_bounded(many: int) -> None:
    names = Names()
    domains = Domains(names, Clock())
    for number in range(many):
        await domains.standing(f"d{number}.example")
    await domains.standing("d0.example")
    assert len(names.asked) == many + 1, "whoever was asked first is forgotten first"
    await domains.standing(f"d{many - 1}.example")
    assert len(names.asked) == many + 1
