"""The servers that the link is tried on: a test runs on all three where they could differ."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.redisservers import NAMES, Server, binary, server


@pytest.fixture(params=NAMES)
def program(request: pytest.FixtureRequest) -> Path:
    return binary(request.param)


@pytest.fixture
def one_server() -> Iterator[Server]:
    """For what is the link's own doing, whatever the server."""
    with server(binary("redis-7")) as made:
        yield made


@pytest.fixture
def redis_server(program: Path) -> Iterator[Server]:
    """Durable, and empty."""
    with server(program) as made:
        yield made
