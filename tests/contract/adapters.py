"""Every adapter that there is: a new one is added here and has to pass everything."""

from typing import Any

import pytest

from tests.contract.harness import Make, ModelHarness, SqliteHarness
from tests.contract.redis.harness import RedisHarness

ADAPTERS: dict[str, Make] = {"model": ModelHarness, "sqlite": SqliteHarness, "redis": RedisHarness}

BOOKKEEPERS: dict[str, Make] = {"sqlite": SqliteHarness, "redis": RedisHarness}
"""Those with books: the ports beside the mail."""

_NEEDS = {"redis": [pytest.mark.needs("redis-server")]}


def marked(adapters: dict[str, Make]) -> list[Any]:
    """Their names for `parametrize`, with the programs that each needs."""
    return [pytest.param(name, marks=_NEEDS.get(name, []), id=name) for name in adapters]
