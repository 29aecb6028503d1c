"""What tells people is made from the configuration, and what is wrong with it is said in readiness."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from relay.admin import Part, Readiness
from relay.app import notices
from relay.app.machine import MachineClock, Threads
from relay.app.notices import HEARTBEAT, SECRET
from relay.app.parts import Means
from relay.config.loading import load_service
from relay.config.references import References
from relay.core.notice import Notice, NoticeType
from relay.core.webhooks import Sent
from relay.observe import Log, Metrics
from tests.fakes.web import answer, serving

NOTICE = Notice(id="n-1", type=NoticeType.AUTH_OUTAGE, at=1_795_340_102_000_000, provider="libero", count=7)
HOOK = "whsec_" + base64.b64encode(b"k" * 32).decode()


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
        self.means = Means(loaded.value, {}, MachineClock(), threads, log, Metrics("0"), self.readiness, resolve)
        self.client = notices.web_client(self.means)

    async def look(self) -> None:
        self.looks += 1

    @property
    def heartbeat(self):
        found = notices.heartbeat(self.means, self.client, self.look)
        assert found is not None
        return found

    @property
    def sender(self):
        found = notices.notice_sender(self.means, self.client)
        assert found is not None
        return found

    @property
    def events(self) -> list[tuple[str, str]]:
        return [(line["event"], line["what"]) for line in map(json.loads, self.lines)]


def test_without_a_webhook_nobody_is_called(tmp_path: Path) -> None:
    world = World(tmp_path, {})
    assert notices.heartbeat(world.means, world.client, world.look) is None
    assert notices.notice_sender(world.means, world.client) is None


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


async def test_without_a_secret_it_is_sent_as_it_is(tmp_path: Path) -> None:
    async with serving() as server:
        world = World(tmp_path, {}, ops_webhook=f"http://127.0.0.1:{server.port}/", allow_private=True)
        assert await world.sender.send(NOTICE, 1) == Sent()
        assert world.readiness.problems == []
