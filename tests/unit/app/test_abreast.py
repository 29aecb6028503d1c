"""Who is behind takes nothing until it has taken over, and no news of a change is lost."""

import asyncio
from collections.abc import Callable

import pytest

from relay.app.abreast import Abreast
from relay.errors import StaleRouting


async def test_a_node_is_behind_until_it_works_with_what_is_in_force() -> None:
    abreast = Abreast()
    waiting = asyncio.create_task(abreast.wait())
    await asyncio.sleep(0)
    assert not waiting.done()
    abreast.now()
    await waiting
    await abreast.wait()
    assert abreast.is_now


async def test_who_stays_behind_is_told_so_and_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("relay.app.abreast.PATIENCE", 0.0)
    abreast = Abreast()
    abreast.now()
    abreast.behind()
    with pytest.raises(StaleRouting):
        await abreast.wait()


@pytest.mark.parametrize("tell", [Abreast.wake, Abreast.behind])
async def test_news_that_come_before_anybody_listens_are_not_lost_and_heard_once(
    tell: Callable[[Abreast], None],
) -> None:
    abreast = Abreast()
    tell(abreast)
    tell(abreast)
    await abreast.news()
    again = asyncio.create_task(abreast.news())
    await asyncio.sleep(0)
    assert not again.done()
    again.cancel()
