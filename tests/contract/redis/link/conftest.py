"""The servers that the link is tried on: each test runs on all three."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.redisservers import NAMES, Server, binary, server


@pytest.fixture(params=NAMES)
def program(request: pytest.FixtureRequest) -> Path:
    return binary(request.param)


@pytest.fixture
def redis_server(program: Path) -> Iterator[Server]:
    """Durable, and empty."""
    with server(program) as made:
        yield made
