"""The store comes and goes: said once, whoever asks it meanwhile, and the node is not ready while it is away."""

import asyncio
import json
from pathlib import Path

import pytest

from relay.admin import Part, Readiness
from relay.app.announcing import Announcer
from relay.app.observation import DeliveryObserver
from relay.app.presence import Presence, Scout
from relay.app.run import Order, WrongRole, refuse_roles
from relay.app.systemd import ServiceManager, Watchdog
from relay.app.timed import TimedStore
from relay.errors import CorruptValue, RelayError, StoreBroken, StoreFull, StoreUnavailable
from relay.observe import Log, Metrics
from relay.store.alone import LoneNode
from relay.store.ports.nodes import FORGOTTEN_AFTER, SILENT_AFTER, NodeState, NodeView, Role, state_of
from tests.fakes.nodes import FakeNodes
from tests.unit.app.test_settings import loaded

VIEW = NodeView("n1", "posta-1", Role.ALL, "1", 0)


class Store:
    """As well as it is told to be."""

    def __init__(self) -> None:
        self.failure: RelayError | None = None

    async def lost(self) -> int:
        return 0

    async def done(self, entry: int) -> None:
        if self.failure is not None:
            raise self.failure


class World:
    def __init__(self) -> None:
        self.lines: list[str] = []
        self.log = Log(self.lines.append, lambda: 0.0)
        self.readiness = Readiness(lambda: 0.0)
        self.inner = Store()
        presence = Presence(self.readiness, self.log)
        self.store = TimedStore(self.inner, lambda *_: None, lambda: 0.0, presence=presence)  # type: ignore[arg-type]

    async def ask(self, failure: RelayError | None = None) -> None:
        self.inner.failure = failure
        try:
            await self.store.done(1)
        except RelayError:
            assert failure is not None

    @property
    def events(self) -> list[str]:
        return [json.loads(line)["event"] for line in self.lines]


async def test_a_store_that_goes_and_comes_back_is_said_once_each_time() -> None:
    world = World()
    for _ in range(2):
        for _ in range(10):
            await world.ask(StoreUnavailable())
        assert [each.what for each in world.readiness.problems] == [Part.STORE]
        assert not world.readiness.is_ready
        for _ in range(10):
            await world.ask()
        assert world.readiness.is_ready
    assert world.events == ["trouble", "trouble_over"] * 2


async def test_a_store_that_refuses_is_there() -> None:
    world = World()
    await world.ask(StoreFull())
    assert world.readiness.is_ready
    assert world.lines == []


def test_delivery_does_not_repeat_what_is_said_once_for_all() -> None:
    world = World()
    observer = DeliveryObserver(world.log, Metrics("0"))
    observer.store_failed("take", StoreUnavailable())
    assert world.lines == []
    observer.store_failed("settle", StoreFull())
    assert world.events == ["trouble"]


async def test_a_store_elsewhere_that_is_away_is_no_reason_to_end_this_process() -> None:
    watchdog = Watchdog(ServiceManager({}, pid=1), None)
    assert await watchdog._store_answers()


# the nodes


async def test_a_node_alone_is_listed_with_when_it_was_seen() -> None:
    now = 1_000
    lone = LoneNode(lambda: now)
    assert await lone.nodes() == ()
    await lone.announce(VIEW)
    now += SILENT_AFTER - 1
    (seen,) = await lone.nodes()
    assert (seen.view, seen.last_seen, seen.state) == (VIEW, 1_000, NodeState.RUNNING)


@pytest.mark.parametrize(
    ("is_draining", "silent_for", "state"),
    [
        (False, 0, NodeState.RUNNING),
        (True, 0, NodeState.DRAINING),
        (False, SILENT_AFTER, NodeState.SILENT),
        (True, SILENT_AFTER, NodeState.STOPPED),
        (True, FORGOTTEN_AFTER, NodeState.STOPPED),
    ],
)
def test_what_a_node_said_last_tells_a_stop_from_a_silence(
    is_draining: bool, silent_for: int, state: NodeState
) -> None:
    view = NodeView("n1", "posta-1", Role.ALL, "1", 0, is_draining=is_draining)
    assert state_of(view, silent_for) is state


def test_who_said_that_it_has_stopped_has() -> None:
    view = NodeView("n1", "posta-1", Role.ALL, "1", 0, is_draining=True, is_stopped=True)
    assert {state_of(view, silent_for) for silent_for in (0, SILENT_AFTER)} == {NodeState.STOPPED}


def test_roles_say_what_is_done_where() -> None:
    assert [(role.takes_mail, role.delivers) for role in (Role.ALL, Role.SUBMISSION, Role.DELIVERY)] == [
        (True, True), (True, False), (False, True),
    ]  # fmt: skip


async def test_an_announcement_that_is_not_heard_is_made_again_and_ends_nothing() -> None:
    nodes = FakeNodes()
    announcer = Announcer(nodes, lambda: VIEW)
    nodes.trouble = StoreUnavailable()
    assert not await announcer.announce()
    nodes.trouble = None
    assert await announcer.announce()
    assert nodes.announced == [VIEW]


@pytest.mark.parametrize("error", [StoreUnavailable(), StoreBroken(), CorruptValue()])
async def test_what_is_wrong_with_the_others_ends_no_node_and_is_looked_at_again(
    error: RelayError, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("relay.app.announcing.EVERY", 0.0)
    monkeypatch.setattr("relay.app.announcing.PAUSE", 0.0)
    looks, is_enough = [0], asyncio.Event()

    async def look() -> None:
        looks[0] += 1
        if looks[0] < 3:
            raise error
        is_enough.set()

    task = asyncio.create_task(Announcer(FakeNodes(), lambda: VIEW, then=look).run())
    waiting = asyncio.create_task(is_enough.wait())
    await asyncio.wait((task, waiting), return_when=asyncio.FIRST_COMPLETED)
    assert not task.done()
    task.cancel()


@pytest.mark.parametrize("role", [Role.SUBMISSION, Role.DELIVERY])
def test_with_sqlite_a_node_does_all(tmp_path: Path, role: Role) -> None:
    config = loaded(tmp_path)
    refuse_roles(Order(config, tmp_path, {}, lambda _: None))
    with pytest.raises(WrongRole, match="with SQLite a node does all"):
        refuse_roles(Order(config, tmp_path, {}, lambda _: None, role))


async def test_a_store_that_is_away_is_looked_for_until_it_is_back_and_then_left_alone() -> None:
    class Outbox:
        def __init__(self) -> None:
            self.asked = 0
            self.is_back = False

        async def outbox(self, most: int, after: int = 0) -> list[object]:
            assert most == 0, "a look costs next to nothing"
            self.asked += 1
            if not self.is_back:
                presence.missed(StoreUnavailable())
                raise StoreUnavailable
            presence.answered()
            return []

    presence = Presence(Readiness(lambda: 0.0), Log(lambda _: None, lambda: 0.0))
    store = Outbox()
    scouting = asyncio.create_task(Scout(store, presence, every=0.0).run())  # type: ignore[arg-type]
    await asyncio.sleep(0.01)
    assert store.asked == 0
    presence.missed(StoreUnavailable())
    await asyncio.sleep(0.01)
    assert store.asked > 1
    store.is_back = True
    await asyncio.sleep(0.01)
    asked = store.asked
    await asyncio.sleep(0.01)
    assert store.asked == asked
    scouting.cancel()
    await asyncio.wait([scouting])
