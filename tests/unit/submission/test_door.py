"""Connections are bounded in all and per address, and the last one out is noticed."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from relay.core.refusal import Reason
from relay.submission.door import STRANGER_SECONDS, STRANGER_SECONDS_FOR_KNOWN, Door
from relay.submission.peer import Peer
from tests.fakes.submission import Office, by_address, literal, practice
from tests.simulation.loop import VirtualLoop


class Visit:
    """A connection that remembers what the door asked of it."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.is_stranger = True

    def make_room(self) -> None:
        self.asked.append("make_room")

    def stop(self) -> None:
        self.asked.append("stop")

    def abort(self) -> None:
        self.asked.append("abort")


class Entrance:
    """A door, and connections that go through it."""

    def __init__(self, **bounds: int) -> None:
        ward = by_address("ward", "10.9.0.0/16", password=literal("x"))
        self.office = Office(practice(ward), **bounds)
        self.door = Door(self.office.desk())

    def enter(self, address: str = "10.0.0.1") -> Visit | Reason:
        visit = Visit()
        return self.door.enter(visit, Peer(address), self.office.listener) or visit

    def leave(self, visit: Visit | Reason) -> None:
        assert isinstance(visit, Visit)
        self.door.end(visit)
        self.door.end(visit)


async def test_as_many_as_are_allowed_come_in() -> None:
    entrance = Entrance(max_connections=2)
    first, second = entrance.enter("10.0.0.1"), entrance.enter("10.0.0.2")
    assert isinstance(first, Visit)
    assert isinstance(second, Visit)
    assert entrance.enter("10.0.0.3") is Reason.FULL
    entrance.leave(first)
    assert isinstance(entrance.enter("10.0.0.3"), Visit)


async def test_as_many_from_one_address_as_are_allowed_come_in() -> None:
    entrance = Entrance(max_connections_per_ip=2)
    visits = [entrance.enter(), entrance.enter()]
    assert entrance.enter() is Reason.FULL
    assert isinstance(entrance.enter("10.0.0.2"), Visit)
    entrance.leave(visits[0])
    assert isinstance(entrance.enter(), Visit)


async def test_an_address_in_a_clients_networks_has_no_bound_of_its_own() -> None:
    entrance = Entrance(max_connections_per_ip=1, max_connections=4)
    assert all(isinstance(entrance.enter("10.9.8.7"), Visit) for _ in range(4))
    assert entrance.enter("10.9.8.7") is Reason.FULL


def inside(entrance: Entrance, address: str = "10.0.0.1") -> Visit:
    visit = entrance.enter(address)
    assert isinstance(visit, Visit)
    return visit


def on_virtual_time(scenario: Callable[[], Coroutine[Any, Any, None]]) -> None:
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(scenario())


def test_the_stranger_who_came_first_makes_room_when_there_is_none() -> None:
    async def scenario() -> None:
        entrance = Entrance(max_connections=2)
        first, second = inside(entrance, "10.0.0.1"), inside(entrance, "10.0.0.2")
        await asyncio.sleep(STRANGER_SECONDS)
        third = inside(entrance, "10.0.0.3")
        assert (first.asked, second.asked, third.asked) == (["make_room"], [], [])
        inside(entrance, "10.0.0.4")
        assert second.asked == ["make_room"]
        assert entrance.enter("10.0.0.5") is Reason.FULL, "those inside have had no time yet"
        entrance.leave(first)
        assert entrance.enter("10.0.0.5") is Reason.FULL, "whose place was given away already"

    on_virtual_time(scenario)


def test_who_has_logged_in_never_makes_room() -> None:
    async def scenario() -> None:
        entrance = Entrance(max_connections=3)
        client, stranger, other = (inside(entrance, f"10.0.0.{number}") for number in range(3))
        client.is_stranger = other.is_stranger = False
        await asyncio.sleep(STRANGER_SECONDS)
        inside(entrance, "10.0.0.4").is_stranger = False
        assert entrance.enter("10.0.0.5") is Reason.FULL
        assert (client.asked, stranger.asked, other.asked) == ([], ["make_room"], [])

    on_virtual_time(scenario)


@pytest.mark.parametrize("how", ["logged in before", "still inside", "in a client's networks"])
def test_who_is_known_waits_for_strangers_less_long(how: str) -> None:
    async def scenario() -> None:
        entrance = Entrance(max_connections=2)
        address = "10.9.8.7" if how == "in a client's networks" else "10.0.0.1"
        if how != "in a client's networks":
            client = inside(entrance, address)
            client.is_stranger = False
            if how == "logged in before":
                entrance.leave(client)
                inside(entrance, "10.0.0.3")
        else:
            inside(entrance, "10.0.0.3")
        stranger = inside(entrance, "10.0.0.2")
        await asyncio.sleep(STRANGER_SECONDS_FOR_KNOWN)
        assert entrance.enter("10.0.0.4") is Reason.FULL
        assert isinstance(entrance.enter(address), Visit)
        assert stranger.asked == ([] if how != "still inside" else ["make_room"])

    on_virtual_time(scenario)


def test_a_stranger_makes_room_for_a_client_at_the_same_address() -> None:
    async def scenario() -> None:
        entrance = Entrance(max_connections_per_ip=2)
        idle, other = inside(entrance), inside(entrance, "10.0.0.2")
        inside(entrance)
        await asyncio.sleep(STRANGER_SECONDS)
        inside(entrance)
        assert (idle.asked, other.asked) == (["make_room"], [])

    on_virtual_time(scenario)


def test_those_who_are_leaving_are_bounded_too() -> None:
    async def scenario() -> None:
        entrance = Entrance(max_connections=2)
        for number in range(5):
            await asyncio.sleep(STRANGER_SECONDS)
            inside(entrance, f"10.0.0.{number}")
        await asyncio.sleep(STRANGER_SECONDS)
        assert entrance.enter("10.0.0.9") is Reason.FULL

    on_virtual_time(scenario)


async def test_one_is_inside_until_socket_and_dialogue_have_both_ended() -> None:
    entrance = Entrance(max_connections=1)
    visit = entrance.enter()
    assert isinstance(visit, Visit)
    entrance.door.end(visit)
    assert entrance.enter() is Reason.FULL
    entrance.door.end(visit)
    assert isinstance(entrance.enter(), Visit)


async def test_who_was_turned_away_was_never_inside() -> None:
    entrance = Entrance(max_connections=0)
    visit = Visit()
    assert entrance.door.enter(visit, Peer("10.0.0.1"), entrance.office.listener) is Reason.FULL
    entrance.door.end(visit)
    await asyncio.wait_for(entrance.door.empty(), 60)
    assert [name for name, _ in entrance.office.observer.events] == ["turned_away"]


@pytest.mark.parametrize(("method", "asked"), [("stop", "stop"), ("abort", "abort")])
async def test_who_stops_tells_everybody_inside_and_lets_nobody_in(method: str, asked: str) -> None:
    entrance = Entrance()
    visits = [entrance.enter(), entrance.enter()]
    getattr(entrance.door, method)()
    assert [visit.asked for visit in visits if isinstance(visit, Visit)] == [[asked], [asked]]
    assert entrance.enter() is Reason.STOPPING


async def test_the_last_one_out_is_noticed() -> None:
    entrance = Entrance()
    visits = [entrance.enter(), entrance.enter()]
    empty = asyncio.create_task(entrance.door.empty())
    entrance.leave(visits[0])
    await asyncio.sleep(0)
    assert not empty.done()
    entrance.leave(visits[1])
    await asyncio.wait_for(empty, 60)
    assert [name for name, _ in entrance.office.observer.events] == ["connected"] * 2 + ["disconnected"] * 2
