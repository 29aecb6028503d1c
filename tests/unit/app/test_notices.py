"""What tells people is made from the configuration, and what is wrong with it is said in readiness."""

import asyncio
import base64
import functools
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from relay.admin import Part, Readiness
from relay.app import notices
from relay.app.hookkeys import KEPT, SECRET, HookKeys
from relay.app.machine import MachineClock, Threads
from relay.app.means import Means
from relay.app.notices import HEARTBEAT
from relay.app.noticewatch import DEAD, UNTOLD, NoticeWatch
from relay.app.scraping import SelfLook
from relay.config.loading import load_service
from relay.config.references import References
from relay.core.concerns import Concern, ConcernKind, Subject
from relay.core.envelope import NewMessage
from relay.core.notice import Notice, NoticeType
from relay.core.routing import Account, Owner, Provider, Routing
from relay.core.webhooks import Sent
from relay.core.words import MailboxId, Plan
from relay.notify import NoticeSender
from relay.observe import Log, Metrics
from relay.store.ports.notices import DueConcern
from tests.fakes.web import answer, serving

NOTICE = Notice(id="n-1", type=NoticeType.AUTH_OUTAGE, at=1_795_340_102_000_000, provider="libero", count=7)
HOOK = "whsec_" + base64.b64encode(b"k" * 32).decode()


class Keeper:
    """Keeps a routing, and says when something of it or its secrets has changed."""

    def __init__(self, routing: Routing | None = None) -> None:
        self.now = routing or Routing()
        self.listeners: list[Callable[[], None]] = []

    def routing(self) -> Routing:
        return self.now

    def on_change(self, listener: Callable[[], None]) -> None:
        self.listeners.append(listener)

    def changed(self) -> None:
        for listener in self.listeners:
            listener()


class World:
    """A configuration with the `notices:` that are given."""

    def __init__(self, folder: Path, environ: dict[str, str], **written: Any) -> None:
        file = folder / "relay.yaml"
        listen = [{"address": "127.0.0.1:2525", "tls": "none"}]
        (folder / "routing.yaml").write_text("{}")
        file.write_text(json.dumps({"submission": {"listen": listen}, "routing": "routing.yaml", "notices": written}))
        loaded = load_service(file, {"RELAY_KEY": "set", **environ})
        assert loaded.value is not None, loaded.problems
        self.lines: list[str] = []
        self.readiness = Readiness(lambda: 0.0)
        self.looks = 0
        log = Log(self.lines.append, lambda: 0.0)
        resolve = References(environ)
        threads = Threads()
        self.now = 1_000.0
        clock = MachineClock()
        clock.monotonic = lambda: self.now  # type: ignore[method-assign]
        self.means = Means(loaded.value, {}, clock, threads, log, Metrics("0"), self.readiness, resolve)
        self.client = notices.web_client(self.means)
        self.keeper = Keeper()

    async def look(self) -> None:
        self.looks += 1

    @property
    def heartbeat(self):
        found = notices.heartbeat(self.means, self.client, self.look)
        assert found is not None
        return found

    @functools.cached_property
    def keys(self) -> HookKeys | None:
        return notices.hook_keys(self.means, cast(Any, self.keeper))

    @property
    def any_sender(self) -> NoticeSender | None:
        return notices.notice_sender(self.means, self.client, self.keys)

    @property
    def sender(self):
        found = notices.notice_sender(self.means, self.client, self.keys)
        assert found is not None
        return found

    @property
    def events(self) -> list[tuple[str, str]]:
        return [(line["event"], line["what"]) for line in map(json.loads, self.lines)]


def test_without_a_webhook_nobody_is_called(tmp_path: Path) -> None:
    world = World(tmp_path, {})
    assert notices.heartbeat(world.means, world.client, world.look) is None
    assert notices.notice_sender(world.means, world.client, world.keys) is None


async def test_a_heartbeat_that_nobody_hears_is_a_problem_that_does_not_stop_the_node(tmp_path: Path) -> None:
    async with serving(answer(500), answer(500), answer(200), answer(200)) as server:
        address = f"http://localhost:{server.port}/s3cret"
        world = World(tmp_path, {}, heartbeat_webhook=address, allow_private=True)
        for _ in range(2):
            await world.heartbeat.beat()
        (problem,) = world.readiness.problems
        assert problem.what == HEARTBEAT
        assert problem.text == f"heartbeat_webhook at http://localhost:{server.port} answered 500"
        assert world.readiness.is_ready
        for _ in range(2):
            await world.heartbeat.beat()
        assert world.readiness.problems == []
        assert world.events == [("trouble", HEARTBEAT), ("trouble_over", HEARTBEAT)], "said once each"
        assert "s3cret" not in "".join(world.lines)
        assert world.looks == 4


async def test_a_node_that_cannot_work_lets_the_dead_man_alarm_ring(tmp_path: Path) -> None:
    async with serving() as server:
        world = World(tmp_path, {}, heartbeat_webhook=f"http://127.0.0.1:{server.port}/", allow_private=True)
        world.readiness.set(Part.STORE, "the store is away")
        await world.heartbeat.beat()
        assert server.requests == []


async def test_a_node_that_cannot_even_look_at_itself_is_not_well(tmp_path: Path) -> None:
    async def fail() -> None:
        raise OSError("the disk is gone")

    async with serving() as server:
        world = World(tmp_path, {}, heartbeat_webhook=f"http://127.0.0.1:{server.port}/", allow_private=True)
        found = notices.heartbeat(world.means, world.client, fail)
        assert found is not None
        await found.beat()
        assert server.requests == []


async def test_notices_for_ops_are_signed_with_the_secret_of_the_configuration(tmp_path: Path) -> None:
    async with serving() as server:
        address = f"http://127.0.0.1:{server.port}/hook"
        settings = {"ops_webhook": address, "ops_webhook_secret": "env:HOOK", "allow_private": True}
        world = World(tmp_path, {"HOOK": HOOK}, **settings)
        assert await world.sender.send(NOTICE, 1) == Sent()
        assert server.requests[0].headers["webhook-signature"].startswith("v1,")
        assert server.requests[0].headers["user-agent"].startswith("clinic-relay/")
        assert world.readiness.problems == []


@pytest.mark.parametrize("environ", [{}, {"HOOK": "no base64!"}])
async def test_a_secret_that_cannot_be_used_is_said_and_the_notice_sent(
    tmp_path: Path, environ: dict[str, str]
) -> None:
    async with serving() as server:
        address = f"http://127.0.0.1:{server.port}/hook"
        world = World(tmp_path, environ, ops_webhook=address, ops_webhook_secret="env:HOOK", allow_private=True)
        assert await world.sender.send(NOTICE, 1) == Sent()
        assert "webhook-signature" not in server.requests[0].headers
        (problem,) = world.readiness.problems
        assert (problem.what, problem.text.endswith("is not signed")) == (SECRET, True)


async def test_a_secret_that_is_set_is_seen_at_the_next_look_and_not_at_the_next_notice(tmp_path: Path) -> None:
    environ: dict[str, str] = {}
    world = World(tmp_path, environ, ops_webhook="https://ops.test/", ops_webhook_secret="secret:hook")
    shelf = {"hook": ""}
    world.means = replace(world.means, resolve=References({}, lambda name, _use: shelf[name] or None))
    keys = world.keys
    assert keys is not None
    await keys()
    (problem,) = world.readiness.problems
    assert problem.text == "secret:hook is not in the store: what is sent to ops_webhook is not signed"
    shelf["hook"] = HOOK
    world.keeper.changed()
    look = SelfLook(NoWatch(), world.readiness, Room(), lambda: 0.0, dict, hook_keys=keys)  # type: ignore[arg-type]
    await look.look()
    assert world.readiness.problems == []
    shelf["hook"] = ""
    world.keeper.changed()
    await look.look()
    assert [each.what for each in world.readiness.problems] == [SECRET], "one that is dropped is missed at once"


class NoWatch:
    async def look(self) -> None:
        return


class Room:
    def free_bytes(self) -> int:
        return 10**12

    def disk_bytes(self) -> int:
        return 10**12


async def test_without_a_secret_it_is_sent_as_it_is(tmp_path: Path) -> None:
    async with serving() as server:
        world = World(tmp_path, {}, ops_webhook=f"http://127.0.0.1:{server.port}/", allow_private=True)
        assert await world.sender.send(NOTICE, 1) == Sent()
        assert world.readiness.problems == []


async def test_the_secret_is_kept_until_somebody_sets_another_one_or_a_minute_is_over(tmp_path: Path) -> None:
    file = tmp_path / "hook"
    file.write_text(HOOK)
    async with serving() as server:
        address = f"http://127.0.0.1:{server.port}/hook"
        world = World(tmp_path, {}, ops_webhook=address, ops_webhook_secret=f"file:{file}", allow_private=True)
        sender = world.sender

        async def is_signed() -> bool:
            assert await sender.send(NOTICE, 1) == Sent()
            return "webhook-signature" in server.requests[-1].headers

        assert await is_signed()
        file.write_text("no base64!")
        assert await is_signed(), "it is not looked up for each notice"
        world.keeper.changed()
        assert not await is_signed()
        file.write_text(HOOK)
        assert await is_signed(), "what cannot be used is looked up again"
        file.unlink()
        world.now += KEPT
        assert not await is_signed(), "a file may be another one without anybody saying so"


@pytest.mark.parametrize("many", [0, 3])
async def test_dead_letters_are_a_problem_that_does_not_stop_the_node(tmp_path: Path, many: int) -> None:
    world = World(tmp_path, {})
    store = Nothing()
    store.given_up = many
    pump = notices.notice_pump(
        world.means,
        cast(Any, store),
        cast(Any, store),
        keeper=cast(Any, world.keeper),
        sender=world.any_sender,
        watch=NoticeWatch(world.readiness, lambda: 0),
    )
    running = asyncio.create_task(pump.run())
    await asyncio.wait_for(store.rested.wait(), 60)
    problems = {each.what: each.text for each in world.readiness.problems}
    assert problems == ({DEAD: "3 notices were never taken by ops_webhook: relay notices --dead"} if many else {})
    assert world.readiness.is_ready
    store.given_up = 0
    store.rested.clear()
    pump.wake()
    await asyncio.wait_for(store.rested.wait(), 60)
    assert world.readiness.problems == []
    running.cancel()
    await asyncio.wait({running})


class Nothing:
    """A store that owes one concern and remembers the mails that were put."""

    def __init__(self, *due: DueConcern) -> None:
        self.owed = list(due)
        self.given_up = 0
        self.letters: list[NewMessage] = []
        self.rested = asyncio.Event()

    async def due(self, most: int) -> list[DueConcern]:
        return self.owed[:most]

    async def looked(self, concern: int, *, after: int | None) -> None:
        self.owed.clear()

    async def said(self, due: DueConcern, *, after: int | None, notice: str | None) -> bool:
        self.owed.clear()
        return True

    async def tellings(self, most: int) -> list[object]:
        return []

    async def raise_concern(self, kind: ConcernKind, subject: Subject, *, reason: str, again_after: int) -> bool:
        return True

    async def concerns(self, most: int) -> list[Concern]:
        return []

    async def dead_letters(self, most: int) -> list[object]:
        return [None] * self.given_up

    async def unposted(self) -> None:
        return None

    async def rest(self) -> int | None:
        self.rested.set()
        return None

    async def put(self, message: NewMessage) -> None:
        self.letters.append(message)

    def is_stopped(self, account: str) -> bool:
        return False


@pytest.mark.parametrize("has_road", [True, False])
async def test_the_pump_tells_the_owner_or_readiness_says_that_it_could_not(tmp_path: Path, has_road: bool) -> None:
    doctor, service = "m.rossi@libero.it", "servizio@vendor.example"
    at = 1_795_340_102_000_000
    mailbox = MailboxId("libero", doctor)
    accounts = {
        doctor: Account(doctor, Plan.PERSONAL, mailbox, owner=Owner("Dr. M. Rossi", "rossi@other.example")),
        service: Account(service, Plan.BUSINESS, MailboxId("aruba", service)),
    }
    providers = {"libero": Provider("libero", "smtp.libero.it", 465, profile="libero")}
    routing = Routing(providers=providers, accounts=accounts)
    concern = Concern(4, ConcernKind.MAILBOX_STOPPED, Subject(mailbox=mailbox), "auth-rejected", at)
    store = Nothing(DueConcern(concern, None, 0, at, (doctor,), 30, None))
    world = World(tmp_path, {}, **({"from": service} if has_road else {}))
    keeper = Keeper(routing)
    pump = notices.notice_pump(
        world.means,
        cast(Any, store),
        cast(Any, store),
        keeper=cast(Any, keeper),
        sender=world.any_sender,
        watch=NoticeWatch(world.readiness, lambda: at),
    )

    running = asyncio.create_task(pump.run())
    await asyncio.wait_for(store.rested.wait(), 60)
    running.cancel()
    await asyncio.wait({running})

    problems = {each.what: each.text for each in world.readiness.problems}
    if has_road:
        (letter,) = store.letters
        assert (letter.account, letter.envelope.recipients[0].address) == (service, "rossi@other.example")
        assert b"login.libero.it" in letter.content
        assert b"7 days" in letter.content, "as queue.hold_lifetime says"
        assert problems == {}
    else:
        assert store.letters == []
        assert problems == {UNTOLD: "somebody could not be told by mail: no-sender"}


async def test_what_people_send_once_more_goes_at_once() -> None:
    woken: list[int] = []

    class Revives:
        async def revive(self, telling: int) -> bool:
            return telling == 7

    board = notices.Board(cast(Any, Revives()), lambda: woken.append(1))
    assert await board.revive(7)
    assert woken == [1]
    assert not await board.revive(8)
