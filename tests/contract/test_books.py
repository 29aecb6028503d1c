"""Every adapter keeps every word of the books: the ports beside the mail."""

import pytest

from tests.contract.adapters import BOOKKEEPERS, marked
from tests.contract.books import CHECKS
from tests.contract.harness import run
from tests.contract.scene import Scene
from tests.contract.suites import Check


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("adapter", marked(BOOKKEEPERS))
def test_an_adapter_keeps_its_books(adapter: str, check: Check) -> None:
    async def scenario() -> None:
        scene = Scene(BOOKKEEPERS[adapter])
        await check(scene)
        await scene.harness.close()

    run(scenario)
