"""Connections are bounded in all and per address, and the last one out is noticed."""

import asyncio

import pytest

from relay.core.refusal import Reason
from relay.submission.door import Door
from relay.submission.peer import Peer
from tests.fakes.submission import Office, by_address, literal, practice


class Visit:
    """A connection that remembers what the door asked of it."""

    def __init__(self) -> None:
        self.asked: list[str] = []

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
    await asyncio.wait_for(entrance.door.empty(), 5)
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
    await asyncio.wait_for(empty, 5)
    assert [name for name, _ in entrance.office.observer.events] == ["connected"] * 2 + ["disconnected"] * 2
