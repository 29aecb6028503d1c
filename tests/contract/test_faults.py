"""The conformance suites are worth something: every planted fault fails a check of the suite that is about it."""

from types import ModuleType

import pytest

from tests.contract.faults import FAULTS
from tests.contract.harness import ModelHarness, run
from tests.contract.model import ModelStore
from tests.contract.scene import Scene
from tests.contract.suites import Check, checks_of


@pytest.mark.parametrize(("fault", "suite"), FAULTS, ids=lambda one: one.__name__.rpartition(".")[2])
def test_a_planted_fault_is_found(fault: type[ModelStore], suite: ModuleType) -> None:
    assert any(is_failed_by(fault, check) for check in checks_of(suite))


def is_failed_by(fault: type[ModelStore], check: Check) -> bool:
    """Whether a store with this fault fails this check."""

    async def scenario() -> None:
        await check(Scene(lambda settings: ModelHarness(settings, fault)))

    try:
        run(scenario)
    except Exception:  # noqa: BLE001  whatever a check raises is how it fails
        return True
    return False
