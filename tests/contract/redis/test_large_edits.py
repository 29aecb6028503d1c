"""Edits of many accounts go in parts: no other node waits for them, and a node that dies in one leaves nothing half.

Every check of routings is made with all edits in parts too, each part as small as can be.
"""

import asyncio
import re
from collections.abc import Sequence
from typing import Any

import msgpack
import pytest

from relay.core.routing import Account
from relay.errors import RelayError, StoreUnavailable
from relay.store.ports.events import EventKind, StoreEvent
from relay.store.redis import applying, editing
from relay.store.redis.link import Call, Link
from relay.store.redis.rowkeys import OWED, group_key, staged_key, table_key
from relay.store.redis.store import RedisStore
from tests.contract.harness import run
from tests.contract.redis.harness import RedisHarness, shared_server
from tests.contract.scene import NODE, Scene, account, numbers, provider
from tests.contract.suites import Check, checks_of, routing

MANY = editing.MANY + 50
SENDERS = [f"doctor{number}@studio.test" for number in range(MANY)]
WAITING = (3, 77, MANY - 1)
"""Accounts with mail that waits."""


class Mortal(Link):
    """A link that is cut before a script of this name is run; the node is dead from then on."""

    dies_at = ""

    def run_many(self, calls: Sequence[Call], **options: Any) -> Any:
        if any(call.script.name == self.dies_at for call in calls):
            self.close()
            raise StoreUnavailable("the node is dead")
        return super().run_many(calls, **options)


class Noted(Link):
    """A link that remembers what it ran."""

    ran: list[Call]

    def run_many(self, calls: Sequence[Call], **options: Any) -> list[Any]:
        self.ran += calls
        return super().run_many(calls, **options)


class MortalHarness(RedisHarness):
    """Its nodes may die."""

    link_type = Mortal


@pytest.fixture
def in_small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every edit is one of many, in parts of one."""
    monkeypatch.setattr(applying, "MANY", 0)
    for name, value in (("MANY", 0), ("DEEDS", 1), ("ROWS", 1), ("PARTS", 2)):
        monkeypatch.setattr(editing, name, value)


@pytest.mark.usefixtures("in_small_parts")
@pytest.mark.parametrize("check", [*checks_of(routing)], ids=lambda check: check.__name__)
def test_an_edit_in_parts_is_an_edit(check: Check) -> None:
    async def scenario() -> None:
        scene = Scene(RedisHarness)
        await check(scene)
        await scene.harness.close()

    run(scenario)


def accounts(at: str = "p", **more: Any) -> list[Account]:
    return [account(sender, at, **more) for sender in SENDERS]


async def with_mail(make: type[RedisHarness]) -> Scene:
    """A store with a first routing, and mail of a few accounts."""
    scene = Scene(make)
    await scene.route(*accounts())
    for number in WAITING:
        await scene.mail(SENDERS[number], number)
    return scene


async def dies(scene: Scene, script: str, monkeypatch: pytest.MonkeyPatch, *edited: Account) -> None:
    """Its node dies before this script of an edit; the pen that it had is free when its time is over."""
    monkeypatch.setattr(Mortal, "dies_at", script)
    if script == "owed":
        await scene.route(*edited)  # it is in force, and that is all that was asked for
    else:
        with pytest.raises(RelayError):
            await scene.route(*edited)
    monkeypatch.setattr(Mortal, "dies_at", "")
    await scene.harness.advance(applying.LONG_HELD / 1_000_000 + 1)


def database_of(scene: Scene) -> int:
    assert isinstance(scene.harness, RedisHarness)
    return scene.harness._db


def mailboxes(claims: Any) -> dict[str, str]:
    return {claim.message: claim.mailbox.provider for claim in claims}


@pytest.mark.parametrize("script", ["stage", "act"])
def test_of_an_edit_whose_node_died_before_it_was_in_force_nothing_is(
    script: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        scene = await with_mail(MortalHarness)
        before = await scene.store.applied()
        await dies(scene, script, monkeypatch, *accounts("q"))
        await scene.restart()
        assert await scene.store.applied() == before
        assert mailboxes(await scene.work(1)) == {"m-3": "p"}
        await scene.route(*accounts("q"))
        assert mailboxes(await scene.work()) == {"m-77": "q", f"m-{MANY - 1}": "q"}
        await scene.harness.close()

    run(scenario)


def test_what_an_edit_left_is_done_by_another_node_when_the_first_one_died(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        scene = await with_mail(MortalHarness)
        await dies(scene, "owed", monkeypatch, *accounts("q"))
        await scene.restart()
        await scene.store.heartbeat(NODE)
        assert mailboxes(await scene.work()) == {f"m-{number}": "q" for number in WAITING}
        await scene.harness.close()

    run(scenario)


def test_limits_of_many_bind_those_who_wait_and_those_who_have_nothing_yet() -> None:
    async def scenario() -> None:
        scene = await with_mail(RedisHarness)
        await scene.mail(SENDERS[3], "more", "even-more")
        await scene.mail(SENDERS[5], "sent")
        await scene.send_all(most=5)
        await scene.mail(SENDERS[3], "late")
        await scene.route(*accounts(), providers=[provider("p", "1/h")])
        for number in (3, 5, 8):
            await scene.mail(SENDERS[number], f"{number}-1", f"{number}-2")
        assert numbers(await scene.work()) == ["m-8-1"]
        await scene.harness.close()

    run(scenario)


def test_other_nodes_hear_of_an_edit_of_many() -> None:
    async def scenario() -> None:
        scene = await with_mail(RedisHarness)
        peer = scene.harness.peer()
        assert peer is not None
        await scene.route(*accounts("q")[1:])
        assert await peer.applied() == await scene.store.applied()
        await scene.route(*accounts("q")[1:], account(SENDERS[0], weight=2))
        assert await peer.applied() == await scene.store.applied()
        await scene.harness.close()

    run(scenario)


@pytest.mark.usefixtures("in_small_parts")
def test_another_node_that_asks_for_nothing_is_told_of_an_edit_of_many_at_the_bell() -> None:
    async def scenario() -> None:
        scene = Scene(RedisHarness)
        await scene.route(account("anna@studio.test"))
        peer = scene.harness.peer()
        assert isinstance(peer, RedisStore)
        heard: asyncio.Queue[StoreEvent] = asyncio.Queue()
        object.__setattr__(peer._ground.outside, "listener", heard.put_nowait)
        attending = asyncio.create_task(peer.attend())
        await scene.route(account("bruno@studio.test"), account("carla@studio.test"))
        assert (await asyncio.wait_for(heard.get(), 60)).kind is EventKind.ROUTING
        attending.cancel()
        await scene.harness.close()

    run(scenario)


def test_no_script_is_handed_more_than_a_part() -> None:
    """Redis does nothing else while a script runs."""

    class Harness(RedisHarness):
        link_type = Noted

    async def scenario() -> None:
        Noted.ran = []
        scene = await with_mail(Harness)
        for edited in (accounts(weight=2), accounts(), accounts("q")):
            Noted.ran.clear()
            await scene.route(*edited)
            works = {name: works_of(name) for name in ("act", "stage")}
            assert works["stage"]
            assert max(len(each) for work in works["act"] for each in work if isinstance(each, list)) < 50
            assert max(len(command) for work in works["stage"] for command in work) <= 2 + 2 * editing.ROWS
        await scene.harness.close()

    def works_of(script: str) -> list[Any]:
        return [msgpack.unpackb(call.args[1], raw=True) for call in Noted.ran if call.script.name == script]

    run(scenario)


@pytest.mark.parametrize(
    "key", [OWED, staged_key(OWED), staged_key(table_key("routed_accounts")), group_key("routed_accounts", "senders")]
)
def test_a_key_of_another_type_is_named_and_nothing_is_in_force(key: str) -> None:
    async def scenario() -> None:
        scene = await with_mail(RedisHarness)
        before = await scene.store.applied()
        client = shared_server(RedisHarness.program).client(db=database_of(scene))
        kept = client.dump(key)
        client.delete(key)
        client.set(key, "of another type")
        if key.endswith(staged_key("")):
            await scene.route(*accounts("q"))  # what lies where it is prepared is of nobody
            assert mailboxes(await scene.work()) == {f"m-{number}": "q" for number in WAITING}
        else:
            with pytest.raises(RelayError, match=f"WRONGTYPE|{re.escape(key)}"):
                await scene.route(*accounts("q"))
            client.delete(key)
            if kept is not None:
                client.restore(key, 0, kept)
            await scene.restart()
            assert await scene.store.applied() == before
        client.close()
        await scene.harness.close()

    run(scenario)
