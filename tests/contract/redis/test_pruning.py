"""History on a real server: what is old enough goes with all that lies beside it, and mail that waits stays."""

import asyncio
from typing import Any

import pytest

from relay.core.limits import HOUR, SECOND
from relay.store.needs import StoreSettings
from relay.store.redis import pruning
from relay.store.redis.easing import BETWEEN
from tests.contract.harness import run
from tests.contract.redis.harness import RedisHarness
from tests.contract.scene import BOUNCED, DELIVERED, A, B, Scene, account, numbers

pytestmark = pytest.mark.needs("redis-server")

DAY = 24 * HOUR
LONG = StoreSettings(lifetime=300 * DAY, hold_lifetime=300 * DAY)


def rows(scene: Scene) -> dict[str, int]:
    """How many rows, places in indexes, groups and events of mail there are."""
    harness: Any = scene.harness
    with harness._server.client(db=harness._db) as client:
        found = {name: client.hlen(f"relay:{{relay}}:t:{name}") for name in ("messages", "deliveries", "attempts")}
        found |= {name: client.hlen(f"relay:{{relay}}:g:{name}") for name in ("messages:ids", "attempts:of")}
        for name in ("messages:account", "messages:message_id", "deliveries:expiry"):
            found[name] = sum(client.zcard(key) for key in client.scan_iter(f"relay:{{relay}}:i:{name}*", count=1000))
        return found | {"events": client.xlen("relay:{relay}:events")}


def left(messages: int, *, waiting: int = 0, attempts: int = 1) -> dict[str, int]:
    """Of so many messages to one recipient."""
    many = dict.fromkeys(
        ("messages", "deliveries", "messages:ids", "messages:account", "messages:message_id"), messages
    )
    return many | {"attempts": attempts, "attempts:of": attempts, "deliveries:expiry": waiting, "events": 0}


async def live(scene: Scene, days: float) -> None:
    """Time passes, with some heartbeats at its end."""
    await scene.advance(days * DAY / SECOND)
    for _ in range(3):
        await scene.advance(HOUR / SECOND)


def test_finished_mail_is_gone_after_a_quarter_of_a_year_with_all_that_lay_beside_it() -> None:
    async def scenario() -> None:
        scene = Scene(RedisHarness, LONG)
        await scene.route(account(A))
        await scene.mail(A, 1, 2, 3)
        await scene.send_all()
        await live(scene, 89)
        assert rows(scene)["messages"] == rows(scene)["attempts"] == 3
        await live(scene, 2)
        assert rows(scene) == left(1), "the last ones stay"
        await scene.mail(A, 4)
        (claim,) = await scene.work()
        assert (claim.message, claim.delivery) == ("m-4", 4), "no number comes twice"
        await scene.send(claim)
        await live(scene, 91)
        assert rows(scene) == left(1)
        await scene.harness.close()

    run(scenario)


def test_what_waits_or_is_owed_a_report_is_never_forgotten() -> None:
    async def scenario() -> None:
        scene = Scene(RedisHarness, LONG)
        await scene.route(account(A), account(B))
        await scene.mail(A, 1, 2)
        for claim, outcome in zip(await scene.work(), (BOUNCED, DELIVERED), strict=True):
            await scene.send(claim, outcome)
        await scene.route(account(A))
        await scene.mail(B, "held")
        await scene.mail(A, "last")
        await scene.send_all()
        await live(scene, 100)
        assert rows(scene) == left(3, waiting=1)
        (owed,) = await scene.store.outbox(5)
        assert owed.message == "m-1"
        await scene.route(account(A), account(B))
        assert numbers(await scene.work()) == ["m-held"]
        await scene.harness.close()

    run(scenario)


def test_while_memory_is_short_history_goes_and_mail_can_come_in_again() -> None:
    async def scenario() -> None:
        scene = Scene(RedisHarness)
        harness: Any = scene.harness
        await scene.route(account(A))
        await scene.mail(A, 1, 2, 3)
        await scene.send_all()
        with harness._server.client() as client:
            used = client.info("memory")["used_memory"]
            client.config_set("maxmemory", used + used // 20)
            try:
                await live(scene, 0.02)
                assert rows(scene) == left(1, attempts=3), "what limits count stays for fifty hours"
                await live(scene, 2.2)
                assert rows(scene) == left(1)
            finally:
                client.config_set("maxmemory", 0)
        await scene.harness.close()

    run(scenario)


def test_while_memory_is_short_history_goes_at_once_and_others_are_served_in_between(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One heartbeat is enough for more than one go, whatever there is; with memory enough each waits for the next."""
    monkeypatch.setattr(pruning, "AT_ONCE", 2)

    async def scenario() -> None:
        scene = Scene(RedisHarness)
        harness: Any = scene.harness
        await scene.route(account(A))
        await scene.mail(A, *range(29))
        await scene.send_all()
        with harness._server.client() as client:
            used = client.info("memory")["used_memory"]
            client.config_set("maxmemory", used + used // 20)
            try:
                await scene.advance(HOUR / SECOND)
                store, begun = scene.store, rows(scene)["messages"]
                await store.heartbeat("node-1")
                assert rows(scene)["messages"] >= begun - 4, "a go is a little"
                await scene.mail(A, "between")
                assert rows(scene)["messages"] > 3, "a mail that comes in does not wait for the end"
                await asyncio.sleep(30 * BETWEEN)
                assert rows(scene)["messages"] <= 3, "what may go is gone, without another heartbeat"
            finally:
                client.config_set("maxmemory", 0)
        await scene.harness.close()

    run(scenario)


def test_with_memory_enough_old_history_waits_for_the_next_heartbeat(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pruning, "AT_ONCE", 2)

    async def scenario() -> None:
        scene = Scene(RedisHarness, LONG)
        await scene.route(account(A))
        await scene.mail(A, *range(9))
        await scene.send_all()
        await scene.advance(91 * DAY / SECOND)
        begun = rows(scene)["messages"]
        await scene.store.heartbeat("node-1")
        await asyncio.sleep(10 * BETWEEN)
        assert rows(scene)["messages"] == begun - 2
        await scene.harness.close()

    run(scenario)
