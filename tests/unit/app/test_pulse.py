"""The pulse: a late loop shows, and readiness knows what the store and its disk can do."""

import asyncio
import json
from types import SimpleNamespace

import pytest

from relay.admin import Part, Readiness
from relay.app import pulse
from relay.app.pulse import (
    ACCOUNTS,
    COUNT_EVERY,
    NAMED,
    OVERDUE,
    PROVIDERS,
    REMEMBERED,
    REPORTS,
    LoopLag,
    StoreWatch,
)
from relay.core.words import Plan
from relay.errors import RelayError, StoreFull, StoreUnavailable
from relay.observe import Log
from relay.store.ports.history import HealthCount
from relay.store.ports.reading import ProviderView
from relay.store.redis.durability import Flaw
from tests.fakes.reading import provider


class Store:
    """A store that is as well as it is told to be."""

    def __init__(self) -> None:
        self.failure: RelayError | None = None
        self.has_room = True
        self.is_hanging = False
        self.healths = [HealthCount(Plan.PERSONAL, "ok", 5)]
        self.providers_now = [provider("lab")]
        self.counts = 0
        self.owed: list[object] = []
        self.untold = 0

    async def outbox(self, most: int) -> list[object]:
        assert most <= 1, "a look costs next to nothing"
        if self.is_hanging:
            await asyncio.Event().wait()
        if self.failure is not None:
            raise self.failure
        return self.owed[:most]

    async def health_counts(self) -> list[HealthCount]:
        self.counts += 1
        return self.healths

    async def providers(self) -> list[ProviderView]:
        return self.providers_now

    async def lost(self) -> int:
        return self.untold

    def has_space(self) -> bool:
        return self.has_room


class World:
    def __init__(self) -> None:
        self.now = 0.0
        self.store = Store()
        self.readiness = Readiness(lambda: 0.0)
        self.lines: list[str] = []
        self.flaws: list[Flaw] = []
        log = Log(self.lines.append, lambda: 0.0)
        self.watch = StoreWatch(
            self.store,  # type: ignore[arg-type]
            self.readiness,
            log,
            clock=lambda: self.now,
            wall=lambda: self.now,
            flaws=lambda: self.flaws,
        )

    async def look(self) -> dict[str, str]:
        await self.watch.look()
        return {each.what: each.text for each in self.readiness.problems}

    @property
    def events(self) -> list[str]:
        return [json.loads(line)["event"] for line in self.lines]


@pytest.fixture
def world() -> World:
    return World()


async def test_a_store_that_works_is_no_problem(world: World) -> None:
    assert await world.look() == {}
    assert world.lines == []


@pytest.mark.parametrize(
    ("failure", "part", "text"),
    [
        (StoreUnavailable(), Part.STORE, "the store is away"),
        (StoreFull(), Part.DISK, "no space is left for mail"),
    ],
)
async def test_a_store_that_fails_makes_the_node_unready_until_it_works_again(
    world: World, failure: RelayError, part: Part, text: str
) -> None:
    world.store.failure = failure
    assert await world.look() == {part: text}
    await world.look()
    assert not world.readiness.is_ready
    world.store.failure = None
    assert await world.look() == {}
    assert world.events == ["trouble", "trouble_over"], "said once, however often somebody looks"


async def test_a_store_that_works_and_has_to_be_mended_is_named_until_it_is(world: World) -> None:
    flaws = [Flaw("durability", "primary a: appendonly is no"), Flaw("durability", "replica b: appendonly is no")]
    world.flaws = [*flaws, Flaw("replica", "replica c is away"), Flaw("alone", "primary a would go on alone")]
    said = {"durability": f"{flaws[0].text}; {flaws[1].text}", "replica": "replica c is away"}
    said["alone"] = "primary a would go on alone"
    assert await world.look() == said
    assert world.readiness.is_ready, "it works"
    world.store.failure = StoreUnavailable()
    assert await world.look() == {Part.STORE: "the store is away", **said}, "it is still to be mended"
    world.store.failure, world.flaws = None, flaws[:1]
    assert await world.look() == {"durability": flaws[0].text}
    assert world.events == ["trouble"] * 4 + ["trouble_over"] * 3, "said once, however often somebody looks"


async def test_a_store_that_hangs_is_away(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulse, "PATIENCE", 0.0)
    world.store.is_hanging = True
    assert list(await world.look()) == [Part.STORE]


async def test_a_disk_that_is_nearly_full_makes_the_node_unready(world: World) -> None:
    world.store.has_room = False
    assert list(await world.look()) == [Part.DISK]
    world.store.has_room = True
    assert await world.look() == {}


async def test_accounts_whose_mail_does_not_move_are_listed_and_leave_the_node_ready(world: World) -> None:
    world.store.healths += [HealthCount(Plan.PERSONAL, "paused", 2), HealthCount(Plan.BUSINESS, "waiting", 1)]
    assert await world.look() == {ACCOUNTS: "mail is not moving: 2 paused, 1 waiting of 8 accounts"}
    assert world.readiness.is_ready
    world.store.healths = [HealthCount(Plan.PERSONAL, "slowed", 8)]
    world.now += COUNT_EVERY
    assert await world.look() == {}


async def test_a_provider_that_is_stopped_is_listed_and_leaves_the_node_ready(world: World) -> None:
    world.store.providers_now = [
        provider("aruba", health="paused", reason="tls-expired", accounts=5),
        provider("gmail", health="waiting", reason="network", accounts=2),
        provider("lab"),
    ]
    text = "stopped: aruba (paused, tls-expired), gmail (waiting, network); 7 accounts send through them"
    assert await world.look() == {PROVIDERS: text}
    assert world.readiness.is_ready
    world.store.providers_now = [provider("aruba"), provider("gmail")]
    world.now += COUNT_EVERY
    assert await world.look() == {}


async def test_however_many_providers_are_stopped_the_line_stays_readable(world: World) -> None:
    world.store.providers_now = [
        provider(f"p{number}", health="waiting", reason="network") for number in range(NAMED + 7)
    ]
    assert " and 7 more; " in (await world.look())[PROVIDERS]


async def test_a_report_that_nobody_writes_is_listed_and_leaves_the_node_ready(world: World) -> None:
    world.store.owed = [SimpleNamespace(at=0)]
    world.now = OVERDUE
    assert await world.look() == {}
    world.now = 2 * OVERDUE
    assert await world.look() == {REPORTS: "a report to a sender has waited for 2 h to be written"}
    assert world.readiness.is_ready
    world.store.owed = []
    world.now += COUNT_EVERY
    assert await world.look() == {}


async def test_senders_whom_nobody_could_tell_of_a_bounce_are_listed(world: World) -> None:
    world.store.untold = 2
    (text,) = (await world.look()).values()
    assert text.startswith("nobody could be told that 2 mails failed")
    assert world.readiness.is_ready


async def test_accounts_are_counted_now_and_then_however_often_somebody_looks(world: World) -> None:
    for _ in range(5):
        await world.look()
    assert world.store.counts == 1
    world.now += COUNT_EVERY
    await world.look()
    assert world.store.counts == 2


@pytest.mark.parametrize(
    ("lateness", "shown"),
    [
        ([0.0, 0.2, 0.1], [0.0, 0.2, 0.2]),
        ([-0.1], [0.0]),
        ([0.3] + [0.0] * REMEMBERED, [0.3] * REMEMBERED + [0.0]),
    ],
)
def test_the_worst_lag_of_the_last_seconds_is_shown(lateness: list[float], shown: list[float]) -> None:
    seen: list[float] = []
    lag = LoopLag(seen.append)
    for late in lateness:
        lag.saw(late)
    assert seen == shown
