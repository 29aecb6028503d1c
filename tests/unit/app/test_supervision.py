"""Supervision: nothing goes on half, and what dies says so in one line."""

import asyncio
import json

import pytest

from relay.app.supervision import Supervisor
from relay.errors import StoreBroken
from relay.observe import Log

PATIENT = "paziente@example.org"


class World:
    def __init__(self) -> None:
        self.lines: list[str] = []
        self.supervisor = Supervisor(Log(self.lines.append, lambda: 0.0))

    @property
    def events(self) -> list[tuple[str, str]]:
        records = [json.loads(line) for line in self.lines]
        return [(each["event"], each["what"]) for each in records]


@pytest.fixture
def world() -> World:
    return World()


async def ends() -> None:
    return


async def fails() -> None:
    raise ValueError(PATIENT)


async def breaks() -> None:
    raise StoreBroken


async def goes_on() -> None:
    await asyncio.Event().wait()


async def test_a_service_that_dies_ends_everything_and_its_cause_names_no_patient(world: World) -> None:
    world.supervisor.start("delivery", fails())
    cause = await world.supervisor.until_over()
    assert cause.startswith("delivery: ValueError at test_supervision.py:")
    assert world.supervisor.failure == cause
    assert world.events == [("failed", "delivery")]
    assert PATIENT not in "".join(world.lines)


async def test_an_error_of_ours_is_told_in_its_own_words(world: World) -> None:
    world.supervisor.start("delivery", breaks())
    assert await world.supervisor.until_over() == "delivery: the store cannot be used and needs repair"


async def test_a_service_that_ends_by_itself_has_failed(world: World) -> None:
    world.supervisor.start("admin", ends())
    assert await world.supervisor.until_over() == "admin: it ended by itself"
    assert world.supervisor.failure is not None


async def test_a_signal_is_an_end_without_failure(world: World) -> None:
    world.supervisor.start("admin", goes_on())
    world.supervisor.end("SIGTERM")
    assert await world.supervisor.until_over() == "SIGTERM"
    assert world.supervisor.failure is None
    await world.supervisor.cancel("admin")
    assert world.lines == []


async def test_the_first_cause_counts(world: World) -> None:
    world.supervisor.end("SIGTERM")
    world.supervisor.end("SIGINT")
    assert await world.supervisor.until_over() == "SIGTERM"


async def test_what_dies_while_everything_stops_is_said_and_changes_nothing(world: World) -> None:
    world.supervisor.end("SIGTERM")
    world.supervisor.start("outbox", fails())
    world.supervisor.start("admin", ends())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert world.supervisor.failure is None
    assert world.events == [("failed", "outbox")]


async def test_something_without_a_task_can_fail_too_and_is_said_once(world: World) -> None:
    world.supervisor.fail("store", StoreBroken())
    world.supervisor.fail("delivery", StoreBroken())
    assert await world.supervisor.until_over() == "store: the store cannot be used and needs repair"
    assert world.events == [("failed", "store")]


async def test_ending_what_is_not_there_is_harmless(world: World) -> None:
    await world.supervisor.cancel("nothing")
    await world.supervisor.until_done("nothing", 1.0)


async def test_a_service_that_does_not_end_in_time_is_cancelled(world: World) -> None:
    task = world.supervisor.start("admin", goes_on())
    world.supervisor.end("SIGTERM")
    await world.supervisor.until_done("admin", 0.0)
    assert task.cancelled()
