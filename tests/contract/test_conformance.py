"""Every adapter keeps every word of the ports."""

import pytest

from tests.contract.adapters import ADAPTERS, marked
from tests.contract.harness import run
from tests.contract.scene import Scene
from tests.contract.suites import CHECKS, Check


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("adapter", marked(ADAPTERS))
def test_an_adapter_keeps_its_word(adapter: str, check: Check) -> None:
    async def scenario() -> None:
        scene = Scene(ADAPTERS[adapter])
        await check(scene)
        await scene.harness.close()

    run(scenario)
