"""Which seeds are run: each level's DEFAULT_SEEDS, as many as you like by `make simulate SEEDS=n`, one by SEED=n."""

import gc
from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session", autouse=True)
def quick_searches() -> Iterator[None]:
    """A dead process is swept up at once, thousands of times: what was there before is not looked through."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "seeds" in metafunc.fixturenames:
        one, many = (
            metafunc.config.getoption("--seed"),
            metafunc.config.getoption("--seeds") or metafunc.module.DEFAULT_SEEDS,
        )
        if one is not None:
            metafunc.parametrize("seeds", [range(int(one), int(one) + 1)], ids=[f"seed-{one}"])
        else:
            step = 50
            parts = [range(first, min(first + step, int(many))) for first in range(0, int(many), step)]
            metafunc.parametrize("seeds", parts, ids=[f"seeds-{part.start}-{part.stop - 1}" for part in parts])
