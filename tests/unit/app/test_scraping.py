"""Scrapes: what was counted lately is shown again, however many ask, and a store that is away leaves the rest."""

import asyncio
from typing import Any, cast

import pytest

from relay.admin import Part, Readiness
from relay.app.scraping import ACCOUNTS, DAY, LITTLE_ROOM, LONGEST, SHARE, SOON, Scrape, SelfLook
from relay.core.remedy import Needs
from relay.core.words import Plan
from relay.errors import StoreUnavailable
from relay.observe import Certificate, Metrics, NodeState
from relay.store.ports.history import AccountGauge, AccountGauges, HealthCount, LimitWait, QueueCount
from relay.store.ports.nodes import NodeState as Being
from relay.store.ports.nodes import NodeView, Role, SeenNode
from relay.store.ports.reading import ProviderView


class World:
    """A store that takes its time to count, and a clock that sees it."""

    def __init__(self) -> None:
        self.now = 100.0
        self.cost = 0.0
        self.waiting = 0
        self.counts = 0
        self.is_away = False
        self.scrape = Scrape(
            Metrics("0"),
            cast("Any", self),
            lambda: self.now,
            look=self.look,
            nodes=self,
        )

    async def announce(self, node: NodeView) -> None:
        raise AssertionError("a scrape says nothing of this node")

    async def nodes(self) -> list[SeenNode]:
        views = [
            NodeView(name, name, role, "0", 0)
            for name, role in (("a", Role.ALL), ("b", Role.ALL), ("c", Role.DELIVERY))
        ]
        return [SeenNode(view, 0, Being.SILENT if view.node == "b" else Being.RUNNING) for view in views]

    async def limit_waits(self) -> list[LimitWait]:
        return [LimitWait("aruba", 30.0)]

    async def providers(self) -> list[ProviderView]:
        return [ProviderView("aruba", "paused", "tls-expired", None, None, Needs.OPS, 0)]

    async def account_gauges(self, most: int) -> AccountGauges:
        assert most == ACCOUNTS == 1000, "what Prometheus is promised"
        return AccountGauges((AccountGauge("m.rossi@studio.it", "paused", 0.5, None),), 3)

    async def look(self) -> NodeState:
        return NodeState(is_ready=not self.is_away, certificates=[Certificate("[::1]:465", 3600.0)])

    async def queue_counts(self) -> list[QueueCount]:
        if self.is_away:
            raise StoreUnavailable
        self.counts += 1
        self.now += self.cost
        await asyncio.sleep(0)
        return [QueueCount("aruba", self.waiting, 0, 0, None)]

    async def health_counts(self) -> list[HealthCount]:
        return [HealthCount(Plan.PERSONAL, "ok", 5)]


@pytest.fixture
def world() -> World:
    return World()


async def queue_of(world: World) -> str:
    lines = (await world.scrape()).decode().splitlines()
    (line,) = [each for each in lines if 'state="waiting"' in each]
    return line.rpartition(" ")[2]


async def test_a_count_that_costs_nothing_is_always_fresh(world: World) -> None:
    assert await queue_of(world) == "0.0"
    world.waiting = 5
    assert await queue_of(world) == "5.0"


async def test_a_count_that_costs_much_is_shown_for_as_long_as_keeps_counting_a_small_part_of_the_time(
    world: World,
) -> None:
    world.cost = 0.1
    await world.scrape()
    world.waiting = 5
    world.now += 0.1 / SHARE * 0.99
    assert await queue_of(world) == "0.0"
    assert world.counts == 1
    world.now += 0.1 / SHARE * 0.02
    assert await queue_of(world) == "5.0"


async def test_no_count_is_shown_for_longer_than_scrapes_are_apart(world: World) -> None:
    world.cost = 60.0
    await world.scrape()
    world.now += LONGEST
    await world.scrape()
    assert world.counts == 2


async def test_limits_and_accounts_by_name_are_counted_too(world: World) -> None:
    text = (await world.scrape()).decode()
    assert 'relay_account_health{account="m.rossi@studio.it",health="paused"} 1.0' in text
    assert "relay_account_series_dropped 3.0" in text


async def test_a_provider_that_is_stopped_is_told(world: World) -> None:
    assert 'relay_provider_health{health="paused",provider="aruba"} 1.0' in (await world.scrape()).decode()


async def test_the_nodes_are_counted_as_the_store_knows_them(world: World) -> None:
    lines = [line for line in (await world.scrape()).decode().splitlines() if line.startswith("relay_nodes{")]
    assert lines == [
        'relay_nodes{role="all",state="running"} 1.0',
        'relay_nodes{role="all",state="silent"} 1.0',
        'relay_nodes{role="delivery",state="running"} 1.0',
    ]


async def test_many_who_ask_at_once_cost_one_count(world: World) -> None:
    world.cost = 0.1
    await asyncio.gather(*(world.scrape() for _ in range(10)))
    assert world.counts == 1


async def test_a_store_that_is_away_leaves_what_it_does_not_count(world: World) -> None:
    world.is_away = True
    text = (await world.scrape()).decode()
    assert "relay_queue_deliveries" not in text
    assert "relay_build_info" in text
    assert "\nrelay_ready 0.0\n" in text
    assert 'relay_tls_certificate_expiry_seconds{listener="[::1]:465"} 3600.0' in text
    world.is_away = False
    assert await queue_of(world) == "0.0"


# what readiness says of what is coming


class Outlook:
    """A node whose disk and certificates tests choose."""

    def __init__(self) -> None:
        self.free = 50 * LITTLE_ROOM
        self.size = 100 * LITTLE_ROOM
        self.ends: dict[str, float] = {}
        self.readiness = Readiness(lambda: 0.0)
        self.self_look = SelfLook(
            watch=cast("Any", self),
            readiness=self.readiness,
            data=self,
            wall=lambda: 0.0,
            expiries=lambda: self.ends,
            notices=self.look_at_notices,
        )

    def look_at_notices(self) -> dict[str, float]:
        self.readiness.set("notices", "looked at")
        return {"webhook": 7.0}

    async def look(self) -> None:
        """The store is well."""

    def free_bytes(self) -> int:
        return self.free

    def disk_bytes(self) -> int:
        return self.size

    async def problems(self) -> dict[str, str]:
        state = await self.self_look()
        assert state.is_ready, "what is coming stops nobody yet"
        return {each.what: each.text for each in self.readiness.problems if each.what != "notices"}


async def test_a_node_with_room_and_time_has_no_problem() -> None:
    outlook = Outlook()
    outlook.ends = {"0.0.0.0:465": SOON + 1}
    assert await outlook.problems() == {}


async def test_a_disk_that_will_be_full_is_listed_long_before_mail_is_refused() -> None:
    outlook = Outlook()
    outlook.free = 900_000_000
    assert await outlook.problems() == {"room": "900 MB are left on the disk of the queue"}
    outlook.size = 1_000_000_000
    assert await outlook.problems() == {}, "a small disk is not full because it is small"


async def test_certificates_that_will_expire_are_listed_with_the_time_that_is_left() -> None:
    outlook = Outlook()
    outlook.ends = {"0.0.0.0:465": 5 * DAY, "0.0.0.0:587": -1.0, "[::]:465": 60 * DAY}
    said = "that of 0.0.0.0:465 expires in 5 days, that of 0.0.0.0:587 has expired"
    assert await outlook.problems() == {"certificate": f"certificates for clients: {said}"}
    outlook.ends = {}
    assert await outlook.problems() == {}


async def test_one_certificate_on_many_listeners_is_one_thing_to_renew() -> None:
    outlook = Outlook()
    outlook.ends = {"0.0.0.0:465": 3 * DAY, "0.0.0.0:587": 3 * DAY, "[::]:465": SOON + 1}
    (text,) = (await outlook.problems()).values()
    assert text == "certificates for clients: that of 0.0.0.0:465 and 0.0.0.0:587 expires in 3 days"


async def test_a_store_that_is_away_and_one_that_has_to_be_mended_are_told_apart() -> None:
    outlook = Outlook()
    state = await outlook.self_look()
    assert (state.is_store_up, state.warnings) == (True, frozenset())
    outlook.readiness.set("durability", "appendfsync is everysec")
    state = await outlook.self_look()
    assert (state.is_ready, state.is_store_up, state.warnings) == (True, True, {"durability"})
    outlook.readiness.set(Part.STORE, "it does not answer")
    state = await outlook.self_look()
    assert (state.is_ready, state.is_store_up) == (False, False)


async def test_a_look_brings_notices_up_to_date_that_wait_longer_with_every_minute() -> None:
    outlook = Outlook()
    await outlook.self_look.look()
    assert [each.what for each in outlook.readiness.problems] == ["notices"]
    assert (await outlook.self_look()).notices == {"webhook": 7.0}
