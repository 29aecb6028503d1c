"""One doctor's trouble stays his own: what the others' mail does is the same with and without it.

Law: two worlds that differ in one thing are held against each other; the limiter and the schedule are not asked.
"""

import math
from collections.abc import Callable
from dataclasses import replace

import pytest

from relay.core.envelope import LoginFailure
from relay.core.words import MailboxId
from relay.delivery.keeper import Keeper
from tests.simulation.invariants import findings
from tests.simulation.provider import Faults
from tests.simulation.scenario import Scenario
from tests.simulation.wire.faults import WireFaults
from tests.simulation.wire.lines import Weather
from tests.simulation.wire.scenario import wire_scenario
from tests.simulation.wire.world import WireWorld
from tests.simulation.world import Society, World

SICK = "box0"

# No line breaks here: of three mailboxes that meet it this is their provider's trouble, and with one of them sick there
# are only two.
CALM = Scenario(
    mailboxes=3,
    limits=("3/10s",),
    totals=(),
    connections=2,
    total_connections=20,
    messages=20,
    span=60.0,
    crashes=0,
    latency=(0.05, 0.9),
    faults=Faults(rcpt_later=0.2),
    wall_steps=0,
    reboots=False,
    fsync=0.0,
)


def on_the_port(seed: int, *, is_sick: bool) -> World:
    """Each mailbox has its own luck; one may have a wrong password too."""
    wrong = {MailboxId("p", SICK)} if is_sick else set()
    world = World(seed, replace(CALM, faults=replace(CALM.faults, wrong_password=wrong)))
    world.heal = lambda: None  # type: ignore[method-assign]
    world.books.unfinished = lambda: 0  # type: ignore[method-assign]
    return world


def on_the_wire(seed: int, *, is_sick: bool) -> WireWorld:
    """The network is the same for all, so it is given no moods; the offer and the clients are the seed's."""
    plan = replace(
        wire_scenario(seed),
        **{**CALM.__dict__, "latency": (0.02, 0.02), "connections": 1},
        weather=Weather(latency=(0.01, 0.01)),
        wire_faults=WireFaults(),
        wrong=int(is_sick),
        providers=1,
    )
    return WireWorld(seed, plan)


def of_the_healthy(world: Society, beside: Society) -> list[tuple[object, ...]]:
    """All that providers saw of the others, up to the end of the trouble here and in the world beside."""
    until = min(world.healed_at, beside.healed_at)
    seen = world.seen
    events: list[tuple[object, ...]] = [*seen.counted, *seen.taken, *seen.logins]
    healthy = [event for event in events if isinstance(event[1], MailboxId) and event[1].username != SICK]
    rounded = [(round(at, 3), *rest) for at, *rest in healthy if isinstance(at, float) and at < until]
    return sorted(rounded, key=repr)


@pytest.mark.parametrize("level", [on_the_port, on_the_wire])
@pytest.mark.filterwarnings("ignore::RuntimeWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_wrong_password_changes_nothing_for_the_others(level: Callable[..., Society]) -> None:
    for seed in range(12):
        well, sick = level(seed, is_sick=False), level(seed, is_sick=True)
        well.live_on()
        sick.live_on()
        assert [event for event in sick.seen.logins if event[1].username == SICK and not event[2]]
        assert of_the_healthy(sick, well) == of_the_healthy(well, sick), f"seed {seed}: the others noticed"
        assert [found for found in findings(sick) if "refused logins" in found] == [], f"seed {seed}"
        assert len(of_the_healthy(well, sick)) > 10


def test_a_trouble_that_is_shared_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A refused login that is laid at the provider's door stops everybody."""
    honest = Keeper._refused

    async def refused(self: Keeper, mailbox: MailboxId, failure: LoginFailure) -> None:
        await honest(self, mailbox, replace(failure, is_provider=True))

    monkeypatch.setattr(Keeper, "_refused", refused)
    with pytest.raises(AssertionError, match="the others noticed"):
        test_a_wrong_password_changes_nothing_for_the_others(on_the_wire)


class Rush(World):
    """One doctor hands in everything at once; the others one mail each, some time later."""

    def _plan_submissions(self) -> list[tuple[float, str, str, tuple[str, ...]]]:
        burst: list[tuple[float, str, str, tuple[str, ...]]] = [
            (0.0, f"burst{number}", "d0a@d.test", (f"p{number}@r.test",)) for number in range(40)
        ]
        return burst + sorted(
            (self.dice.uniform(2, 20), f"newcomer{number}", f"d{number}a@d.test", (f"n{number}@r.test",))
            for number in range(1, self.scenario.mailboxes)
        )


@pytest.mark.parametrize("total", ["1/1s", "2/3s", "4/10s"])
def test_a_newcomer_waits_no_longer_than_the_bound(total: str) -> None:
    """ceil((S + 1) / N) * (W + L), S the weights in rotation, L an attempt; before it he logs in."""
    count, width = int(total.split("/", maxsplit=1)[0]), float(total.split("/")[1].removesuffix("s"))
    pause = 0.1
    plan = replace(CALM, mailboxes=4, limits=(), totals=(total,), latency=(pause, pause), faults=Faults())
    for seed in range(5):
        world = Rush(seed, plan)
        world.live_on()
        attempt, login = 4 * pause, 2 * pause
        weights = sum(1 + number % 2 for number in range(4))
        bound = math.ceil((weights + 1) / count) * (width + attempt) + login + attempt
        handed_in = {name: at for at, name, *_ in Rush(seed, plan)._submissions}
        waits = {name: at - handed_in[name] for at, _, name, _ in world.seen.taken if name.startswith("newcomer")}
        assert len(waits) == 3
        assert max(waits.values()) <= bound, f"seed {seed}: {waits}, bound {bound}"
