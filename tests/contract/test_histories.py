"""The same random histories on the model and on each adapter: the same claims, sessions, outcomes and wake-ups."""

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from relay.core.envelope import Kind, Verdict
from relay.core.limits import MINUTE
from relay.core.routing import Routing
from relay.core.words import Stage
from relay.store.ports.sessions import SessionEvent
from tests.contract import scene
from tests.contract.adapters import BOOKKEEPERS, marked
from tests.contract.faults import leases, limits, queue, recovery, routing, sessions, settling
from tests.contract.harness import ModelHarness, OutlivedModelHarness
from tests.contract.histories import Histories
from tests.contract.model import ModelStore
from tests.contract.redis.harness import RedisHarness

pytestmark = pytest.mark.timeout(900)

HARD = settings(
    max_examples=120, stateful_step_count=30, report_multiple_bugs=False, suppress_health_check=list(HealthCheck)
)
FINDS = settings(HARD, max_examples=1500, derandomize=False, database=None, phases=[Phase.generate])
"""It ends with the first that shows the fault; which one that is depends on the modules that are loaded, too."""


def test_sqlite_does_what_the_model_does() -> None:
    run_state_machine_as_test(Histories, settings=HARD)


@pytest.mark.needs("redis-server")
def test_redis_does_what_the_model_does() -> None:
    class OnRedis(Histories):
        adapter_type = staticmethod(RedisHarness)
        model_type = staticmethod(OutlivedModelHarness)

    run_state_machine_as_test(OnRedis, settings=settings(HARD, max_examples=60))


@pytest.mark.parametrize("adapter", marked(BOOKKEEPERS))
def test_nobody_is_before_another_because_a_heart_beat_in_between(adapter: str) -> None:
    """One mailbox's pause ends, then another one's mail comes due, and no take looks between the two."""

    class Steps(Histories):
        adapter_type = staticmethod(BOOKKEEPERS[adapter])

    history, paused = Steps(), scene.result(Verdict.DEFERRED, "rate-limited", stage=Stage.MAIL, retry_after=MINUTE)
    accounts = {sender: scene.account(sender) for sender in (scene.A, scene.B)}
    history.apply(Routing(providers={"p": scene.provider()}, accounts=accounts), "first")
    history.mail_comes(scene.A, 1, 1, "one", Kind.MAIL)
    history.mail_comes(scene.B, 1, 1, "one", Kind.MAIL)
    history.a_busy_moment(scene.NODE, 50, [SessionEvent.OPENED], [paused, scene.DEFERRED])
    for _ in range(60):
        history.pass_time(20)
        history.a_heart_beats(scene.NODE)
    history.take(scene.NODE, history.idle(), 50)
    assert {theirs.account for theirs, _ in history.pairs} == {scene.A, scene.B}
    history.teardown()


@pytest.mark.parametrize(
    "fault",
    [
        queue.NewestFirst,
        queue.IdleIgnored,
        settling.SettlesTwice,
        settling.HeldStopsEverybody,
        settling.SlotAlwaysGivenBack,
        limits.NeverWakes,
        sessions.NothingReserved,
        leases.LateDeferredAccepted,
        recovery.RecoversNothing,
        recovery.EverythingInDoubt,
        routing.MailStaysBehind,
    ],
)
def test_an_adapter_that_does_not_is_found(fault: type[ModelStore]) -> None:
    class Planted(Histories):
        adapter_type = staticmethod(lambda given: ModelHarness(given, fault))

    with pytest.raises(AssertionError):
        run_state_machine_as_test(seed(1)(Planted), settings=FINDS)
