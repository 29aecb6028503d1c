"""The order of start and stop: nothing is ready before it can work, and nothing is closed while something needs it."""

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from relay.admin import Readiness
from relay.app import accounts, admin, delivery, notices, submission, tokens
from relay.app import service as service_module
from relay.app.machine import MachineClock, Threads
from relay.app.means import Means
from relay.app.service import Service
from relay.app.sockets import CannotListen
from relay.app.supervision import Supervisor
from relay.config.problems import Loaded
from relay.config.references import References
from relay.core.routing import Routing
from relay.core.tested import Finding
from relay.core.words import MailboxId
from relay.errors import DataDirInUse, StoreBroken
from relay.observe import Log, Metrics
from relay.store.ports.events import EventKind, StoreEvent
from relay.store.ports.nodes import NodeView, Role
from tests.fakes.nodes import FakeNodes
from tests.unit.app.test_settings import loaded

LOADED = Loaded(Routing(), ())


class Part:
    """Any part of the relay; says what is done to it."""

    def __init__(self, name: str, world: "World") -> None:
        self.name = name
        self.world = world
        self.ended = asyncio.Event()
        self.store = self
        self.node = "n"
        self.cut_short = 3
        self.sessions = self.under_way = 0

    def lacks(self) -> tuple[str, ...]:
        return ()

    def routing(self) -> Routing:
        return Routing()

    async def let_go(self, mailboxes: object) -> None:
        assert not mailboxes, "it lacks nothing"

    def said(self, what: str) -> None:
        self.world.steps.append(f"{self.name} {what}")

    async def recover(self, node: str) -> int:
        self.said("recover")
        return 0

    async def start(self, *arguments: object, **named: object) -> None:
        self.said("start")

    async def run(self) -> None:
        self.said("run")
        await self.ended.wait()

    serve = follow = run

    async def stop(self) -> None:
        self.said("stop")
        if self.world.is_slow:
            await self.world.hurried.wait()
        self.ended.set()
        self.said("stopped")

    def hurry(self) -> None:
        self.said("hurry")
        self.world.hurried.set()

    def stop_listening(self) -> None:
        self.said("stop listening")

    async def drain(self) -> None:
        self.said("drained")

    def wake(self) -> None:
        self.said("woken")


class Store(Part):
    nodes = FakeNodes()
    books: Any = SimpleNamespace(notices=None)

    @property
    def keys(self) -> "Store":
        return self

    def obey(self, keeper: object) -> None:
        """Nothing is taken before he has it: nothing is taken here at all."""

    async def finish(self) -> int:
        self.said("finish")
        return 0

    async def close(self) -> None:
        self.said("close")
        if self.world.close_failure is not None:
            raise self.world.close_failure


class Submission(Part):
    async def close(self) -> None:
        self.said("close")


class Tokens(Part):
    async def close(self) -> None:
        self.said("close")


class Admin(Part):
    def close(self) -> None:
        self.said("close")
        self.ended.set()


class Look(Part):
    async def look(self) -> None:
        self.said("look")


class Socket(Part):
    def close(self) -> None:
        self.said("close")


class World:
    """A service whose parts are all fakes."""

    def __init__(self, path: Path, monkeypatch: pytest.MonkeyPatch, role: Role = Role.ALL) -> None:
        self.steps: list[str] = []
        self.lines: list[str] = []
        self.is_slow = False
        self.hurried = asyncio.Event()
        self.close_failure: Exception | None = None
        self.failures: dict[str, Exception] = {}
        self.needs: Any = None
        self.is_urgent = asyncio.Event()
        self.readiness = Readiness(lambda: 0.0)
        log = Log(self.lines.append, lambda: 0.0)
        self.supervisor = Supervisor(log)
        clock, threads = MachineClock(), Threads()
        config, resolve = loaded(path), References({})
        means = Means(config, {}, clock, threads, log, Metrics("0"), self.readiness, resolve, role=role)
        self.service = Service(means, self.supervisor, self.is_urgent)
        made = {
            (admin, "self_look"): ("self_look", Look),
            (admin, "server"): ("admin_server", Admin),
            (accounts, "clerk"): ("clerk", Part),
            (accounts, "password_desk"): ("password_desk", Part),
            (accounts, "tester"): ("tester", Part),
            (delivery, "dispatcher"): ("dispatcher", Part),
            (delivery, "upstream"): ("smtp_upstream", Part),
            (notices, "notice_pump"): ("notice_pump", Part),
            (notices, "outbox_pump"): ("outbox_pump", Part),
            (notices, "terms_watch"): ("terms_watch", Part),
            (submission, "server"): ("submission_server", Submission),
            (tokens, "refresh_tokens"): ("refresh_tokens", Part),
            (service_module, "RoutingKeeper"): ("routing_keeper", Part),
            (service_module, "routing_desk"): ("desk", Part),
        }
        for (module, maker), (name, kind) in made.items():
            monkeypatch.setattr(module, maker, lambda *_, name=name, kind=kind, **__: self.part(name, kind))
        monkeypatch.setattr(tokens, "token_source", lambda *_, **__: Tokens("tokens", self))
        monkeypatch.setattr(service_module, "open_storage", self.open)
        monkeypatch.setattr(service_module, "NodeStore", lambda store, *_, **__: store)
        monkeypatch.setattr(admin, "node_view", lambda *_, **said: NodeView("n", "posta", role, "0", 0, **said))
        monkeypatch.setattr(service_module, "open_outcomes", self.open_outcomes)
        monkeypatch.setattr(service_module, "settle_kept", self.settle_kept)
        monkeypatch.setattr(service_module, "bind", lambda host, port: self.part(f"socket {port}", Socket))
        monkeypatch.setattr(service_module, "address_of", lambda bound: bound.name)

    def part(self, name: str, kind: type[Part]) -> Part:
        if name in self.failures:
            raise self.failures[name]
        self.steps.append(name)
        return kind(name.partition("_")[0], self)

    async def open(self, needs: Any) -> Part:
        self.needs = needs
        return self.part("store", Store)

    async def open_outcomes(self, *_: object) -> Part:
        return self.part("outcomes", Submission)

    async def settle_kept(self, *_: object) -> None:
        self.steps.append("outcomes settled")

    async def start(self) -> None:
        await self.service.start(LOADED, None)  # type: ignore[arg-type]
        await asyncio.sleep(0)

    def done(self, *steps: str) -> list[str]:
        """Those of these steps that were done, in the order in which they were."""
        return [step for step in self.steps if step in steps]


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    return World(tmp_path, monkeypatch)


async def test_it_starts_from_the_store_outwards_and_is_ready_last(world: World) -> None:
    assert world.readiness.is_ready, "nothing was said yet"
    await world.start()
    order = [
        "store", "outcomes", "outcomes settled", "store recover", "routing start", "socket 2525",
        "socket 8025", "dispatcher", "tester", "clerk",
        "admin_server", "outbox_pump", "submission_server", "submission start",
    ]  # fmt: skip
    assert world.done(*order) == order
    assert world.readiness.is_ready
    await world.service.stop()


async def test_it_is_not_ready_before_it_can_work(world: World) -> None:
    world.failures["submission_server"] = RuntimeError()
    with pytest.raises(RuntimeError):
        await world.start()
    assert not world.readiness.is_ready
    await world.service.stop()


async def test_it_stops_from_the_clients_inwards_and_the_admin_port_closes_last(world: World) -> None:
    await world.start()
    world.steps.clear()
    world.supervisor.end("SIGTERM")
    assert await world.service.stop() == 3
    order = [
        "submission stop listening", "submission drained", "dispatcher stop", "dispatcher stopped", "tester stop",
        "tester stopped", "submission close", "tokens close", "outcomes close", "store close", "admin close",
    ]  # fmt: skip
    assert [step for step in world.steps if not step.startswith("socket")] == order
    assert not world.readiness.is_ready
    assert world.supervisor.failure is None


async def test_a_hurry_cuts_the_drain_short_and_keeps_the_order(world: World) -> None:
    await world.start()
    world.is_slow = True
    world.supervisor.end("SIGTERM")
    world.steps.clear()
    stopping = asyncio.create_task(world.service.stop())
    await asyncio.sleep(0)
    world.is_urgent.set()
    await stopping
    order = ["dispatcher hurry", "submission close", "dispatcher stopped", "store close", "admin close"]
    assert list(dict.fromkeys(world.done(*order))) == order


async def test_a_store_that_fails_ends_the_service_in_a_hurry(world: World) -> None:
    await world.start()
    world.is_slow = True
    world.needs.fatal(StoreBroken())
    assert (await world.supervisor.until_over()).startswith("store: ")
    await world.service.stop()
    assert "dispatcher hurry" in world.steps
    assert world.supervisor.failure is not None


@pytest.mark.parametrize(
    ("part", "failure", "closed"),
    [
        ("store", DataDirInUse(), []),
        ("socket 2525", CannotListen(), ["outcomes close", "store close"]),
        ("socket 8025", CannotListen(), ["outcomes close", "store close", "socket 2525 close"]),
        (
            "dispatcher",
            RuntimeError(),
            ["tokens close", "outcomes close", "store close", "socket 2525 close", "socket 8025 close"],
        ),
        (
            "outbox_pump",
            RuntimeError(),
            ["tokens close", "outcomes close", "store close", "admin close", "socket 2525 close", "socket 8025 close"],
        ),
    ],
)
async def test_a_start_that_fails_takes_back_what_was_begun(
    world: World, part: str, failure: Exception, closed: list[str]
) -> None:
    world.failures[part] = failure
    with pytest.raises(type(failure)):
        await world.start()
    world.supervisor.end("failed")
    await world.service.stop()
    assert [step for step in world.steps if step.endswith("close")] == closed


async def test_a_store_that_cannot_be_closed_is_said_and_the_rest_is_closed(world: World) -> None:
    await world.start()
    world.close_failure = StoreBroken()
    world.supervisor.end("SIGTERM")
    await world.service.stop()
    assert "admin close" in world.steps
    assert any("closing store" in line for line in world.lines)


async def test_a_bounce_that_is_owed_wakes_the_pump(world: World) -> None:
    await world.start()
    world.needs.listener(StoreEvent(EventKind.OWED, 0))
    assert "outbox woken" in world.steps
    world.supervisor.end("SIGTERM")
    await world.service.stop()


DELIVERING = {"dispatcher", "dispatcher run", "tester", "outbox_pump", "notice_pump", "terms_watch"}
TAKING = {"submission_server", "submission start", "socket 2525"}
BOTH = {"routing start", "routing run", "admin_server", "socket 8025", "outcomes settled", "store recover"}


@pytest.mark.parametrize(
    ("role", "does"),
    [(Role.ALL, DELIVERING | TAKING), (Role.SUBMISSION, TAKING), (Role.DELIVERY, DELIVERING)],
)
async def test_a_node_does_what_its_role_says_and_is_watched_and_asked_in_any(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, role: Role, does: set[str]
) -> None:
    world = World(tmp_path, monkeypatch, role)
    await world.start()
    assert world.readiness.is_ready
    steps, named = set(world.steps), DELIVERING | TAKING
    assert steps & named == does
    assert steps >= BOTH
    world.supervisor.end("SIGTERM")
    world.steps.clear()
    assert await world.service.stop() == (3 if role.delivers else 0)
    assert ("submission drained" in world.steps) is role.takes_mail
    assert ("dispatcher stopped" in world.steps) is role.delivers


async def test_it_says_how_it_is_while_it_runs_and_that_it_goes(world: World) -> None:
    Store.nodes.announced.clear()
    await world.start()
    await asyncio.sleep(0)
    world.supervisor.end("SIGTERM")
    await world.service.stop()
    begun, draining, stopped = Store.nodes.announced
    assert (begun.is_draining, draining.is_draining) == (False, True)
    assert [view.is_stopped for view in (begun, draining, stopped)] == [False, False, True]
    assert (stopped.sessions, stopped.under_way) == (0, 0), "what it had open is closed"


async def test_where_nothing_is_sent_no_mailbox_is_tried() -> None:
    tested = await accounts.Elsewhere().test("anna@d.test", MailboxId("lab", "anna@d.test"))
    assert (tested.finding, tested.reason) == (Finding.NOT_NOW, "elsewhere")
