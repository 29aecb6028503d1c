"""The same random histories on the model and on each adapter: the same claims, sessions, outcomes and wake-ups."""

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

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
