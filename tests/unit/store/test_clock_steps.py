"""A wall clock that is set while the store runs, over restarts and over reboots: what it must not move."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from relay.core.limits import HOUR
from relay.store.needs import StoreSettings
from tests.unit.store.workbench import DEFERRED, MINUTE, NODE, ROSSI, SECOND, Bench, account, message, provider

DAY = 24 * HOUR
YEAR = 365 * DAY
ROME = ZoneInfo("Europe/Rome")


async def queued(many: int = 1) -> Bench:
    bench = Bench(StoreSettings(lifetime=3 * DAY, hold_lifetime=7 * DAY))
    await bench.route(account(ROSSI))
    for number in range(many):
        await bench.store.put(message(number))
    return bench


async def is_given_up(bench: Bench) -> bool:
    await bench.store.heartbeat(NODE)
    return bool(await bench.store.outbox(10))


@pytest.mark.parametrize("step", [3 * HOUR, 4 * DAY, YEAR, -YEAR])
@pytest.mark.parametrize("restarts", [False, True])
async def test_a_step_gives_nothing_up_and_keeps_nothing_longer(step: int, restarts: bool) -> None:
    bench = await queued()
    bench.clock.wall_now += step
    if restarts:
        bench.crash()
    assert not await is_given_up(bench)
    bench.clock.advance(3 * DAY - MINUTE)
    assert not await is_given_up(bench)
    bench.clock.advance(2 * MINUTE)
    assert await is_given_up(bench)


@pytest.mark.parametrize("step", [3 * HOUR, YEAR, -3 * HOUR, -YEAR])
@pytest.mark.parametrize("restarts", [False, True])
async def test_a_retry_comes_neither_earlier_nor_later_for_a_step(step: int, restarts: bool) -> None:
    bench = await queued()
    (claim,) = await bench.take()
    await bench.send(claim, DEFERRED)
    bench.clock.wall_now += step
    if restarts:
        bench.crash()
    bench.clock.advance(5 * MINUTE - SECOND)
    assert await bench.take() == ()
    bench.clock.advance(SECOND)
    assert len(await bench.take()) == 1


@pytest.mark.parametrize("is_synchronised", [True, False])
async def test_a_year_of_reboot_counts_as_a_day_at_most(is_synchronised: bool) -> None:
    bench = await queued()
    bench.clock.boot_id, bench.clock.boottime_now = "boot-2", SECOND
    bench.clock.wall_now += YEAR
    bench.clock.is_synchronised = is_synchronised
    bench.crash()
    assert not await is_given_up(bench)
    bench.clock.advance(2 * DAY - MINUTE)
    assert not await is_given_up(bench)
    bench.clock.advance(2 * MINUTE)
    assert await is_given_up(bench)


@pytest.mark.parametrize("is_synchronised", [True, False])
async def test_a_retry_comes_due_while_the_machine_is_off(is_synchronised: bool) -> None:
    bench = await queued()
    (claim,) = await bench.take()
    await bench.send(claim, DEFERRED)
    bench.clock.boot_id, bench.clock.boottime_now = "boot-2", SECOND
    bench.clock.wall_now += 8 * HOUR
    bench.clock.is_synchronised = is_synchronised
    bench.crash()
    assert len(await bench.take()) == 1


async def test_a_reboot_into_the_past_keeps_nothing_longer() -> None:
    bench = await queued()
    bench.clock.boot_id, bench.clock.boottime_now = "boot-2", SECOND
    bench.clock.wall_now -= YEAR
    bench.clock.is_synchronised = False
    bench.crash()
    bench.clock.wall_now += YEAR
    bench.clock.advance(3 * DAY + MINUTE)
    assert await is_given_up(bench)


async def test_people_are_shown_times_by_the_clock_of_now() -> None:
    bench = await queued()
    bench.clock.wall_now += YEAR
    bench.clock.advance(3 * DAY)
    await bench.store.heartbeat(NODE)
    (entry,) = await bench.store.outbox(10)
    assert entry.at == bench.clock.wall_now
    assert entry.accepted_at == bench.clock.wall_now - 3 * DAY


async def test_no_step_gives_a_slot_back() -> None:
    bench = Bench()
    await bench.route(account(ROSSI), providers=(provider("aruba", "1/1h"),))
    await bench.store.put(message(0))
    await bench.store.put(message(1))
    (claim,) = await bench.take()
    await bench.send(claim)
    for step in (2 * HOUR, -5 * HOUR, YEAR):
        bench.clock.wall_now += step
        assert await bench.take() == ()
        bench.crash()
        await bench.store.heartbeat(NODE)
        assert await bench.take() == ()
    bench.clock.advance(HOUR + SECOND)
    assert len(await bench.take()) == 1


def at(*when: int) -> int:
    return round(datetime(*when, tzinfo=ROME).timestamp()) * SECOND  # type: ignore[arg-type, misc]


async def on_the_day(moment: int, limit: str = "1/calendar-day") -> Bench:
    """A store whose mailbox has used up its day's one mail at `moment`."""
    bench = Bench()
    bench.clock.wall_now = moment
    bench.connection.execute("DELETE FROM clock")
    bench.connection.execute("DELETE FROM meta WHERE name = 'queue_ahead'")
    bench.open()
    await bench.route(account(ROSSI), providers=(provider("aruba", limit),))
    for number in range(3):
        await bench.store.put(message(number))
    (claim,) = await bench.take()
    await bench.send(claim)
    assert await bench.take() == ()
    return bench


@pytest.mark.parametrize(
    ("noon", "midnight"),
    [
        ((2027, 3, 27, 12), (2027, 3, 28)),
        ((2027, 3, 28, 12), (2027, 3, 29)),
        ((2027, 10, 30, 12), (2027, 10, 31)),
        ((2027, 10, 31, 1), (2027, 11, 1)),
    ],
    ids=["before spring", "the day of 23 hours", "before autumn", "the day of 25 hours"],
)
async def test_a_day_of_the_calendar_ends_at_its_own_midnight(noon: tuple[int, ...], midnight: tuple[int, ...]) -> None:
    bench = await on_the_day(at(*noon))
    opens = at(*midnight) + 5 * MINUTE
    taken = await bench.store.take(NODE, {}, 0)
    bench.clock.advance(opens - bench.clock.wall_now - SECOND)
    await bench.store.heartbeat(NODE)
    assert await bench.take() == ()
    bench.clock.advance(2 * SECOND)
    await bench.store.heartbeat(NODE)
    assert len(await bench.take()) == 1
    assert taken.wake_at is not None


@pytest.mark.parametrize("hours", [-3, 3])
async def test_a_clock_set_over_midnight_by_hand_opens_no_day(hours: int) -> None:
    bench = await on_the_day(at(2027, 5, 10, 22 if hours > 0 else 1))
    bench.clock.is_synchronised = False
    bench.clock.wall_now += hours * HOUR
    bench.clock.advance(MINUTE)
    await bench.store.heartbeat(NODE)
    assert await bench.take() == ()


async def test_the_same_moment_is_shown_the_same_twice_though_two_clocks_are_never_read_at_one_instant() -> None:
    bench = Bench()
    await bench.route()
    await bench.store.put(message(1))
    first = await bench.store.message("m-1")
    for shake in (7, -300, 41_000, -2):
        bench.clock.wall_now += shake
        assert await bench.store.message("m-1") == first
    bench.clock.wall_now += HOUR
    later = await bench.store.message("m-1")
    assert first is not None
    assert later is not None
    assert later.accepted_at - first.accepted_at >= HOUR
