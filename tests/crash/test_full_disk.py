"""A disk that is really full: nothing more is accepted, what is under way is settled, and the queue can be drained."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from relay.errors import StoreFull
from tests.crash.driver import Driver
from tests.crash.small_disk import mounted

SIZE_MB = 6
RESERVE = 1_000_000


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, which only root can mount."""
    with mounted(tmp_path, megabytes=SIZE_MB) as disk:
        yield disk


async def fill(driver: Driver, name: str) -> int:
    """Puts until there is no space; how many were accepted."""
    number = 0
    while True:
        try:
            await driver.put(f"{name}{number}")
        except StoreFull:
            return number
        number += 1


async def drain(driver: Driver) -> int:
    """Sends everything; how many left."""
    many = 0
    while claims := await driver.take(20):
        for claim in claims:
            await driver.send(claim)
        many += len(claims)
    return many


async def test_a_full_disk_can_be_drained_and_takes_mail_again(small_disk: Path) -> None:
    driver = Driver(small_disk, reserve=RESERVE)
    await driver.start()
    accepted = await fill(driver, "a")
    assert accepted > 1000
    with pytest.raises(StoreFull):
        await driver.put("too-much")
    assert await drain(driver) == accepted
    await driver.beat()
    assert await fill(driver, "b") > accepted // 4, "what left made room"
    await driver.close()


async def test_what_is_under_way_on_a_full_disk_is_settled_before_mail_is_taken_again(small_disk: Path) -> None:
    driver = Driver(small_disk, reserve=RESERVE)
    await driver.start()
    for number in range(20):
        await driver.put(f"first{number}")
    claims = await driver.take(20)
    await fill(driver, "more")
    for claim in claims:
        await driver.send(claim)
    counts = await driver.store.queue_counts()
    assert counts[0].sending == 0
    await driver.close()


async def test_a_store_on_a_full_disk_opens_again_after_a_crash(small_disk: Path) -> None:
    driver = Driver(small_disk, reserve=RESERVE)
    await driver.start()
    accepted = await fill(driver, "a")
    driver.store._ground.database.close()
    driver.data.release()
    again = Driver(small_disk, reserve=RESERVE)
    await again.start()
    assert await drain(again) == accepted
    await again.close()
